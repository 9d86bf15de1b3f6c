import { AccountProfile, CampaignProfile, ContactProfile, compareStatements } from '@countersign/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { accountAfter, adAccountAfter, campaignAfter, contactAfter, type Unversioned } from './profiles.js';
import type { Signal, SignalOf } from './signal.js';
import { at, signal } from './testing.js';

const early = '2026-01-01T00:00:00.000Z';
const late = '2026-02-01T00:00:00.000Z';
const versioned = { version: 1, changedAt: late };

const account = { id: 'acme' };
const accountOf = (signals: readonly Signal[]) => {
  const profile = signals.reduce<Unversioned<AccountProfile> | null>(
    (before, s) => accountAfter(before, 'acme', s, at(s.time, s.id)),
    null,
  );
  return AccountProfile.parse({ ...profile, ...versioned });
};

const person = '7f2d6c1e-33a8-4f0e-9a53-0b8f8f1f6a11';
const contact = { ref: 'crm:1' };
const contactOf = (signals: readonly Signal[]) => {
  const profile = signals.reduce<Unversioned<ContactProfile> | null>(
    (before, s) => contactAfter(before, person, s, at(s.time, s.id)),
    null,
  );
  return ContactProfile.parse({ ...profile, ...versioned });
};

test('an older upsert that arrives late fills gaps and overwrites nothing', () => {
  const profile = accountOf([
    signal('AccountUpserted', { account, name: 'Acme Inc', tier: 1 }, { time: late, id: 'new' }),
    signal('AccountUpserted', { account, name: 'Old Acme', industry: 'steel' }, { time: early, id: 'old' }),
  ]);
  expect(profile).toMatchObject({ name: 'Acme Inc', tier: 1, industry: 'steel', signals: 2, lastSignalAt: late });
  expect(profile.provenance).toEqual({
    name: { source: '/sources/crm', signalId: 'new', at: late },
    tier: { source: '/sources/crm', signalId: 'new', at: late },
    industry: { source: '/sources/crm', signalId: 'old', at: early },
  });
});

test('of a deal the later state is kept', () => {
  const deal = (stage: string, time: string): Signal =>
    signal('DealUpserted', { account, dealId: 'd1', stage, amountMinor: 100, currency: 'EUR' }, { time });
  expect(accountOf([deal('won', late), deal('open', early)]).deals).toEqual([
    { dealId: 'd1', stage: 'won', amountMinor: 100, currency: 'EUR' },
  ]);
});

test('an account keeps its hundred latest deals', () => {
  const deals = Array.from({ length: 101 }, (_, i) =>
    signal('DealUpserted', { account, dealId: `d${i}`, stage: 's' }, { time: new Date(i * 1000).toISOString() }),
  );
  const profile = accountOf(deals);
  expect(profile.deals).toHaveLength(100);
  expect(profile.deals.map((d) => d.dealId)).not.toContain('d0');
  expect(Object.keys(profile.provenance)).toHaveLength(100);
});

test('a contact belongs to the account of the latest signal that names both', () => {
  const viewed = (id: string, time: string) =>
    signal('PageViewed', { account: { id }, contact, url: 'https://example.com/' }, { time });
  expect(contactOf([viewed('new', late), viewed('old', early)]).accountId).toBe('new');
});

test('the first delivery is the first touch, the last engagement the last engaged', () => {
  const profile = contactOf([
    signal('EmailDelivered', { contact }, { time: late }),
    signal('EmailDelivered', { contact }, { time: early }),
    signal('EmailOpened', { contact }, { time: late }),
    signal('EmailClicked', { contact }, { time: early }),
  ]);
  expect(profile).toMatchObject({ firstTouchedAt: early, lastEngagedAt: late, signals: 4, seniority: 'unknown' });
});

test('seniority, function, time zone and country come from the upsert, with their provenance', () => {
  const facts = { seniority: 'c-suite', jobFunction: 'finance', timeZone: 'Europe/Berlin', country: 'DE' };
  const profile = contactOf([signal('ContactUpserted', { contact, account, ...facts })]);
  expect(profile).toMatchObject({ ...facts, accountId: 'acme' });
  expect(Object.keys(profile.provenance).sort()).toEqual([
    'accountId',
    'country',
    'jobFunction',
    'seniority',
    'timeZone',
  ]);
});

