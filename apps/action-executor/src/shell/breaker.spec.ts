import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Breaker } from './breaker.js';

let warnings: string[];
let breaker: Breaker;
beforeEach(() => {
  vi.useFakeTimers({
    now: Date.parse('2026-11-21T10:00:00.000Z'),
    toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'],
  });
  warnings = [];
  breaker = new Breaker({ name: 'ads', timeoutMs: 5_000 }, (message) => warnings.push(message));
});
afterEach(() => vi.useRealTimers());

const silence = (times: number) => {
  for (let n = 0; n < times; n++) breaker.heard(false);
};

test('a system is paused when eight calls in a row had no answer, and not by fewer with an answer between', () => {
  silence(7);
  breaker.heard(true);
  silence(7);
  expect([breaker.waitMs(), breaker.paused]).toEqual([0, false]);
  silence(1);
  expect([breaker.waitMs(), breaker.paused]).toEqual([1_000, true]);
  expect(breaker.detail()).toMatch(/^paused since 2026-11-21T10:00:00.000Z, its permits wait/);
  // Those that were out with it change nothing.
  silence(8);
  expect(breaker.waitMs()).toBe(1_000);
  expect(warnings).toHaveLength(1);
});

test('after the pause one is let through, and nobody else until it has had its time', () => {
  silence(8);
  vi.advanceTimersByTime(1_000);
  expect(breaker.waitMs()).toBe(0);
  expect(breaker.waitMs()).toBe(5_000);
  // It never came to its call: another one is let through then.
  vi.advanceTimersByTime(5_000);
  expect(breaker.waitMs()).toBe(0);
});

test('a try without an answer doubles the pause, up to half a minute; an answer ends it', () => {
  silence(8);
  const pauses = Array.from({ length: 7 }, () => {
    const pause = breaker.waitMs();
    vi.advanceTimersByTime(pause);
    expect(breaker.waitMs()).toBe(0);
    breaker.heard(false);
    return pause;
  });
  expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  vi.advanceTimersByTime(30_000);
  expect(breaker.waitMs()).toBe(0);
  breaker.heard(true);
  expect([breaker.waitMs(), breaker.paused, breaker.detail()]).toEqual([0, false, undefined]);
  expect(warnings).toHaveLength(2);
});

test('at a slow system four claims may wait; what comes beyond gets its place in time, one after the other', () => {
  let slow = 0;
  const ends = Array.from({ length: 4 }, () => breaker.begin(() => slow++));
  expect(breaker.waitMs()).toBe(0);
  vi.advanceTimersByTime(250);
  expect(slow).toBe(4);
  expect([breaker.waitMs(), breaker.waitMs()]).toEqual([254, 258]);
  expect(breaker.paused).toBe(false);
  ends[0]?.();
  expect(breaker.waitMs()).toBe(0);
});

test('work that ends soon is counted nowhere', () => {
  for (let n = 0; n < 9; n++) breaker.begin(() => expect.unreachable())();
  vi.advanceTimersByTime(1_000);
  expect(breaker.waitMs()).toBe(0);
});
