import * as fs from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readConfig } from './config.js';
import { problemLine } from './config-file.js';
import { readFolder } from './config-folder.js';
import { policyDigests } from './policy.js';

const shipped = readFolder(join(import.meta.dirname, '../../../deploy/config'), fs);
const text = 'day: 2026-11-20\nmaxAgeDays: 7\nbase: EUR\nperBase:\n  USD: 1.0832\n  JPY: 162.5\n';
const others = shipped.filter(({ path }) => path !== 'rates.yaml');
const withRates = (rates: string) => readConfig([...others, { path: 'rates.yaml', text: rates }]);
const linesOf = (rates: string): string[] => {
  const read = withRates(rates);
  return read.ok ? [] : read.problems.map(problemLine);
};

test('exchange rates are a part of the policy with a digest of their own, and need not be there', () => {
  const [without, given] = [readConfig(shipped), withRates(text)];
  if (!without.ok || !given.ok) throw new Error(linesOf(text).join('\n'));
  expect(without.content).not.toHaveProperty('rates');
  expect(given.content.rates).toEqual({
    ...{ day: '2026-11-20', maxAgeDays: 7, base: 'EUR' },
    perBase: { USD: 1.0832, JPY: 162.5 },
  });
  const { rates, ...unchanged } = policyDigests(given.content).parts;
  expect(rates).toMatch(/^[0-9a-f]{64}$/);
  // A policy without them has the digest that it always had.
  expect(unchanged).toEqual(policyDigests(without.content).parts);
});

test.each([
  ['USD: 1.0832', 'USD: soon', 'rates.yaml:5 perBase.USD: Invalid input: expected number, received string'],
  [
    'USD: 1.0832',
    'USD: "1.0832"',
    'rates.yaml:5 perBase.USD: Invalid input: expected number, received string; write 1.0832 without quotes',
  ],
  ['USD: 1.0832', 'USD: 0', 'rates.yaml:5 perBase.USD: Too small'],
  ['USD: 1.0832', 'USD: -1', 'rates.yaml:5 perBase.USD: Too small'],
  ['USD: 1.0832', 'USD: .inf', 'rates.yaml:5 perBase.USD: '],
  ['USD: 1.0832', 'USD: 1.08321234567', 'rates.yaml:5 perBase.USD: at most 9 decimals'],
  ['USD: 1.0832', 'USB: 1.0832', 'rates.yaml:5 perBase.USB: ISO 4217 has no currency USB; did you mean "'],
  ['USD: 1.0832', 'usd: 1.0832', 'rates.yaml:5 perBase.usd: '],
  ['USD: 1.0832', 'EUR: 1.2', 'rates.yaml:5 perBase.EUR: one EUR is 1 EUR; leave it out'],
  ['base: EUR', 'base: EUU', 'rates.yaml:3 base: ISO 4217 has no currency EUU; did you mean "'],
  ['day: 2026-11-20', 'day: 20.11.2026', 'rates.yaml:1 day: Invalid ISO date'],
  ['day: 2026-11-20', 'day: 2026-02-30', 'rates.yaml:1 day: Invalid ISO date'],
  ['maxAgeDays: 7', 'maxAgeDays: 0', 'rates.yaml:2 maxAgeDays: Too small'],
  ['maxAgeDays: 7', 'maxAge: 7', 'rates.yaml:2 maxAge: is not a setting that exists'],
  ['perBase:\n  USD: 1.0832\n  JPY: 162.5', 'perBase: {}', 'rates.yaml:4 perBase: one rate at least is expected'],
  ['maxAgeDays: 7\n', '', 'rates.yaml:1 maxAgeDays: '],
])('%j as %j is refused with its place', (from, to, expected) => {
  const lines = linesOf(text.replace(from, to));
  expect(
    lines.some((line) => line.startsWith(expected)),
    lines.join('\n'),
  ).toBe(true);
});

test('the shipped file sets nothing, and is right as soon as its settings are no comments any more', () => {
  const file = shipped.find(({ path }) => path === 'rates.yaml');
  if (!file || !('text' in file)) throw new Error('rates.yaml is not there');
  const read = readConfig(shipped);
  expect(read.ok && read.content).not.toHaveProperty('rates');
  const used = withRates(file.text.replaceAll(/^# (?=(?: {2})?[a-zA-Z]+:)/gm, ''));
  expect(used.ok ? used.content.rates : used.problems.map(problemLine)).toMatchObject({
    base: 'EUR',
    perBase: { USD: expect.any(Number), JPY: expect.any(Number) },
  });
});

test('a file that is nearly called rates.yaml is asked about', () => {
  const read = readConfig([...others, { path: 'rate.yaml', text }]);
  expect(read.ok ? [] : read.problems.map(problemLine)).toEqual(['rate.yaml: is not read: did you mean "rates.yaml"?']);
});

test('limits that can never be reached are noted', () => {
  const files = shipped.map((file) =>
    file.path === 'charters/paid-media-agent.yaml' && 'text' in file
      ? {
          ...file,
          text: file.text.replace(
            '  sendsPerHour',
            `  campaignSpendPerMonthMinor: 40000
  adAccountSpendPerMonthMinor: 9000000
  approvalAboveAdAccountTotalPerDayMinor: 400000
  sendsPerHour`,
          ),
        }
      : file,
  );
  const read = readConfig(files);
  expect(read.ok ? read.notes.map(({ field, detail }) => `${field} ${detail}`) : read.problems).toEqual([
    'limits.campaignSpendPerDayMinor can never be reached: the cap of the month is lower',
    'limits.approvalAboveAdAccountTotalPerDayMinor can never be reached: the cap of the ad account is lower',
  ]);
});
