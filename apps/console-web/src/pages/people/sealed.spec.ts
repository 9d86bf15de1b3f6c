import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ApiProblem } from '../../app/api-problem.js';
import { sealedAnswer } from './sealed.js';

beforeEach(() => void vi.useFakeTimers({ now: Date.UTC(2026, 10, 21, 10) }));
afterEach(() => void vi.useRealTimers());

const expiresAt = '2026-11-21T10:02:00.000Z';
const shown = (state: 'waiting' | 'sealed' | 'refused' | 'unanswered', jwe: string | null = null) => ({
  state,
  reason: null,
  jwe,
});
const away = (status: number) => () => Promise.reject(new ApiProblem(status, 'Not reachable', 'no answer'));

test('an answer is waited for over a lost line and a console that is away', async () => {
  const show = vi.fn(async () => shown('sealed', 'a jwe'));
  for (const status of [0, 502, 503, 504]) show.mockImplementationOnce(away(status));
  show.mockImplementationOnce(async () => shown('waiting'));
  const answer = sealedAnswer(show, expiresAt, new AbortController().signal);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await answer).toBe('a jwe');
  expect(show).toHaveBeenCalledTimes(6);
});

test('not longer than it is kept', async () => {
  const show = vi.fn(away(0));
  const answer = sealedAnswer(show, expiresAt, new AbortController().signal);
  const refused = expect(answer).rejects.toMatchObject({ title: 'Not reachable' });
  await vi.advanceTimersByTimeAsync(119_000);
  expect(show).toHaveBeenCalledTimes(120);
  await vi.advanceTimersByTimeAsync(1_000);
  await refused;
});

test.each([
  [() => Promise.resolve(shown('refused')), 'Nothing was revealed'],
  [() => Promise.resolve(shown('unanswered')), 'No answer came'],
  [() => Promise.resolve(shown('sealed')), 'The answer is gone'],
  [away(401), 'Not reachable'],
  [away(404), 'Not reachable'],
])('what ends it is told at once', async (show, title) => {
  const asked = vi.fn(show);
  await expect(sealedAnswer(asked, expiresAt, new AbortController().signal)).rejects.toMatchObject({ title });
  expect(asked).toHaveBeenCalledOnce();
});

test('nor after its asker has left', async () => {
  const leaving = new AbortController();
  const show = vi.fn(async () => shown('waiting'));
  const refused = expect(sealedAnswer(show, expiresAt, leaving.signal)).rejects.toThrow();
  await vi.advanceTimersByTimeAsync(1_000);
  leaving.abort();
  await vi.advanceTimersByTimeAsync(1_000);
  await refused;
  expect(show).toHaveBeenCalledTimes(4);
});
