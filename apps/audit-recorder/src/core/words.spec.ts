import { expect, test } from 'vitest';
import { changeText, factsText } from './words.js';

test.each([
  ['a value that changed', { bidMinor: 120 }, { bidMinor: 150 }, 'bid EUR 1.50, before EUR 1.20'],
  ['a value that stayed', { status: 'active' }, { status: 'active' }, 'status active'],
  [
    'values that only one side states',
    { dailyBudgetMinor: 30_000 },
    { status: 'paused' },
    'daily budget before: EUR 300.00; status paused',
  ],
  [
    'a member that every object has a namesake of',
    {},
    { constructor: 'x', toString: 'y' },
    'constructor x; to string y',
  ],
  ['nothing', {}, {}, ''],
])('an effect says %s, and nothing that was not stated', (_, before, after, detail) => {
  expect(changeText({ ...before, currency: 'EUR' }, after)).toBe(detail);
});

test('facts are named in words, money with its currency', () => {
  expect(factsText({ spendMinor: 1_050, currency: 'EUR', contentId: 'guide-7', tags: ['a'] })).toBe(
    'spend EUR 10.50, content id guide-7, tags ["a"]',
  );
});
