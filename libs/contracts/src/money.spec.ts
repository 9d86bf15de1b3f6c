import fc from 'fast-check';
import { expect, test } from 'vitest';
import { currencyCodes, currencyDigits, currencyFault, money, moneyOf } from './money.js';

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

test('the decimals are those of list one of ISO 4217, also where Intl has others', () => {
  const digits = (codes: string) => codes.split(' ').map((code) => [code, currencyDigits(code)]);
  expect(digits('ALL COP HUF IDR PKR')).toEqual(digits('ALL COP HUF IDR PKR').map(([code]) => [code, 2]));
  expect(digits('JPY KRW ISK VND')).toEqual(digits('JPY KRW ISK VND').map(([code]) => [code, 0]));
  expect(digits('BHD IQD KWD TND')).toEqual(digits('BHD IQD KWD TND').map(([code]) => [code, 3]));
  expect(digits('CLF UYW')).toEqual(digits('CLF UYW').map(([code]) => [code, 4]));
  // The rows of list one with "N.A." are units of account, metals and codes for tests. Nobody pays with them.
  for (const code of ['XXX', 'XTS', 'XAU', 'XDR']) expect(currencyFault(code)).toBe(`ISO 4217 has no currency ${code}`);
  expect(new Set(currencyCodes).size).toBe(currencyCodes.length);
});

test('what `money` writes is read as the same amount', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), fc.constantFrom(...currencyCodes, 'QQQ'), (minor, currency) => {
      expect(moneyOf(money(minor, currency))).toEqual({ minor: minor === 0 ? 0 : minor, currency });
    }),
  );
});

test.each([
  ['EUR 1000000.00', { minor: 100_000_000, currency: 'EUR' }],
  ['KWD 0.005', { minor: 5, currency: 'KWD' }],
  ['QQQ 20 minor units', { minor: 20, currency: 'QQQ' }],
])('%s is read', (text, amount) => {
  expect(moneyOf(text)).toEqual(amount);
});

test.each([
  'EUR 20',
  'EUR 20.0',
  'EUR 20.000',
  'KWD 20.00',
  'JPY 20.00',
  'QQQ 20.00',
  'QQQ 20',
  'EUR 2000 minor units',
  'EUR 1,00.00',
  'EUR 1e3.00',
  'EUR 90,071,992,547,409.92',
  'eur 20.00',
  '20.00',
  '',
])('%j is not read', (text) => {
  expect(moneyOf(text)).toBeUndefined();
});
