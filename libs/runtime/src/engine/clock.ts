/** The clocks with which a service compares its own clock. Other services read them too. */
export type Reference = 'database' | 'broker';

/**
 * How far a service's clock may differ from the database's clock, in milliseconds, before the service stops deciding. Within this
 * limit two services of one database differ by less than the gate's tolerance.
 */
export const clockToleranceMs = 2_000;

/** The time is unknown, so nothing is decided. Its code makes the error transient: the caller tries again. */
export class ClockUnsure extends Error {
  readonly code = 'ETIMEDOUT';
}

/** The time of day of this machine, RFC 3339 UTC, right or wrong. */
export const wallTime = (): string => new Date(Date.now()).toISOString();

/**
 * Knows how far this machine's wall clock is off. It stores a reference's time as the difference to the monotonic clock, which
 * nobody can set. So a look now and then is enough, and a step of the wall clock shows at the next question, not only at the next
 * look.
 */
export class Clock {
  /** The reference's time minus the monotonic clock, in milliseconds. The true value is between these two. */
  private readonly known = new Map<Reference, { readonly low: number; readonly high: number }>();

  /** The current time. Throws `ClockUnsure` if the wall clock is known to differ from the database's clock. */
  readonly now = (): string => {
    const off = this.aheadMs('database');
    if (Math.abs(off) > clockToleranceMs)
      throw new ClockUnsure(`clock ${offText(off, 'database')}; nothing is decided`);
    return wallTime();
  };

  /**
   * A reference answered that it was `time` (milliseconds since 1970). That was at some moment after `asked` and before now (both
   * by `performance.now()`). A slow answer is inexact, and does not replace a more exact one.
   */
  heard(reference: Reference, time: number, asked: number): void {
    const found = { low: time - performance.now(), high: time - asked };
    if (!this.known.has(reference) || found.high - found.low <= clockToleranceMs) this.known.set(reference, found);
  }

  /**
   * The least time since it was `time` for a reference (milliseconds since 1970); 0 if that is not known, or if `time` is in the
   * future.
   */
  agoMs(reference: Reference, time: number): number {
    const range = this.known.get(reference);
    return range ? Math.max(0, range.low + performance.now() - time) : 0;
  }

  /** How far the wall clock is certainly ahead of a reference, in milliseconds. Negative: behind. 0: equal, or not known. */
  aheadMs(reference: Reference): number {
    const range = this.known.get(reference);
    if (!range) return 0;
    const mine = Date.now() - performance.now();
    if (mine > range.high) return mine - range.high;
    return mine < range.low ? mine - range.low : 0;
  }

  /**
   * A text about clocks that differ by more than the tolerance, such as `183 s ahead of the database`; undefined if none does.
   */
  detail(): string | undefined {
    const off = [...this.known.keys()].flatMap((reference) => {
      const ms = this.aheadMs(reference);
      return Math.abs(ms) > clockToleranceMs ? [offText(ms, reference)] : [];
    });
    return off.length > 0 ? off.join(', ') : undefined;
  }

  /** Seconds by which the wall clock is ahead, for each reference that has answered. */
  ahead(): ReadonlyMap<Reference, number> {
    return new Map([...this.known.keys()].map((reference) => [reference, this.aheadMs(reference) / 1000]));
  }
}

const offText = (ms: number, reference: Reference): string =>
  `${Math.round(Math.abs(ms) / 1000)} s ${ms > 0 ? 'ahead of' : 'behind'} the ${reference}`;

type Log = { log(message: string): void; warn(message: string): void };

/**
 * Compares with the database's clock about once a second. Logs when the clock becomes wrong and when it is right again. Resolves
 * after the first look, to a function that ends the comparison.
 */
export async function compareClock(
  clock: Clock,
  db: { read<Row>(sql: string): Promise<Row[]> },
  consequence: string,
  log: Log,
): Promise<() => void> {
  let lastDetail: string | undefined;
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    try {
      const asked = performance.now();
      const [row] = await db.read<{ ms: number }>(
        `SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms`,
      );
      if (row) clock.heard('database', row.ms, asked);
    } catch {
      // Other code reports that the database is away. What is known of its clock stays true.
    } finally {
      looking = false;
    }
    const detail = clock.detail();
    if (detail !== undefined && lastDetail === undefined) log.warn(`clock ${detail}: ${consequence}`);
    if (detail === undefined && lastDetail !== undefined) log.log('clock right again');
    lastDetail = detail;
  };
  await look();
  const timer = setInterval(() => void look(), 1_000);
  return () => clearInterval(timer);
}
