import { afterEach, expect, test, vi } from 'vitest';
import { ApiProblem } from './api-problem.js';
import { forgetPerson, signOut } from './leave.js';
import { storeWayBack, takeWayBack } from './way-back.js';

afterEach(() => void vi.unstubAllGlobals());

test('who signs out is forgotten, also where the session was over before', async () => {
  for (const end of [
    () => Promise.resolve(),
    () => Promise.reject(new ApiProblem(401, 'Session ended', 'sign in again')),
  ]) {
    const forget = vi.fn<() => void>();
    await signOut(end, forget);
    expect(forget).toHaveBeenCalledOnce();
  }
});

test('nobody is where the console did not end the session: it would go on', async () => {
  const forget = vi.fn<() => void>();
  for (const status of [0, 403, 500, 503]) {
    const refused = new ApiProblem(status, 'Not done', 'try again');
    await expect(signOut(() => Promise.reject(refused), forget)).rejects.toBe(refused);
  }
  expect(forget).not.toHaveBeenCalled();
});

test('with a person a tab forgets what was begun and where they wanted to go', () => {
  const items = new Map([['colour', 'dark']]);
  const sessionStorage = {
    get length() {
      return items.size;
    },
    key: (n: number) => [...items.keys()][n] ?? null,
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  };
  vi.stubGlobal('window', { sessionStorage });
  items.set('draft:1', '{"mode":"edit"}');
  storeWayBack('/reviews/1');
  forgetPerson();
  expect(takeWayBack()).toBeUndefined();
  expect([...items.keys()]).toEqual(['colour']);
});
