import { expect, test } from 'vitest';
import { placesOf } from './placement.js';

test('each assigned partition goes on where the tables end, without an entry at its beginning; those of others are left alone', () => {
  const positions = new Map([
    ['t/1', 7],
    ['u/0', 3],
  ]);
  expect(placesOf({ t: [0, 1] }, positions)).toEqual([
    { topic: 't', partition: 0, at: 0, again: false },
    { topic: 't', partition: 1, at: 7, again: false },
  ]);
});

test('a topic that was made again goes on at its beginning, whatever the tables say of the old one', () => {
  const positions = new Map([
    ['t/0', 7],
    ['u/0', 3],
  ]);
  expect(placesOf({ t: [0], u: [0] }, positions, new Set(['t']))).toEqual([
    { topic: 't', partition: 0, at: 0, again: true },
    { topic: 'u', partition: 0, at: 3, again: false },
  ]);
});
