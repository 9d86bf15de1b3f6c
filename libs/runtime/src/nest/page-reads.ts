/** More pages are asked for than are read: whoever asks is to come again. */
export class TooManyReads extends Error {
  override readonly name = 'TooManyReads';
  /** When, in seconds. */
  readonly retryAfter = 2;

  constructor() {
    super('more pages are asked for than this service reads at once; ask again later');
  }
}

/** Of ten connections, how many pages may hold; the others are for work. */
const shareOfPages = 5;
/** How many reads may wait for their turn. */
const mayWait = 50;

export interface PageReads {
  /** Runs `read` when it is its turn. Throws `TooManyReads` where too many wait, unless it is `patient`: part of an answer that has begun. */
  run<R>(read: () => Promise<R>, patient?: boolean): Promise<R>;
}

/** Lets the reads of pages have a part of the connections, in the order in which they come. */
export function pageReads(connections: number): PageReads {
  const atOnce = Math.max(1, Math.floor(connections / shareOfPages));
  const waiting: (() => void)[] = [];
  let running = 0;
  return {
    async run(read, patient = false) {
      if (running >= atOnce) {
        if (waiting.length >= mayWait && !patient) throw new TooManyReads();
        // Whoever ends hands its turn on, so that nobody who comes meanwhile takes it.
        await new Promise<void>((resolve) => waiting.push(resolve));
      } else running++;
      try {
        return await read();
      } finally {
        const next = waiting.shift();
        if (next) next();
        else running--;
      }
    },
  };
}
