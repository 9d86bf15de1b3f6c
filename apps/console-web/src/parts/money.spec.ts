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

interface Contracts {
  readonly currencyCodes: readonly string[];
  readonly currencyDigits: (currency: string) => number | undefined;
}

test('every currency has as many digits as the services give it', async () => {
  // The pages may not depend on it; their test may ask it.
  const { currencyCodes, currencyDigits } = (await import('@countersign/contracts' as string)) as Contracts;
  expect(currencyCodes.length).toBeGreaterThan(150);
  for (const code of currencyCodes) {
    const digits = currencyDigits(code) ?? Number.NaN;
    expect([code, minorOf('1', code)]).toEqual([code, 10 ** digits]);
    expect(money(10 ** digits, code, 'en')).toBe(`${code} ${(1).toFixed(digits)}`);
  }
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
