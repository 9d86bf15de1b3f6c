import { expect, test } from 'vitest';
import { recoveryMs } from './recovery.js';

/** One signal a second from 0 on; each entry is how long its settlement took. */
const flow = (...took: (number | undefined)[]) => ({
  startAt: 0,
  perSecond: 1,
  settledAt: took.map((ms, n) => (ms === undefined ? undefined : n * 1000 + ms)),
});
const options = { quickMs: 500, calmMs: 2_000 };

test('the flow is back at the first signal after the kill from which on all are settled quickly for a while', () => {
  // Killed at 1.5 s: the signals of 2, 3 and 5 s are late.
  expect(recoveryMs(1_500, flow(90, 90, 4_000, 3_000, 90, 900, 90, 90, 90, 90), options)).toBe(4_500);
});

test('if no signal is late, the flow never left', () => {
  expect(recoveryMs(1_500, flow(90, 90, 90, 90, 90), options)).toBe(0);
});

test('if the load ends before the flow was quick for a while, the last late signal counts until its settlement', () => {
  expect(recoveryMs(1_500, flow(90, 90, 5_000, 90), options)).toBe(1_500);
  expect(recoveryMs(1_500, flow(90, 90, 90, 5_000), options)).toBe(6_500);
});

test('a signal that is not settled is late', () => {
  expect(recoveryMs(500, flow(90, undefined, 90, 90, 90), options)).toBe(1_500);
});

test('a kill after the last signal delayed nothing', () => {
  expect(recoveryMs(10_000, flow(90, 90), options)).toBe(0);
});
