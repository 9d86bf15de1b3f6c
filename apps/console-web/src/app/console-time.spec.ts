import { expect, test } from 'vitest';
import { consoleClock } from './console-time.js';

const at = (minutes: number) => new Date(Date.UTC(2026, 10, 21, 10, minutes)).toISOString();
/** A clock of the browser that is some minutes off, at the console's time `at(0)`. */
const off = (minutes: number) => {
  let passed = 0;
  const clock = consoleClock(() => Date.parse(at(minutes)) + passed);
  return { clock, wait: (ms: number) => (passed += ms) };
};

test.each([-7, 0, 7])(
  'on a phone whose clock is %d minutes off a deadline passes when it passes at the console',
  (n) => {
    const { clock, wait } = off(n);
    clock.set(at(0));
    expect([clock.now(), clock.isPast(at(5)), clock.isPast(at(-1))]).toEqual([Date.parse(at(0)), false, true]);
    wait(5 * 60_000 - 1);
    expect(clock.isPast(at(5))).toBe(false);
    wait(1);
    expect(clock.isPast(at(5))).toBe(true);
  },
);

test('no deadline has passed before the time of the console is known', () => {
  const { clock } = off(7);
  expect([clock.isPast(at(5)), clock.now()]).toEqual([false, Date.parse(at(7))]);
});

test('whoever shows a time is told of a correction, and not of the moment that a message takes', () => {
  const { clock, wait } = off(7);
  const corrections: number[] = [];
  const end = clock.onCorrected(() => corrections.push(clock.now()));
  clock.set(at(0));
  wait(400);
  clock.set(at(0));
  expect(corrections).toEqual([Date.parse(at(0))]);
  end();
  clock.set(at(9));
  expect(corrections).toHaveLength(1);
});

test('a clock that is set right meanwhile counts from the next message', () => {
  const { clock, wait } = off(7);
  clock.set(at(0));
  wait(-7 * 60_000);
  clock.set(at(0));
  expect(clock.now()).toBe(Date.parse(at(0)));
});
