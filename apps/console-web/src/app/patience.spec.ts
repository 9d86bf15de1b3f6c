import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { patiently } from './patience.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const patience = { wordMs: 4_000, wholeMs: 3_600_000 };

/** A console that begins its answer when the test says so. */
function asked(lost?: AbortSignal) {
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  let signal = new AbortController().signal;
  const answer = patiently(
    (given) => {
      signal = given;
      given.addEventListener('abort', () => reject(given.reason));
      return promise;
    },
    patience,
    lost,
  );
  return { answer, signal, begin: () => resolve(new Response('the beginning')) };
}

test('a request that nobody answers is given up soon', async () => {
  const { answer } = asked();
  const refused = expect(answer).rejects.toMatchObject({ name: 'TimeoutError' });
  await vi.advanceTimersByTimeAsync(4_000);
  await refused;
});

test('one whose answer has begun is not: a large answer on a slow line comes whole', async () => {
  const { answer, signal, begin } = asked();
  await vi.advanceTimersByTimeAsync(3_000);
  begin();
  await answer;
  await vi.advanceTimersByTimeAsync(15_000);
  expect(signal.aborted).toBe(false);
});

test('one on a line that is lost is given up at once, also in the middle of its answer', async () => {
  const line = new AbortController();
  const { answer, signal, begin } = asked(line.signal);
  begin();
  await answer;
  line.abort();
  expect(signal.aborted).toBe(true);
});
