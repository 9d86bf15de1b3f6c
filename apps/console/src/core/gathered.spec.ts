import { expect, test } from 'vitest';
import { gathered } from './gathered.js';

test('one question is under way at a time, and those who ask meanwhile are in the next one', async () => {
  const asked: (readonly string[])[] = [];
  let underWay = 0;
  const lookUp = gathered(async (keys) => {
    expect(++underWay).toBe(1);
    asked.push(keys);
    await new Promise((resolve) => setTimeout(resolve, 5));
    underWay--;
    return new Map(keys.filter((key) => key !== 'none').map((key) => [key, key.toUpperCase()]));
  });
  const first = lookUp('a');
  await new Promise((resolve) => setTimeout(resolve, 1));
  const others = [lookUp('b'), lookUp('none'), lookUp('b')];
  expect([await first, ...(await Promise.all(others))]).toEqual(['A', 'B', undefined, 'B']);
  expect(asked).toEqual([['a'], ['b', 'none']]);
});

test('a question that fails is told to those who asked it, and to nobody after them', async () => {
  let fails = true;
  const lookUp = gathered(async (keys) => {
    if (fails) throw new Error('away');
    return new Map(keys.map((key) => [key, key]));
  });
  await expect(lookUp('a')).rejects.toThrow('away');
  fails = false;
  expect(await lookUp('a')).toBe('a');
});
