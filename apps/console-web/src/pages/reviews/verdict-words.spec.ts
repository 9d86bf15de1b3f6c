import { expect, test } from 'vitest';
import { effectOf, titleAgainst, underButtons } from './verdict-words.js';

const policy = { version: 1, digest: null };

test('an answer that the rules refuse is final', () => {
  const judged = { outcome: 'refused' as const, policy };
  expect(effectOf(judged)).toBe('refused');
  expect(titleAgainst(judged)).toBe('If you approve it now, it is refused and cannot be approved later');
  expect(underButtons(judged)).toEqual([
    'The rules would refuse it',
    'If you approve it, it cannot be approved later.',
  ]);
});

test('an answer that would be set aside has no effect: others can still answer, so nothing is called final', () => {
  const judged = { outcome: 'refused' as const, policy: null };
  expect(effectOf(judged)).toBe('none');
  const words = [titleAgainst(judged), ...underButtons(judged)].join(' ');
  expect(titleAgainst(judged)).toBe('Your answer would have no effect');
  expect(words).not.toMatch(/refuse|later/);
});

test('an answer that the rules let through is judged once more', () => {
  const judged = { outcome: 'approved' as const, policy };
  expect(effectOf(judged)).toBe('approved');
  expect(titleAgainst(judged)).toBeUndefined();
  expect(underButtons(judged)[0]).toBe('The rules would let it through');
});
