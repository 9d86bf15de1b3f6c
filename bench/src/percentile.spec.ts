import { expect, test } from 'vitest';
import { percentile } from './percentile.js';

const oneToHundred = Array.from({ length: 100 }, (_, n) => ((n * 37) % 100) + 1);

test.each([
  [1, 1],
  [50, 50],
  [99, 99],
  [99.1, 100],
  [100, 100],
])('of 1 to 100 in any order the percentile %d is %d', (percent, value) => {
  expect(percentile(oneToHundred, percent)).toBe(value);
});

test('it is a value that was measured, never one in between', () => {
  expect(percentile([1, 2], 50)).toBe(1);
  expect(percentile([1, 2], 51)).toBe(2);
  expect(percentile([10, 2, 9], 50)).toBe(9);
});

test('of one value every percentile is that value', () => {
  for (const percent of [0.1, 50, 99, 100]) expect(percentile([7], percent)).toBe(7);
});

test('numbers are sorted as numbers, and the values given stay in their order', () => {
  const values = [100, 9, 20];
  expect(percentile(values, 34)).toBe(20);
  expect(values).toEqual([100, 9, 20]);
});

test('no values have no percentile, and 0 and 101 are none', () => {
  expect(() => percentile([], 50)).toThrow(RangeError);
  for (const percent of [0, 101, Number.NaN]) expect(() => percentile([1], percent)).toThrow(RangeError);
});
