import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { isTransient } from '../failures.js';
import { Clock, ClockUnsure } from './clock.js';

let wall = 0;
let steady = 0;
beforeEach(() => {
  wall = Date.UTC(2026, 10, 21, 10);
  steady = 5_000;
  vi.spyOn(Date, 'now').mockImplementation(() => wall);
  vi.spyOn(performance, 'now').mockImplementation(() => steady);
});
afterEach(() => vi.restoreAllMocks());
const pass = (ms: number): void => {
  wall += ms;
  steady += ms;
};
/** A question whose answer takes `ms`, given in the middle by a clock that is `off` from the wall clock. */
const ask = (clock: Clock, off: number, ms = 2): void => {
  const asked = steady;
  pass(ms / 2);
  const time = wall + off;
  pass(ms / 2);
  clock.heard('database', time, asked);
};

test('a clock that agrees with the database tells the time', () => {
  const clock = new Clock();
  ask(clock, 1_500);
  expect(clock.now()).toBe('2026-11-21T10:00:00.002Z');
  expect(clock.detail()).toBeUndefined();
});

test.each([
  [-183_000, '183 s ahead of the database'],
  [183_000, '183 s behind the database'],
])('a clock that is %i ms off tells no time, says so, and whoever asks comes again', (off, detail) => {
  const clock = new Clock();
  ask(clock, off);
  expect(() => clock.now()).toThrow(ClockUnsure);
  expect(isTransient(new ClockUnsure(''))).toBe(true);
  expect(clock.detail()).toBe(detail);
  expect(Math.round(clock.ahead().get('database') ?? 0)).toBe(-off / 1000);
});

test.each([-60_000, 60_000])('a step of %i ms shows at once, without another look, and so does its end', (step) => {
  const clock = new Clock();
  ask(clock, 0);
  wall += step;
  expect(() => clock.now()).toThrow(ClockUnsure);
  wall -= step;
  pass(3_600_000);
  expect(clock.now()).toBe('2026-11-21T11:00:00.002Z');
});

test('a machine that was suspended tells no time before it has looked again', () => {
  const clock = new Clock();
  ask(clock, 0);
  wall += 300_000;
  expect(() => clock.now()).toThrow(ClockUnsure);
  ask(clock, 0);
  expect(clock.now()).toMatch(/^2026/);
});

test('an answer that took long accuses nobody, and does not replace one that was quick', () => {
  const clock = new Clock();
  ask(clock, 6_000, 14_000);
  expect(clock.detail()).toBeUndefined();
  ask(clock, 5_000);
  expect(clock.detail()).toBe('5 s behind the database');
  ask(clock, 0, 14_000);
  expect(clock.detail()).toBe('5 s behind the database');
});

test('a broker whose clock is off is told of, and stops nobody', () => {
  const clock = new Clock();
  ask(clock, 0);
  clock.heard('broker', wall - 90_000, steady);
  expect(clock.detail()).toBe('90 s ahead of the broker');
  expect(clock.now()).toMatch(/^2026/);
});
