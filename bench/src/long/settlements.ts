import type { Meter } from '../system/watching.js';
import { dueAt, type Flow } from './recovery.js';

/** Which signals of a load were settled, and when. */
export interface Settlements {
  readonly flow: Flow;
  settled(): number;
  /** The first end of signals that did not end `executed` at once. */
  readonly otherEnds: ReadonlyMap<string, number>;
  /** Asks the meter. Returns how many signals were settled since the last call. */
  collect(): Promise<number>;
  /** How long each took that was settled since the last call, from the time when it was due, in milliseconds. */
  latencies(): readonly number[];
}

/** Follows the signals of a load. `numberOf` gives the number of a signal, by its id. */
export function settlementsOf(
  meter: Meter,
  load: { readonly count: number; readonly startAt: number; readonly perSecond: number },
  numberOf: (id: string) => number,
): Settlements {
  const settledAt = new Array<number | undefined>(load.count).fill(undefined);
  const otherEnds = new Map<string, number>();
  let settled = 0;
  let fresh: number[] = [];
  return {
    flow: { startAt: load.startAt, perSecond: load.perSecond, settledAt },
    settled: () => settled,
    otherEnds,
    async collect() {
      const before = settled;
      for (const { id, at, ends } of await meter.take()) {
        const n = numberOf(id);
        const [end = ''] = ends;
        // What a service published again after a kill has the same id, and was there before.
        if (!(n >= 0 && n < load.count) || settledAt[n] !== undefined) continue;
        settledAt[n] = at;
        settled++;
        fresh.push(at - dueAt(load, n));
        if (end !== 'executed') otherEnds.set(end, (otherEnds.get(end) ?? 0) + 1);
      }
      return settled - before;
    },
    latencies() {
      const taken = fresh;
      fresh = [];
      return taken;
    },
  };
}
