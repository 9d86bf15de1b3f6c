import { InfiniteQueryObserver, QueryClient, QueryObserver } from '@tanstack/react-query';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { freshness } from './freshness.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const tick = () => vi.advanceTimersByTimeAsync(0);

/** A list of pages, each answered when the test says so. */
function list() {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const asked: { page: number; answer: () => Promise<unknown> }[] = [];
  const observer = new InfiniteQueryObserver(client, {
    queryKey: ['reviews', 'list'],
    initialPageParam: 1,
    queryFn: ({ pageParam }) =>
      new Promise<number>((resolve) => {
        const answer = () => {
          resolve(pageParam);
          return tick();
        };
        asked.push({ page: pageParam, answer });
      }),
    getNextPageParam: (last) => (last < 9 ? last + 1 : undefined),
  });
  const stop = observer.subscribe(() => undefined);
  /** Answers everything that is asked for, until nothing more is. */
  const answerAll = async () => {
    for (let n = asked.length - 1; n < asked.length; n++) await asked[n]?.answer();
  };
  return {
    client,
    observer,
    stop,
    pages: () => observer.getCurrentResult().data?.pages,
    asked: () => asked.map(({ page }) => page),
    answer: () => asked.at(-1)?.answer(),
    answerAll,
    ...freshness(client),
  };
}
const reviews = { queryKey: ['reviews'] };

test('the next page comes, however much changes while it is on its way, and one reading of the list follows it', async () => {
  const { observer, changed, answer, answerAll, pages, asked, stop } = list();
  await answerAll();
  void observer.fetchNextPage();
  await tick();
  for (let n = 0; n < 20; n++) {
    changed(reviews);
    await tick();
  }
  await answer();
  expect(pages()).toEqual([1, 2]);
  await answerAll();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(asked()).toEqual([1, 2, 1, 2]);
  expect(observer.getCurrentResult().fetchStatus).toBe('idle');
  stop();
});

test('a list of many pages is read to its end, and once more for all that changed meanwhile', async () => {
  const { observer, changed, answer, answerAll, asked, stop } = list();
  await answerAll();
  for (const _ of [2, 3]) {
    void observer.fetchNextPage();
    await tick();
    await answer();
  }
  for (let n = 0; n < 3; n++) {
    changed(reviews);
    await tick();
    await answer();
  }
  expect(asked()).toEqual([1, 2, 3, 1, 2, 3]);
  await vi.advanceTimersByTimeAsync(1_000);
  await answerAll();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(asked()).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3]);
  stop();
});

test('changes without an end read a list once a second at most, the first of them at once', async () => {
  const { changed, answerAll, asked, stop } = list();
  await answerAll();
  changed(reviews);
  await answerAll();
  expect(asked()).toEqual([1, 1]);
  for (let n = 0; n < 99; n++) {
    changed(reviews);
    await vi.advanceTimersByTimeAsync(100);
    await answerAll();
  }
  expect(asked().length).toBeGreaterThan(5);
  expect(asked().length).toBeLessThanOrEqual(2 + 10);
  stop();
});

test('a reading that the next page ended is made up for after it', async () => {
  const { observer, changed, answer, answerAll, pages, asked, stop } = list();
  await answerAll();
  changed(reviews);
  await tick();
  void observer.fetchNextPage();
  await tick();
  expect(asked()).toEqual([1, 1, 2]);
  await answer();
  expect(pages()).toEqual([1, 2]);
  await vi.advanceTimersByTimeAsync(1_000);
  await answerAll();
  expect(asked()).toEqual([1, 1, 2, 1, 2]);
  stop();
});

test('an act reads at once what may be older than itself, and never ends the next page', async () => {
  const { observer, now, answer, answerAll, pages, asked, stop } = list();
  await answerAll();
  void now(reviews);
  await tick();
  void now(reviews);
  await tick();
  expect(asked()).toEqual([1, 1, 1]);
  await answer();
  void observer.fetchNextPage();
  await tick();
  await now(reviews);
  await answer();
  expect(pages()).toEqual([1, 2]);
  await answerAll();
  expect(asked()).toEqual([1, 1, 1, 2, 1, 2]);
  stop();
});

test('the reading after an act that the next page ended is made up for after it', async () => {
  const { observer, now, answer, answerAll, pages, asked, stop } = list();
  await answerAll();
  void now(reviews);
  await tick();
  void observer.fetchNextPage();
  await tick();
  expect(asked()).toEqual([1, 1, 2]);
  await answer();
  expect(pages()).toEqual([1, 2]);
  await answerAll();
  expect(asked()).toEqual([1, 1, 2, 1, 2]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(asked()).toEqual([1, 1, 2, 1, 2]);
  stop();
});

test('a change during the first reading is not lost', async () => {
  const { changed, answer, asked, stop } = list();
  changed(reviews);
  await tick();
  await answer();
  expect(asked()).toEqual([1, 1]);
  stop();
});

test('what nobody sees, or what is forgotten, is not read; it is when somebody opens it', async () => {
  const { client, changed, answerAll, asked, stop } = list();
  await answerAll();
  stop();
  changed(reviews);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(asked()).toEqual([1]);
  expect(client.getQueryState(['reviews', 'list'])?.isInvalidated).toBe(true);
  const read = vi.fn(() => new Promise<number>(() => undefined));
  const end = new QueryObserver(client, { queryKey: ['agents'], queryFn: read }).subscribe(() => undefined);
  changed();
  await tick();
  end();
  client.clear();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(read).toHaveBeenCalledTimes(1);
});
