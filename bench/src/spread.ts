import { percentile } from './percentile.js';

/** The smallest, the middle and the largest of some values; each of them was measured. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** Throws a RangeError where there are no values. */
export const spreadOf = (values: readonly number[]): Spread => ({
  min: Math.min(...values),
  median: percentile(values, 50),
  max: Math.max(...values),
});
