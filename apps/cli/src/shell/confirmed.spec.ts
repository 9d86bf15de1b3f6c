import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { confirmed } from './confirmed.js';

const terminal = (answer: boolean) => ({ interactive: true, confirm: () => sleep(20, answer) });

test('a person on a terminal is asked, and the time until the answer is how long they looked', async () => {
  const looked = await confirmed(terminal(true), 'Publish this?');
  expect(looked).toEqual({ lookedMs: expect.any(Number) });
  expect((looked as { lookedMs: number }).lookedMs).toBeGreaterThanOrEqual(19);
  expect(await confirmed(terminal(false), 'Publish this?')).toBe(false);
});

test('where nobody is asked, nobody is said to have looked', async () => {
  expect(await confirmed(terminal(false), 'Publish this?', true)).toEqual({});
  expect(await confirmed({ ...terminal(false), interactive: false }, 'Publish this?')).toEqual({});
});
