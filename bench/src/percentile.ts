/**
 * The smallest value that at least `percent` percent of the values do not exceed (nearest rank). It is always a measured value,
 * never one in between. 100 is the largest. Throws a RangeError if there are no values, or if `percent` is not above 0 and at most
 * 100.
 */
export function percentile(values: readonly number[], percent: number): number {
  if (!(percent > 0 && percent <= 100)) throw new RangeError(`not a percentile: ${percent}`);
  const sorted = Float64Array.from(values).sort();
  const value = sorted[Math.ceil((percent * sorted.length) / 100) - 1];
  if (value === undefined) throw new RangeError('there is no percentile of no values');
  return value;
}
