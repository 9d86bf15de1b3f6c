/** Signals at an even pace, and when each was settled. */
export interface Flow {
  /** When the first one was due. */
  readonly startAt: number;
  readonly perSecond: number;
  /** By the number of the signal; undefined: not yet. */
  readonly settledAt: readonly (number | undefined)[];
}

/** When a signal was due. */
export const dueAt = ({ startAt, perSecond }: Pick<Flow, 'startAt' | 'perSecond'>, n: number): number =>
  startAt + (n * 1000) / perSecond;

/**
 * How long after a kill the flow was slower than usual: until the first signal from which on, for `calmMs`, each signal was settled
 * within `quickMs`, or the load ended. If the last signal is late, until the last late settlement.
 */
export function recoveryMs(
  killedAt: number,
  flow: Flow,
  { quickMs, calmMs }: { readonly quickMs: number; readonly calmMs: number },
): number {
  const { startAt, perSecond, settledAt } = flow;
  const dueOf = (n: number): number => dueAt(flow, n);
  const first = Math.max(0, Math.ceil(((killedAt - startAt) * perSecond) / 1000));
  /** The first of the quick signals that follow each other without a late one. */
  let quickFrom: number | undefined;
  let lastLateAt = killedAt;
  for (let n = first; n < settledAt.length; n++) {
    const settled = settledAt[n];
    if (settled === undefined || settled - dueOf(n) > quickMs) {
      quickFrom = undefined;
      lastLateAt = Math.max(lastLateAt, settled ?? dueOf(n));
      continue;
    }
    quickFrom ??= n;
    if (dueOf(n) - dueOf(quickFrom) >= calmMs) break;
  }
  if (lastLateAt === killedAt) return 0;
  return (quickFrom === undefined ? lastLateAt : dueOf(quickFrom)) - killedAt;
}
