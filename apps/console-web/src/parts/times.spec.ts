import { expect, test } from 'vitest';
import { clock, distance, exactClock } from './times.js';

const now = Date.parse('2026-11-21T12:00:00.000Z');
const after = (seconds: number) => new Date(now + seconds * 1000).toISOString();

test.each([
  [2 * 86_400, 'in 2 days'],
  [86_400 - 1, 'in 23 hours'],
  [3_600, 'in 1 hour'],
  [3_599, 'in 59 minutes'],
  [60, 'in 1 minute'],
  [59, 'in less than a minute'],
  [6, 'in less than a minute'],
  [5, 'now'],
  [0, 'now'],
  [-5, 'now'],
  [-6, 'less than a minute ago'],
  [-60, '1 minute ago'],
  [-7_199, '1 hour ago'],
  [-3 * 86_400, '3 days ago'],
])('a time %d seconds away is %s', (seconds, words) => {
  expect(distance(after(seconds), now)).toBe(words);
});

test('a time of today has no date, one of another day has one', () => {
  expect(clock(after(60), now)).not.toMatch(/2026/);
  expect(clock(after(3 * 86_400), now)).toMatch(/2026/);
});

test('an exact time has seconds, and a date if it is not of today', () => {
  expect(exactClock(after(7), now)).toMatch(/^\d{1,2}:\d\d:07\b/);
  expect(exactClock(after(3 * 86_400 + 7), now)).toMatch(/2026.*\d:\d\d:07\b/);
});
