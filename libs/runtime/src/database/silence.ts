import type { Writable } from 'node:stream';
import pg from 'pg';
import { describe } from '../failures.js';

/** Connections that are watched for statements without an answer. */
export interface Silence {
  /** The class of connections for a pool. */
  readonly Client: new (
    config?: string | pg.ClientConfig,
  ) => pg.Client;
  /** How long the oldest waiting statement has had no answer, in milliseconds; 0 if none waits. */
  unansweredMs(): number;
  /** Ends the watch. */
  stop(): void;
}

interface Watched {
  readonly client: pg.Client;
  /** Statements that were sent and have no answer yet. */
  waiting: number;
  /** Grows with each answer: a change shows that another statement waits now. */
  answers: number;
  /** When the oldest waiting statement became the next to be answered, by the monotonic clock. */
  since: number;
}

/**
 * Watches connections for statements that will never have an answer. A statement may take long, for example because it waits for
 * a lock. From here a lost answer, as behind a firewall that forgot the connection, looks the same. So after `silentMs` without
 * an answer, the watch asks the database over a new connection. If the database waits for us, or does not know the connection,
 * the watch gives it up: its statements fail with `ETIMEDOUT`, and its transaction is ended. Connections without a statement are
 * given up too, because they may be dead as well. A commit among the statements may have happened. If the new connection has no
 * answer either, the watch calls `warn`.
 */
export function watchForSilence(url: string, silentMs: number, warn: (message: string) => void): Silence {
  const all = new Set<Watched>();
  let nextLook = 0;
  const unanswered = ({ waiting, since }: Watched): number => (waiting === 0 ? 0 : performance.now() - since);
  const longest = (): number => Math.max(0, ...[...all].map(unanswered));

  const look = async (silent: readonly Watched[]): Promise<void> => {
    const before = new Map(silent.map((watched) => [watched, watched.answers]));
    const warning = `database: no answer for ${Math.floor(longest() / 1000)} s`;
    const limits = { connectionTimeoutMillis: silentMs, query_timeout: silentMs };
    const other = new pg.Client({ connectionString: url, application_name: 'silence', ...limits });
    other.on('error', () => undefined);
    try {
      await other.connect();
      const { rows } = await other.query<{ pid: number; idle: boolean }>(
        `SELECT pid, coalesce(wait_event_type = 'Client' AND state_change < clock_timestamp() - interval '1 second', false) AS idle
         FROM pg_stat_activity WHERE pid = ANY($1)`,
        [silent.map(pidOf)],
      );
      const idle = new Map(rows.map((row) => [row.pid, row.idle]));
      const lost = silent.filter(
        (watched) =>
          watched.waiting > 0 && watched.answers === before.get(watched) && idle.get(pidOf(watched)) !== false,
      );
      if (lost.length === 0) return;
      warn(`${warning}, and it does not work for us there: given up, and done again on a new connection`);
      for (const abandoned of [...lost, ...[...all].filter(({ waiting }) => waiting === 0)]) giveUp(abandoned);
      // The locks of that connection would stop the next try of the same work.
      await other.query('SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid', [
        lost.map(pidOf).filter((pid) => idle.has(pid)),
      ]);
    } catch (error) {
      warn(`${warning}, and none to a new connection: ${describe(error).detail}`);
    } finally {
      await other.end().catch(() => undefined);
    }
  };

  const timer = setInterval(
    () => {
      const now = performance.now();
      const silent = now < nextLook ? [] : [...all].filter((watched) => unanswered(watched) >= silentMs);
      if (silent.length === 0) return;
      nextLook = Number.POSITIVE_INFINITY;
      void look(silent).finally(() => {
        nextLook = performance.now() + silentMs;
      });
    },
    Math.min(1_000, silentMs),
  );
  timer.unref();

  class Client extends pg.Client {
    private readonly watched: Watched = { client: this, waiting: 0, answers: 0, since: 0 };
    private isHolding = false;

    constructor(config?: string | pg.ClientConfig) {
      super(config);
      all.add(this.watched);
      // The statement itself reports the error to its caller. An error without a listener would end the process.
      this.on('error', () => undefined);
      this.on('end', () => all.delete(this.watched));
    }

    // biome-ignore lint/suspicious/noExplicitAny: the driver's many forms of one call
    override query(...given: any[]): any {
      const { watched } = this;
      if (watched.waiting++ === 0) watched.since = performance.now();
      this.hold();
      const answered = (): void => {
        watched.waiting--;
        watched.answers++;
        watched.since = performance.now();
      };
      const callback = given.at(-1);
      if (typeof callback === 'function') {
        const after = (...answer: unknown[]): void => {
          answered();
          callback(...answer);
        };
        return super.query(...([...given.slice(0, -1), after] as Parameters<pg.Client['query']>));
      }
      const result = super.query(...(given as Parameters<pg.Client['query']>)) as unknown as Promise<unknown>;
      result.then(answered, answered);
      return result;
    }

    /** Statements that are sent within one turn of the event loop go out in one write. The driver writes each one by itself. */
    private hold(): void {
      if (this.isHolding) return;
      this.isHolding = true;
      const { stream } = (this as unknown as { readonly connection: { readonly stream: Writable } }).connection;
      stream.cork();
      process.nextTick(() => {
        this.isHolding = false;
        stream.uncork();
      });
    }
  }

  return { Client, unansweredMs: longest, stop: () => clearInterval(timer) };
}

/** Internal members of the driver. It has no public ones for this. */
const inner = (client: pg.Client) =>
  client as unknown as {
    readonly processID: number;
    readonly connection: { readonly stream: { destroy(e: Error): void } };
  };

const pidOf = ({ client }: Watched): number => inner(client).processID;

function giveUp({ client }: Watched): void {
  const error = new Error('no answer from the database: its connection was given up');
  inner(client).connection.stream.destroy(Object.assign(error, { code: 'ETIMEDOUT' }));
}
