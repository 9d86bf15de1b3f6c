import { expect, test } from 'vitest';
import { rateOf } from './rate.js';

test('a rate counts what came after the first instant, over the time that it took', () => {
  expect(rateOf([1_000, 1_100, 1_200, 1_300, 1_400, 1_500])).toBe(10);
});

test('a batch that came first is not counted, however large', () => {
  expect(rateOf([...Array(500).fill(0), ...Array(500).fill(250), ...Array(500).fill(500)])).toBe(2_000);
});

test('the order in which times were written down changes nothing', () => {
  expect(rateOf([500, 0, 250])).toBe(rateOf([0, 250, 500]));
});

test('there is no rate of one instant, or of none', () => {
  for (const times of [[], [5], [5, 5]]) expect(() => rateOf(times)).toThrow(RangeError);
});
