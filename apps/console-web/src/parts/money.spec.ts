import { expect, test } from 'vitest';
import { minorOf, money } from './money.js';

test.each([
  [30_000, 'EUR', 'EUR 300.00'],
  [1, 'USD', 'USD 0.01'],
  [123_456_789, 'EUR', 'EUR 1,234,567.89'],
  [-500, 'EUR', 'EUR -5.00'],
  [500, 'JPY', 'JPY 500'],
  [1_234, 'KWD', 'KWD 1.234'],
])('%d minor units of %s are %s', (amount, currency, words) => {
  expect(money(amount, currency, 'en')).toBe(words);
});

test.each([
  ['300', 'EUR', 30_000],
  ['300.5', 'EUR', 30_050],
  ['300,05', 'EUR', 30_005],
  [' 0.29 ', 'EUR', 29],
  ['1.005', 'EUR', undefined],
  ['1.005', 'KWD', 1_005],
  ['12', 'JPY', 12],
  ['1.5', 'JPY', undefined],
  ['-3', 'EUR', undefined],
  ['', 'EUR', undefined],
  ['3e5', 'EUR', undefined],
  ['1,300.00', 'EUR', undefined],
])('%j of %s is %s minor units, exactly', (typed, currency, amount) => {
  expect(minorOf(typed, currency)).toBe(amount);
});
