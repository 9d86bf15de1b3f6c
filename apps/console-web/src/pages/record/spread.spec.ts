import { expect, test } from 'vitest';
import { spread, twinsIn } from './spread.js';

test('a long list is spread evenly, with its first and its last', () => {
  const list = Array.from({ length: 101 }, (_, n) => n);
  expect(spread(list, 5)).toEqual([0, 25, 50, 75, 100]);
  expect(spread([1, 2], 5)).toEqual([1, 2]);
});

test('two roots of one size are noticed; one checkpoint that came twice is not', () => {
  expect(
    twinsIn([
      { size: 7, root: 'a' },
      { size: 7, root: 'a' },
      { size: 9, root: 'a' },
      { size: 9, root: 'b' },
    ]),
  ).toEqual([9]);
});
