import { expect, test } from 'vitest';
import { address, countryCode, currencyCode, instant, millionths, minorUnits, seniorityOf } from './values.js';

test.each([
  ['2020-12-30 3:15:52', '2020-12-30T03:15:52.000Z'],
  ['2020-03-16 19:03:20.357', '2020-03-16T19:03:20.357Z'],
  ['2021-06-29T17:19:05.102', '2021-06-29T17:19:05.102Z'],
  ['2023-11-02T11:00:00+02:00', '2023-11-02T09:00:00.000Z'],
  ['2023-11-02 11:00:00+00', '2023-11-02T11:00:00.000Z'],
  ['2023-11-02 11:00:00 UTC', '2023-11-02T11:00:00.000Z'],
  ['2021-02-01', '2021-02-01T00:00:00.000Z'],
  ['1577836800000', '2020-01-01T00:00:00.000Z'],
  ['yesterday', undefined],
  ['2021-13-01', undefined],
  ['2021-02-30', undefined],
  ['2021-02-01 25:00:00', undefined],
  ['20210201120000', undefined],
])('a time written as %s is %s', (text, expected) => {
  expect(instant(text)).toBe(expected);
});

test('decimals are summed exactly and rounded once, half away from zero', () => {
  const sum = ['0.1', '0.2', '50.005', '0.7'].map((d) => millionths(d) ?? 0n).reduce((a, b) => a + b, 0n);
  expect(sum).toBe(51_005_000n);
  expect(minorUnits(sum, 'USD')).toBe(5101);
  expect(minorUnits(-sum, 'USD')).toBe(-5101);
  expect(minorUnits(5_004_999n, 'EUR')).toBe(500);
  expect(millionths('1e3')).toBeUndefined();
  expect([millionths('9'.repeat(13)), millionths('0009')]).toEqual([9_999_999_999_999_000_000n, 9_000_000n]);
  for (const digits of [14, 400, 100_000]) expect(millionths('9'.repeat(digits))).toBeUndefined();
});

test.each([
  ['JPY', 2],
  ['HUF', 150],
  ['COP', 150],
  ['KWD', 1_500],
  ['CLF', 15_000],
])('1.5 %s are %i minor units', (currency, minor) => {
  expect(minorUnits(1_500_000n, currency)).toBe(minor);
});

test('a code that ISO 4217 does not have is no currency', () => {
  expect(['eur', 'HUF', 'QQQ', 'constructor', '', undefined].map(currencyCode)).toEqual(['EUR', 'HUF', ...Array(4)]);
  expect(() => minorUnits(1n, 'QQQ')).toThrow('QQQ is no currency of ISO 4217');
});

test('a country is known by its English name or its code', () => {
  expect(['United States', 'united kingdom', 'DE', 'Atlantis'].map(countryCode)).toEqual(['US', 'GB', 'DE', undefined]);
});

test.each([
  ['CFO', 'c-suite'],
  ['Chief Revenue Officer', 'c-suite'],
  ['Vice President, Sales', 'vp'],
  ['SVP Marketing', 'vp'],
  ['Head of Growth', 'director'],
  ['Product Manager', 'manager'],
  ['Cook', undefined],
])('%s is of seniority %s', (title, expected) => {
  expect(seniorityOf(title)).toBe(expected);
});

test.each(['anna@firma.xn--p1ai', 'straße@firma.рф', "o'hara+x@firma.example", '"a b"@firma.example'])(
  '%s is an address',
  (written) => {
    expect(address(written)).toBe(written);
    expect(address('5d41402abc4b2a76b9719d911017c592')).toBeUndefined();
  },
);
