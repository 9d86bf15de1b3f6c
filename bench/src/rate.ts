/**
 * Events a second, from the first instant at which any arrived to the last. Events of the first instant are not counted, because
 * the work on them was done before. Throws a RangeError if all arrived at one instant.
 */
export function rateOf(timesMs: readonly number[]): number {
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (const time of timesMs) {
    first = Math.min(first, time);
    last = Math.max(last, time);
  }
  if (!(last > first)) throw new RangeError('a rate needs events at two instants');
  return (timesMs.filter((time) => time > first).length * 1_000) / (last - first);
}
