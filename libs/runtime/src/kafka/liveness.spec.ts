import { expect, test } from 'vitest';
import { isSilent, missesHeartbeats } from './liveness.js';

test.each([
  [0, false],
  [18_000, false],
  [18_001, true],
])('a member whose broker was last heard %i ms ago is silent with sessions of 6 s: %s', (sinceMs, silent) => {
  expect(isSilent(sinceMs, 6_000)).toBe(silent);
});

test.each([
  [-3_600_000, false],
  [0, false],
  [1_499, false],
  [1_500, true],
  [60_000, true],
])('a wall clock set back by %i ms costs heartbeats with sessions of 6 s: %s', (backMs, misses) => {
  expect(missesHeartbeats(backMs, 6_000)).toBe(misses);
});
