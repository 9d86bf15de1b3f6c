import { currencyDigits } from '@countersign/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  comparable,
  exchanged,
  moneyLedger,
  partsOf,
  type RatesFact,
  ratesFact,
  ratesFault,
  totalIn,
  withHeld,
} from './rates.js';

const at = '2026-11-21T10:00:00.000Z';
const rates: RatesFact = {
  day: '2026-11-20',
  maxAgeDays: 7,
  base: 'EUR',
  perBase: { USD: 1.25, JPY: 160, KWD: 0.33, HUF: 400, CLF: 0.025 },
};

describe('an amount in another currency', () => {
  test.each([
    [12_500, 'USD', 'EUR', 10_000],
    [10_000, 'EUR', 'USD', 12_500],
    [1, 'USD', 'EUR', 1],
    [160, 'JPY', 'EUR', 100],
    [100, 'EUR', 'JPY', 160],
    [330, 'KWD', 'EUR', 100],
    [40_000, 'HUF', 'EUR', 100],
    [250, 'CLF', 'EUR', 100],
    [160, 'JPY', 'KWD', 330],
    [0, 'USD', 'EUR', 0],
    [Number.MAX_SAFE_INTEGER, 'EUR', 'HUF', Number.MAX_SAFE_INTEGER],
  ])('%i of %s is as much in %s, by the decimals of each', (minor, from, to, expected) => {
    expect(exchanged(minor, from, to, rates)).toBe(expected);
  });

  test('is exact: it never looks smaller than it is, nor larger by a whole minor unit', () => {
    const currencies = fc.constantFrom('EUR', ...Object.keys(rates.perBase));
    fc.assert(
      fc.property(fc.nat({ max: 1e12 }), currencies, currencies, (minor, from, to) => {
        const rate = (code: string) => BigInt(Math.round((rates.perBase[code] ?? 1) * 1_000));
        const scale = (code: string) => 10n ** BigInt(currencyDigits(code) ?? 0);
        const [value, unit] = [BigInt(minor) * rate(to) * scale(to), rate(from) * scale(from)];
        const found = BigInt(exchanged(minor, from, to, rates));
        if (found === BigInt(Number.MAX_SAFE_INTEGER)) return;
        expect(found * unit >= value && (found - 1n) * unit < value).toBe(true);
      }),
    );
  });

  test('is compared only if it can be', () => {
    const by = (to: string, given: RatesFact | undefined = rates) => ({ rates: given, to, at });
    expect(comparable(12_500, 'USD', by('EUR'))).toEqual({ minor: 10_000, text: 'USD 125.00 (EUR 100.00)' });
    expect(comparable(100, 'EUR', { to: 'EUR', at })).toEqual({ minor: 100, text: 'EUR 1.00' });
    expect(comparable(100, 'USD', { to: 'EUR', at })).toBeUndefined();
    expect(comparable(100, 'GBP', by('EUR'))).toBeUndefined();
    expect(comparable(100, 'EUR', by('GBP'))).toBeUndefined();
    expect(comparable(100, 'USD', by('EUR', { ...rates, day: '2026-11-01' }))).toBeUndefined();
  });
});

describe('rates are not used', () => {
  const fault = (day: string, from = 'USD', to = 'EUR') => ratesFault({ ...rates, day }, from, to, at);

  test('when they are older than they may be', () => {
    expect(fault('2026-11-14')).toBeUndefined();
    expect(fault('2026-11-13')).toBe('the exchange rates of 2026-11-13 are 8 days old, and at most 7 are allowed');
  });

  test('when their day has not come, except where it has begun in the east', () => {
    expect(fault('2026-11-22')).toBeUndefined();
    expect(fault('2026-11-23')).toBe('the exchange rates are of 2026-11-23, a day that has not come');
    expect(fault('nonsense')).toBe('the exchange rates are of nonsense, a day that has not come');
  });

  test('when they lack one of the currencies, or ISO 4217 does', () => {
    expect(fault('2026-11-20', 'GBP')).toBe('the exchange rates of 2026-11-20 do not have GBP');
    expect(fault('2026-11-20', 'USD', 'constructor')).toBe('the exchange rates of 2026-11-20 do not have constructor');
    const odd = { ...rates, perBase: { QQQ: 2, USD: 0 } };
    expect(ratesFault(odd, 'QQQ', 'EUR', at)).toContain('do not have QQQ');
    expect(ratesFault(odd, 'USD', 'EUR', at)).toContain('do not have USD');
    expect(() => exchanged(1, 'QQQ', 'EUR', odd)).toThrow('no exchange rate from QQQ to EUR');
  });
});

test('a verdict has the rates of its own currencies as a fact, and none where there is one currency', () => {
  expect(ratesFact(rates, 'EUR', ['EUR', null, undefined])).toBeUndefined();
  expect(ratesFact(undefined, 'EUR', ['USD'])).toBeUndefined();
  expect(ratesFact(rates, 'EUR', ['USD', 'GBP', 'USD'])).toEqual({ ...rates, perBase: { USD: 1.25 } });
  expect(ratesFact(rates, 'JPY', ['KWD'])).toEqual({ ...rates, perBase: { JPY: 160, KWD: 0.33 } });
});

describe('a ledger of several currencies', () => {
  const parts = [
    { currency: 'USD', held: 1_250, committed: 0 },
    { currency: 'EUR', held: 100, committed: 200 },
  ];

  test('has its currencies in order, and one that has a single currency is as it always was', () => {
    expect(moneyLedger([])).toEqual({ held: 0, committed: 0, currency: null });
    expect(moneyLedger(parts.slice(1))).toEqual(parts[1]);
    expect(moneyLedger(parts)).toEqual({ ...parts[1], others: [parts[0]] });
    expect(partsOf(moneyLedger(parts))).toEqual([parts[1], parts[0]]);
  });

  test('holds what is added to it in its own currency', () => {
    const single = withHeld(moneyLedger([]), 500, 'USD');
    expect(single).toEqual({ currency: 'USD', held: 500, committed: 0 });
    expect(withHeld(withHeld(single, 100, 'EUR'), 250, 'USD')).toEqual({
      ...{ currency: 'EUR', held: 100, committed: 0 },
      others: [{ currency: 'USD', held: 750, committed: 0 }],
    });
  });

  test('holds no more than can be held exactly, also where no cap of this charter bounds it', () => {
    const full = { currency: 'EUR', held: Number.MAX_SAFE_INTEGER - 1, committed: 0 };
    expect(withHeld(moneyLedger([full]), 5, 'EUR').held).toBe(Number.MAX_SAFE_INTEGER);
  });

  test('is counted in the currency of the limit, or says which currency cannot be', () => {
    expect(totalIn(moneyLedger(parts), { rates, to: 'EUR', at })).toEqual({ held: 1_100, committed: 200 });
    expect(totalIn(moneyLedger(parts), { to: 'EUR', at })).toEqual({ foreign: 'USD' });
    expect(totalIn(moneyLedger([]), { to: 'EUR', at })).toEqual({ held: 0, committed: 0 });
    const all = { currency: 'USD', held: Number.MAX_SAFE_INTEGER, committed: Number.MAX_SAFE_INTEGER };
    expect(totalIn(moneyLedger([all, { ...all, currency: 'EUR' }]), { rates, to: 'EUR', at })).toEqual({
      held: Number.MAX_SAFE_INTEGER,
      committed: Number.MAX_SAFE_INTEGER,
    });
  });
});
