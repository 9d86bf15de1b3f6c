import { expect, test } from 'vitest';
import { firstOf, remembered } from './texts.js';

test('a list is read only as far as it is asked for, and once', () => {
  const read: number[] = [];
  const list = remembered(
    (function* () {
      for (const n of [1, 2, 3]) {
        read.push(n);
        yield n;
      }
    })(),
  );
  expect(firstOf(list, 2)).toEqual([1, 2]);
  expect([...list]).toEqual([1, 2, 3]);
  expect(read).toEqual([1, 2, 3]);
});

test('a list that failed once fails again: what was not read is not left out', () => {
  const list = remembered(
    (function* () {
      yield 1;
      throw new Error('it cannot be read');
    })(),
  );
  for (const _again of [1, 2]) expect(() => [...list]).toThrow('it cannot be read');
});
