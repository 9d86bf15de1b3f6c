/** At most `most` whole numbers from `first` to `last`, evenly between, both of them included. */
export function evenSizes(first: number, last: number, most: number): number[] {
  const steps = Math.min(most - 1, last - first);
  if (steps < 1) return [last];
  return Array.from({ length: steps + 1 }, (_, n) => first + Math.round((last - first) * (n / steps)));
}
