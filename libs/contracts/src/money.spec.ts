import { expect, test } from 'vitest';
import { currencyDigits, money } from './money.js';

test.each([
  [2_000, 'USD', 'USD 20.00'],
  [5, 'EUR', 'EUR 0.05'],
  [0, 'EUR', 'EUR 0.00'],
  [-5, 'EUR', 'EUR -0.05'],
  [-12_345, 'EUR', 'EUR -123.45'],
  [2_000, 'JPY', 'JPY 2,000'],
  [1_250, 'KWD', 'KWD 1.250'],
  [7, 'CLF', 'CLF 0.0007'],
  [250_000, 'HUF', 'HUF 2,500.00'],
  [250_000, 'COP', 'COP 2,500.00'],
  [Number.MAX_SAFE_INTEGER, 'EUR', 'EUR 90,071,992,547,409.91'],
  [Number.MIN_SAFE_INTEGER, 'BHD', 'BHD -9,007,199,254,740.991'],
])('%i of %s is %s', (minor, currency, detail) => {
  expect(money(minor, currency)).toBe(detail);
});

test('of a code that ISO 4217 does not have the decimals are not guessed', () => {
  expect(currencyDigits('QQQ')).toBeUndefined();
  expect(money(2_000, 'QQQ')).toBe('QQQ 2,000 minor units');
  for (const name of ['constructor', '__proto__', 'eur', '']) expect(currencyDigits(name)).toBeUndefined();
});