const report = (day: string, time: string, more: Record<string, unknown> = {}) =>
  signal(
    'CampaignPerformanceReported',
    { adAccountId: 'ad', campaignId: 'c', day, spendMinor: 100, revenueMinor: 300, currency: 'USD', ...more },
    { time },
  ) as SignalOf<'CampaignPerformanceReported'>;
const campaignOf = (reports: readonly SignalOf<'CampaignPerformanceReported'>[]) => {
  const profile = reports.reduce<Unversioned<CampaignProfile> | undefined>(
    (before, s) => campaignAfter(before, s, { source: s.source, signalId: s.id, at: s.time }),
    undefined,
  );
  return CampaignProfile.parse({ ...profile, ...versioned });
};

test('a later report of a day replaces it, an earlier one that arrives late does not', () => {
  const reports = [
    report('2026-01-01', early, { spendMinor: 1 }),
    report('2026-01-01', late, { spendMinor: 2 }),
    report('2026-01-01', early, { spendMinor: 3 }),
  ];
  expect(campaignOf(reports).days).toEqual([
    {
      day: '2026-01-01',
      spendMinor: 2,
      revenueMinor: 300,
      reportedAt: late,
      source: '/sources/crm',
      signalId: 's-1',
    },
  ]);
});

test('of the statements of one day the latest counts, in whatever order they arrive', () => {
  const statement = fc.record({
    time: fc.constantFrom(early, late),
    source: fc.constantFrom('/sources/a', '/sources/b'),
    id: fc.constantFrom('1', '2', '\uffee', '😀'),
  });
  const arrivals = fc
    .uniqueArray(statement, { minLength: 1, maxLength: 8, selector: (s) => JSON.stringify(s) })
    .map((list) => list.map((s, i) => ({ ...s, revenueMinor: i })))
    .chain((list) => fc.shuffledSubarray(list, { minLength: list.length }));
  fc.assert(
    fc.property(arrivals, (list) => {
      const latest = list
        .map((s) => ({ ...s, signalId: s.id, occurredAt: s.time }))
        .sort(compareStatements)
        .at(-1);
      const reports = list.map(
        ({ time, source, id, revenueMinor }) =>
          ({ ...report('2026-01-01', time, { revenueMinor }), source, id }) as SignalOf<'CampaignPerformanceReported'>,
      );
      expect(campaignOf(reports).days).toMatchObject([{ revenueMinor: latest?.revenueMinor }]);
    }),
    { seed: 11 },
  );
});

test('a campaign keeps its last 35 days, oldest first', () => {
  const days = Array.from({ length: 40 }, (_, i) => new Date(i * 86_400_000).toISOString().slice(0, 10));
  const stored = campaignOf(days.toReversed().map((day) => report(day, early))).days;
  expect(stored.map((d) => d.day)).toEqual(days.slice(-35));
});

test("a campaign's settings are those of its latest report, gaps filled by earlier ones", () => {
  const profile = campaignOf([
    report('2026-01-02', late, { status: 'paused', dailyBudgetMinor: 500 }),
    report('2026-01-01', early, { status: 'active', dailyBudgetMinor: 900, bidMinor: 30, name: 'Brand' }),
  ]);
  expect(profile).toMatchObject({ status: 'paused', dailyBudgetMinor: 500, bidMinor: 30, name: 'Brand' });
});

/** What every object inherits: ids that an upstream may send as well as any other. */
const inherited = ['constructor', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__'];

test.each(inherited)('an account, and a deal, called %s is one like any other', (id) => {
  const deal = signal('DealUpserted', { account: { id }, dealId: id, stage: 'won' });
  const profile = accountAfter(null, id, deal, at(early));
  expect(AccountProfile.parse({ ...profile, ...versioned })).toMatchObject({
    accountId: id,
    deals: [{ dealId: id, stage: 'won' }],
    provenance: { [`deals.${id}`]: { at: early } },
  });
});

test("a report in another currency than the ad account's earlier ones cannot be added", () => {
  const before = adAccountAfter(null, report('2026-01-01', early), at(early));
  expect(adAccountAfter(before, report('2026-01-02', late, { currency: 'EUR' }), at(late))).toBeNull();
});
