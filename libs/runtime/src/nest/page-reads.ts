/** More reads are wanted than can run. The caller should come again. */
export class TooManyReads extends Error {
  override readonly name = 'TooManyReads';
  /** After how many seconds. */
  readonly retryAfter = 2;

  constructor(
    message: string,
    /** 429: the same principal already has an export. */
    readonly status: 429 | 503 = 503,
  ) {
    super(message);
  }
}

/** Pages may hold one in this many connections. The others are for work. */
const shareOfPages = 5;
/** How many reads may wait for their turn: of one principal, and in total. */
const mayWait = { each: 10, all: 50 };
/** How many exports may run at the same time; each principal may have one. */
const exportsAtOnce = 4;

/** The reads of an answer that has begun, one after the other. Each waits for its turn, however many reads wait. */
export interface ExportReads {
  run<R>(read: () => Promise<R>): Promise<R>;
  /** Ends the answer. Its place is free when its last waiting read has ended. */
  end(): void;
}

export interface PageReads {
  /** Runs `read` when it is the principal's turn. Throws `TooManyReads` if too many reads wait. */
  run<R>(principal: string, read: () => Promise<R>): Promise<R>;
  /** Begins an export. Throws `TooManyReads` if this principal has one already, or if too many run. */
  begin(principal: string): ExportReads;
}

interface Waiting {
  readonly patient: boolean;
  go(): void;
  refuse(error: TooManyReads): void;
}

/** Gives the reads of pages a part of the connections. The waiting principals take turns. */
export function pageReads(connections: number): PageReads {
  const atOnce = Math.max(1, Math.floor(connections / shareOfPages));
  /** The waiting reads of each principal; the first principal is next. */
  const queues = new Map<string, Waiting[]>();
  const exporting = new Set<string>();
  let running = 0;

  const waitingOf = (queue: readonly Waiting[] = []): number => queue.filter(({ patient }) => !patient).length;

  const next = (): Waiting | undefined => {
    const [first] = queues;
    if (!first) return undefined;
    const [principal, queue] = first;
    const turn = queue.shift();
    // The principal moves to the end: the others come before its next read.
    queues.delete(principal);
    if (queue.length > 0) queues.set(principal, queue);
    return turn;
  };

  const makeRoom = (principal: string): void => {
    const own = waitingOf(queues.get(principal));
    if (own >= mayWait.each)
      throw new TooManyReads(
        `${mayWait.each} reads of yours wait for their turn; wait for their answers, then ask again`,
      );
    const counts = [...queues.values()].map((queue) => ({ queue, count: waitingOf(queue) }));
    if (counts.reduce((sum, { count }) => sum + count, 0) < mayWait.all) return;
    const most = counts.reduce((a, b) => (b.count > a.count ? b : a));
    const full = new TooManyReads('more pages are asked for than this service reads at once; ask again later');
    if (most.count <= own + 1) throw full;
    const [last] = most.queue.splice(
      most.queue.findLastIndex(({ patient }) => !patient),
      1,
    );
    last?.refuse(full);
  };

  const run = async <R>(principal: string, read: () => Promise<R>, patient: boolean): Promise<R> => {
    if (running >= atOnce) {
      if (!patient) makeRoom(principal);
      // A read that ends gives its turn to a waiting one, so that a new read cannot take it.
      await new Promise<void>((go, refuse) => {
        const queue = queues.get(principal);
        if (queue) queue.push({ patient, go, refuse });
        else queues.set(principal, [{ patient, go, refuse }]);
      });
    } else running++;
    try {
      return await read();
    } finally {
      const turn = next();
      if (turn) turn.go();
      else running--;
    }
  };

  return {
    run: (principal, read) => run(principal, read, false),
    begin(principal) {
      if (exporting.has(principal))
        throw new TooManyReads('an export of yours is under way; wait until it has ended, then ask again', 429);
      if (exporting.size >= exportsAtOnce)
        throw new TooManyReads(`${exportsAtOnce} exports are under way, as many as there may be; ask again later`);
      exporting.add(principal);
      let ended = false;
      let reading = 0;
      const free = (): void => {
        if (ended && reading === 0) exporting.delete(principal);
      };
      return {
        async run(read) {
          if (ended) throw new Error('this export has ended');
          reading++;
          try {
            return await run(principal, read, true);
          } finally {
            reading--;
            free();
          }
        },
        end() {
          if (ended) return;
          ended = true;
          free();
        },
      };
    },
  };
}
