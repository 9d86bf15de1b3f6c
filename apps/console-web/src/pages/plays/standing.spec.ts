import { expect, test } from 'vitest';
import { dotsOf, standingWords } from './standing.js';

test.each([
  [{ here: 0, waits: 0, late: 0 }, 'No run is here now.'],
  [{ here: 1, waits: 0, late: 0 }, '1 run is here now.'],
  [{ here: 1, waits: 1, late: 0 }, '1 run is here now: 1 waits for a person.'],
  [{ here: 3, waits: 0, late: 1 }, '3 runs are here now: 1 past its time.'],
  [{ here: 5, waits: 2, late: 2 }, '5 runs are here now: 2 wait for a person, 2 past their time.'],
])('%o are told as %s', (standing, words) => {
  expect(standingWords(standing)).toBe(words);
});

test('each run is one dot, the urgent ones first, and very many are no row without an end', () => {
  expect(dotsOf({ here: 4, waits: 1, late: 2 })).toEqual(['late', 'late', 'waits', 'here']);
  expect(dotsOf({ here: 1, waits: 1, late: 1 })).toEqual(['late']);
  expect(dotsOf({ here: 0, waits: 0, late: 0 })).toEqual([]);
  expect(dotsOf({ here: 5_000, waits: 0, late: 0 })).toHaveLength(12);
});
