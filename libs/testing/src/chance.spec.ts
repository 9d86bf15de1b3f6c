import { expect, test } from 'vitest';
import { chance } from './chance.js';

const throws = (seed: number): number[] => {
  const dice = chance(seed);
  return Array.from({ length: 100 }, () => dice.below(6));
};

test('the same seed gives the same choices, and another seed gives others', () => {
  expect(throws(7)).toEqual(throws(7));
  expect(throws(7)).not.toEqual(throws(8));
  expect(new Set(throws(7))).toEqual(new Set([0, 1, 2, 3, 4, 5]));
});

test('what is shuffled stays complete, and what is picked is one of it', () => {
  const dice = chance(7);
  const things = ['a', 'b', 'c', 'd', 'e'];
  const shuffled = dice.shuffled(things);
  expect([...shuffled].sort()).toEqual(things);
  expect(things).toContain(dice.pick(things));
});
