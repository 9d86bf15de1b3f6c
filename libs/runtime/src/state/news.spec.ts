import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { News } from './news.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('all that wait go on at once when it happens', async () => {
  const news = new News();
  const both = Promise.all([news.next(50), news.next(1_000)]);
  news.notify();
  expect([news.waiting, vi.getTimerCount()]).toEqual([0, 0]);
  await both;
});

test('who waits again and again while nothing happens leaves nothing behind', async () => {
  const news = new News();
  for (let n = 0; n < 3; n++) {
    const next = news.next(50);
    await vi.advanceTimersByTimeAsync(50);
    await next;
  }
  expect(news.waiting).toBe(0);
});
