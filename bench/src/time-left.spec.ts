import { expect, test } from 'vitest';
import { timeLeft } from './time-left.js';

test('the time left follows from the pace so far, in the unit that a person would use', () => {
  expect(timeLeft(10, 100, 1_000)).toBe('about 9 s left');
  expect(timeLeft(1, 3, 600_000)).toBe('about 20 min left');
  expect(timeLeft(10_000, 1_010_000, 60_000)).toBe('about 1.7 h left');
  expect(timeLeft(100, 100, 60_000)).toBe('about 0 s left');
});

test('nothing is known before anything is done', () => {
  expect(timeLeft(0, 100, 5_000)).toBe('time left unknown');
});
