import { expect, test } from 'vitest';
import { type Admitted, fold as foldWithin, type Known, keysOf, renamedBy } from './fold.js';
import type { Persons } from './identify.js';
import type { Signal } from './signal.js';
import { signal } from './testing.js';

const jane = '7f2d6c1e-33a8-4f0e-9a53-0b8f8f1f6a11';
const john = '0d4b5bd4-6a55-4f1f-8a3c-4d2b57a7c0de';
const contact = { ref: 'crm:1', email: 'jane@example.com' };
const account = { id: 'acme' };
const fold = (admitted: readonly Admitted[], known: Known) => foldWithin(admitted, known, 1_000_000);
const unknown: Known = { profiles: new Map(), consents: new Map(), points: new Map() };
const admitted = (given: Signal, persons: Persons): Admitted => ({ signal: given, occurredAt: given.time, persons });

test('a signal names every state it changes, and nothing else is loaded', () => {
  const engaged = signal('ContentEngaged', { account, contact, contentId: 'c', topic: 't' });
  expect(keysOf(admitted(engaged, [jane]))).toEqual({
    profiles: ['account:acme', `contact:${jane}`],
    consents: [],
    points: [jane],
  });
  expect(keysOf(admitted(signal('EmailComplained', { contact }), [jane])).consents).toEqual([jane]);
});

test('several signals of a batch change a key once, by the last of them', () => {
  const viewed = signal('PageViewed', { contact, url: 'https://example.com/' });
  const { profiles, outcomes } = fold([admitted(viewed, [jane]), admitted(viewed, [jane])], unknown);
  expect(profiles.get(`contact:${jane}`)).toMatchObject({ by: 1, value: { signals: 2, reachable: ['email'] } });
  expect(outcomes).toEqual([
    { ok: true, profiles: [`contact:${jane}`], consents: [] },
    { ok: true, profiles: [`contact:${jane}`], consents: [] },
  ]);
});

test('a signal whose reference and address mean two contacts changes nothing and says so', () => {
  const { profiles, points, outcomes } = fold(
    [admitted(signal('ContactUpserted', { contact }), [jane, john])],
    unknown,
  );
  expect(outcomes).toMatchObject([{ ok: false, fault: { code: 'identity-conflict', field: 'data.contact' } }]);
  expect([profiles.size, points.size]).toEqual([0, 0]);
});

test('a withdrawal that may mean two contacts binds both, and links neither address', () => {
  const { consents, points, outcomes } = fold(
    [admitted(signal('EmailUnsubscribed', { contact, purpose: 'sales' }), [jane, john])],
    unknown,
  );
  expect(outcomes).toMatchObject([{ ok: true, consents: [jane, john] }]);
  for (const id of [jane, john]) expect(consents.get(id)?.value.entries).toMatchObject([{ status: 'withdrawn' }]);
  expect(points.size).toBe(0);
});

test('a report in the wrong currency is rejected and the batch goes on', () => {
  const report = (currency: string): Signal =>
    signal('CampaignPerformanceReported', {
      adAccountId: 'ad',
      campaignId: 'c',
      day: '2026-01-01',
      spendMinor: 1,
      revenueMinor: 1,
      currency,
    });
  const { outcomes } = fold(
    ['USD', 'EUR', 'USD'].map((currency) => admitted(report(currency), [])),
    unknown,
  );
  expect(outcomes.map((o) => (o.ok ? 'accepted' : o.fault.code))).toEqual(['accepted', 'currency', 'accepted']);
});

test('a report that an ad account has no room for is rejected with the reason, whatever came before it, and others are taken', () => {
  const report = (adAccountId: string, campaignId: string) =>
    signal('CampaignPerformanceReported', {
      adAccountId,
      campaignId,
      day: '2026-01-01',
      spendMinor: 1,
      revenueMinor: 1,
      currency: 'USD',
      name: 'Größe',
    });
  const reports = Array.from({ length: 40 }, (_, n) => report('ad', `c-${n}`));
  const batch = [...reports, report('other', 'c-0'), report('ad', 'c-0')].map((s) => admitted(s, []));
  const bytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value));
  const { outcomes, profiles } = foldWithin(batch, unknown, 5_000);
  const ad = profiles.get('ad-account:ad')?.value;
  const taken = outcomes.slice(0, 40).filter(({ ok }) => ok).length;
  expect(taken).toBeGreaterThan(10);
  expect(bytes(ad)).toBeLessThanOrEqual(5_000);
  // No report that fits is rejected: the next of the same length would not.
  expect(bytes(ad) + bytes(ad) / taken).toBeGreaterThan(5_000);
  expect(outcomes.slice(taken, 40).map((o) => !o.ok && o.fault)).toEqual(
    Array.from({ length: 40 - taken }, () => ({
      code: 'profile-full',
      says: `data.adAccountId: the profile of this ad account holds ${taken} campaigns and has no room for this report`,
      field: 'data.adAccountId',
    })),
  );
  expect(outcomes.slice(40).map(({ ok }) => ok)).toEqual([true, true]);
  const later = [...profiles].map(([key, { value }]) => [key, value] as const);
  const again = foldWithin(batch, { ...unknown, profiles: new Map(later) }, 5_000);
  expect(again.outcomes.map(({ ok }) => ok)).toEqual(outcomes.map(({ ok }) => ok));
});

test('an account that gets a new name changes the points of nobody in the same fold, however many contacts it has', () => {
  const named = signal('AccountUpserted', { account, name: 'Acme Inc' });
  const joins = signal('ContentEngaged', { account, contact, contentId: 'c', topic: 't' });
  const { points } = fold([admitted(joins, [jane]), admitted(named, []), admitted(joins, [john])], unknown);
  expect([...points].map(([id, { value }]) => [id, value.accountName])).toEqual([
    [jane, undefined],
    [john, 'Acme Inc'],
  ]);
});

test('an upsert that repeats the known name renames nothing', () => {
  const named = signal('AccountUpserted', { account, name: 'Acme Inc' });
  expect(renamedBy(named, unknown.profiles)).toBe('acme');
  const { profiles } = fold([admitted(named, [])], unknown);
  const known = new Map([...profiles].map(([key, { value }]) => [key, value]));
  expect(renamedBy(named, known)).toBeUndefined();
});
