/** The clocks that a service compares its own with: each is read by others, too. */
export type Reference = 'database' | 'broker';

/**
 * How far a service's clock may be from the database's before nothing is decided by it, in milliseconds. Two services of one
 * database are then less than the gate's tolerance apart.
 */
export const clockToleranceMs = 2_000;

/** Nothing is decided at an unknown time. It passes by its code: whoever asks comes again. */
export class ClockUnsure extends Error {
  readonly code = 'ETIMEDOUT';
}

/** The time of day of this machine, RFC 3339 UTC, whether it is right or not. */
export const wallTime = (): string => new Date(Date.now()).toISOString();

/**
 * What this machine's wall clock is worth. A reference's time is kept as its difference to the monotonic clock, which nobody sets:
 * so one look in a while is enough, and a step of the wall clock shows with the next question, not with the next look.
 */
export class Clock {
  /** The reference's time less the monotonic clock's, in milliseconds: it lies between these. */
  private readonly known = new Map<Reference, { readonly low: number; readonly high: number }>();

  /** The time now. Throws `ClockUnsure` where the wall clock is known to be off the database's. */
  readonly now = (): string => {
    const off = this.aheadMs('database');
    if (Math.abs(off) > clockToleranceMs)
      throw new ClockUnsure(`clock ${offText(off, 'database')}; nothing is decided`);
    return wallTime();
  };

  /**
   * A reference said that it was `time` (milliseconds since 1970), at some moment after `asked` and before now (both of
   * `performance.now()`). An answer that took long says little, and does not replace one that says more.
   */
  heard(reference: Reference, time: number, asked: number): void {
    const found = { low: time - performance.now(), high: time - asked };
    if (!this.known.has(reference) || found.high - found.low <= clockToleranceMs) this.known.set(reference, found);
  }

  /** How long ago at least it was `time` for a reference (milliseconds since 1970); 0 where that is not known, or is still to come. */
  agoMs(reference: Reference, time: number): number {
    const range = this.known.get(reference);
    return range ? Math.max(0, range.low + performance.now() - time) : 0;
  }

  /** How far the wall clock is ahead of a reference for certain, in milliseconds; negative: behind; 0: none, or not known. */
  aheadMs(reference: Reference): number {
    const range = this.known.get(reference);
    if (!range) return 0;
    const mine = Date.now() - performance.now();
    if (mine > range.high) return mine - range.high;
    return mine < range.low ? mine - range.low : 0;
  }

  /** In words what is off by more than the tolerance: `183 s ahead of the database`; undefined where nothing is. */
  detail(): string | undefined {
    const off = [...this.known.keys()].flatMap((reference) => {
      const ms = this.aheadMs(reference);
      return Math.abs(ms) > clockToleranceMs ? [offText(ms, reference)] : [];
    });
    return off.length > 0 ? off.join(', ') : undefined;
  }

  /** Seconds ahead of each reference that was heard. */
  ahead(): ReadonlyMap<Reference, number> {
    return new Map([...this.known.keys()].map((reference) => [reference, this.aheadMs(reference) / 1000]));
  }
}

const offText = (ms: number, reference: Reference): string =>
  `${Math.round(Math.abs(ms) / 1000)} s ${ms > 0 ? 'ahead of' : 'behind'} the ${reference}`;

type Log = { log(message: string): void; warn(message: string): void };

/**
 * Compares with the database's clock about once a second, and says when the clock goes wrong and when it is right again. Resolves
 * after the first look, to a function that ends it.
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
      // That the database is away is told elsewhere; what is known of its clock stays true.
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
