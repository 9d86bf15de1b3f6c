import { expect, test } from 'vitest';
import { pacer } from './pace.js';

test('as many as the burst go on at once, the next one waits until there is room again', () => {
  const pace = pacer({ perSecond: 2, burst: 3 }, 10);
  expect([0, 0, 0, 0].map((at) => pace('a', at))).toEqual([0, 0, 0, 500]);
  expect(pace('a', 499)).toBe(1);
  expect(pace('a', 500)).toBe(0);
  expect(pace('a', 500)).toBe(500);
});

test('whoever waits for long may ask for a burst and no more', () => {
  const pace = pacer({ perSecond: 2, burst: 3 }, 10);
  expect([0, 0, 0].map(() => pace('a', 0))).toEqual([0, 0, 0]);
  expect([0, 0, 0, 0].map(() => pace('a', 1_000_000))).toEqual([0, 0, 0, 500]);
});

test('each name has its own count, and a name that is forgotten begins anew', () => {
  const pace = pacer({ perSecond: 1, burst: 1 }, 2);
  expect(['a', 'b', 'a'].map((name) => pace(name, 0))).toEqual([0, 0, 1_000]);
  // `b` asked longest ago.
  expect(['c', 'a', 'b'].map((name) => pace(name, 0))).toEqual([0, 1_000, 0]);
});
