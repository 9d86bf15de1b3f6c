import { expect, test, vi } from 'vitest';
import { Pace } from './pace.js';

/** Whether a promise is settled after what is ready now has run. */
async function isOver(promise: Promise<void>): Promise<boolean> {
  let over = false;
  void promise.then(() => {
    over = true;
  });
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  return over;
}
const long = 600_000;

test('after the last records of all partitions the next fetch waits for the whole time', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    const pace = new Pace(20);
    const waits = pace.pause(false);
    expect(await isOver(waits)).toBe(false);
    await waits;
  } finally {
    vi.useRealTimers();
  }
});

test('a partition that is behind lets its consumer fetch at once, also if other partitions of the same fetch are not behind', async () => {
  const pace = new Pace(long);
  const before = pace.pause(false);
  expect(await isOver(before)).toBe(false);
  expect(await isOver(pace.pause(true))).toBe(true);
  expect(await isOver(before)).toBe(true);
  expect(await isOver(pace.pause(false))).toBe(true);
});

test('a consumer that was behind waits again, once it is not behind any more', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    const pace = new Pace(long);
    await pace.pause(true);
    vi.advanceTimersByTime(long);
    const waits = pace.pause(false);
    expect(await isOver(waits)).toBe(false);
    pace.end();
    await waits;
  } finally {
    vi.useRealTimers();
  }
});

test('a consumer that stops does not wait, neither for a pause that has begun nor for a new one', async () => {
  const pace = new Pace(long);
  const waits = pace.pause(false);
  pace.end();
  await waits;
  await pace.pause(false);
});
