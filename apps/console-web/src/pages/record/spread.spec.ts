import { expect, test } from 'vitest';
import { comparedWith, spread, twinsIn } from './spread.js';

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

test('a check compares with each checkpoint once, and knows how old the oldest is', () => {
  const [old, middle, young] = ['2026-11-01', '2026-11-12', '2026-11-21'].map((at) => ({ note: `of ${at}`, at }));
  const all = [young, middle, old, young] as { note: string; at: string }[];
  expect(comparedWith(all)).toEqual({
    notes: ['of 2026-11-21', 'of 2026-11-12', 'of 2026-11-01'],
    oldest: '2026-11-01',
  });
  expect(comparedWith([])).toEqual({ notes: [], oldest: undefined });
});
