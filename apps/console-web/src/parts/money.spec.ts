import { expect, test } from 'vitest';
import { amountOf, money } from './money.js';

test.each([
  [30_000, 'EUR', 'EUR 300.00'],
  [1, 'USD', 'USD 0.01'],
  [123_456_789, 'EUR', 'EUR 1,234,567.89'],
  [-500, 'EUR', 'EUR -5.00'],
  [500, 'JPY', 'JPY 500'],
  [1_234, 'KWD', 'KWD 1.234'],
  [Number.MAX_SAFE_INTEGER, 'EUR', 'EUR 90,071,992,547,409.91'],
  [-7, 'CLF', 'CLF -0.0007'],
  [2_000, 'QQQ', 'QQQ 2,000 minor units'],
  [5, 'constructor', 'constructor 5 minor units'],
])('%d minor units of %s are %s', (amount, currency, words) => {
  expect(money(amount, currency)).toBe(words);
});

interface Contracts {
  readonly currencyCodes: readonly string[];
  readonly currencyDigits: (currency: string) => number | undefined;
  readonly money: (minor: number, currency: string) => string;
}

test('every currency has as many digits as the services give it, and every amount is written as they write it', async () => {
  // The pages may not depend on it; their test may ask it.
  const { currencyCodes, currencyDigits, ...services } = (await import(
    '@countersign/contracts' as string
  )) as Contracts;
  expect(currencyCodes.length).toBeGreaterThan(150);
  for (const code of currencyCodes) {
    const digits = currencyDigits(code) ?? Number.NaN;
    expect([code, amountOf('1', code)]).toEqual([code, { minor: 10 ** digits }]);
    expect(money(10 ** digits, code)).toBe(`${code} ${(1).toFixed(digits)}`);
  }
  for (const code of [...currencyCodes, 'QQQ'])
    for (const minor of [0, 5, -5, 123_456_789, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER])
      expect(money(minor, code)).toBe(services.money(minor, code));
});

test.each([
  ['300', 'EUR', 30_000],
  ['300.5', 'EUR', 30_050],
  ['300,05', 'EUR', 30_005],
  [' 0.29 ', 'EUR', 29],
  ['1.005', 'KWD', 1_005],
  ['1,05', 'KWD', 1_050],
  ['0,300', 'KWD', 300],
  ['12', 'JPY', 12],
  ['1,300', 'EUR', 130_000],
  ['1,300', 'JPY', 1_300],
  ['1,300.00', 'EUR', 130_000],
  ['1,300.500', 'KWD', 1_300_500],
  ['1,234,567', 'KWD', 1_234_567_000],
])('%j of %s is %s minor units, exactly', (typed, currency, minor) => {
  expect(amountOf(typed, currency)).toEqual({ minor });
});

test.each([
  ['1.005', 'EUR', 'Write at most 2 digits after the point.'],
  ['1,3005', 'EUR', 'Write at most 2 digits after the point.'],
  ['1.5', 'JPY', 'Write a whole number.'],
  ['1,300', 'KWD', 'Write 1300 or 1.300: “1,300” can mean both.'],
  ['999,999', 'CLF', 'Write 999999 or 999.999: “999,999” can mean both.'],
  ['-3', 'EUR', 'Write an amount such as 300, 300.50 or 1,300.50.'],
  ['', 'EUR', 'Write an amount such as 300, 300.50 or 1,300.50.'],
  ['3e5', 'EUR', 'Write an amount such as 300, 300.50 or 1,300.50.'],
  ['1.300,50', 'EUR', 'Write an amount such as 300, 300.50 or 1,300.50.'],
  ['1,30,000', 'EUR', 'Write an amount such as 300, 300.50 or 1,300.50.'],
  ['1,300,00', 'EUR', 'Write an amount such as 300, 300.50 or 1,300.50.'],
  ['9999999999999', 'CLF', 'Write a smaller amount.'],
  ['5', 'QQQ', 'Write the currency first: a code of ISO 4217, such as EUR.'],
])('%j of %s is refused: %s', (typed, currency, fault) => {
  expect(amountOf(typed, currency)).toEqual({ fault });
});
