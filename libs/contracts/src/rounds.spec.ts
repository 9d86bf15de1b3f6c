import { expect, test } from 'vitest';
import { roundsBy } from './rounds.js';

test('each round has a key once, and of one key the rounds have its rows in their order', () => {
  const rows = ['b1', 'a1', 'b2', 'c1', 'b3', 'a2'];
  expect(roundsBy(rows, (row) => row.slice(0, 1))).toEqual([['b1', 'a1', 'c1'], ['b2', 'a2'], ['b3']]);
  expect(roundsBy([], String)).toEqual([]);
});
