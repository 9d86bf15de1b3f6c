import { ForeignId, keyOfProfile, Profile, profileKey } from '@countersign/contracts';
import { describe, expect, test } from 'vitest';
import { type Admitted, type AnyProfile, applySignals, type Known, keysOf, renamedBy } from './apply-signals.js';
import type { Persons } from './identify.js';
import type { Signal } from './signal.js';
import { signal } from './testing.js';

const jane = '7f2d6c1e-33a8-4f0e-9a53-0b8f8f1f6a11';
const john = '0d4b5bd4-6a55-4f1f-8a3c-4d2b57a7c0de';
const contact = { ref: 'crm:1', email: 'jane@example.com' };
const account = { id: 'acme' };
const unknown: Known = { profiles: new Map(), consents: new Map(), points: new Map() };
const admitted = (given: Signal, persons: Persons): Admitted => ({ signal: given, occurredAt: given.time, persons });

const report = (campaignId: string, more: Record<string, unknown> = {}): Signal =>
  signal('CampaignPerformanceReported', {
    adAccountId: 'ad',
    campaignId,
    day: '2026-01-02',
    spendMinor: 1,
    revenueMinor: 1,
    currency: 'USD',
    ...more,
  });
/** What the version before kept of an ad account: its campaigns inside. */
const before = (campaigns: Record<string, unknown>): Known => ({
  ...unknown,
  profiles: new Map([
    [
      'ad-account:ad',
      { kind: 'ad-account', adAccountId: 'ad', currency: 'USD', campaigns, lastSignalAt: '' } as unknown as AnyProfile,
    ],
  ]),
});
const day = { day: '2026-01-01', spendMinor: 7, revenueMinor: 9, reportedAt: '2026-01-02T00:00:00.000Z' };
const brand = { campaignId: 'brand', status: 'paused', dailyBudgetMinor: 500, days: [day] };

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
  const { profiles, outcomes } = applySignals([admitted(viewed, [jane]), admitted(viewed, [jane])], unknown);
  expect(profiles.get(`contact:${jane}`)).toMatchObject({ by: 1, value: { signals: 2, reachable: ['email'] } });
  expect(outcomes).toEqual([
    { ok: true, profiles: [`contact:${jane}`], consents: [] },
    { ok: true, profiles: [`contact:${jane}`], consents: [] },
  ]);
});

test('a signal whose reference and address mean two contacts changes nothing and says so', () => {
  const { profiles, points, outcomes } = applySignals(
    [admitted(signal('ContactUpserted', { contact }), [jane, john])],
    unknown,
  );
  expect(outcomes).toMatchObject([{ ok: false, fault: { code: 'identity-conflict', field: 'data.contact' } }]);
  expect([profiles.size, points.size]).toEqual([0, 0]);
});

test('a withdrawal that may mean two contacts binds both, and links neither address', () => {
  const { consents, points, outcomes } = applySignals(
    [admitted(signal('EmailUnsubscribed', { contact, purpose: 'sales' }), [jane, john])],
    unknown,
  );
  expect(outcomes).toMatchObject([{ ok: true, consents: [jane, john] }]);
  for (const id of [jane, john]) expect(consents.get(id)?.value.entries).toMatchObject([{ status: 'withdrawn' }]);
  expect(points.size).toBe(0);
});

test('a report in the wrong currency is rejected and the batch goes on', () => {
  const { outcomes } = applySignals(
    ['USD', 'EUR', 'USD'].map((currency) => admitted(report('c', { currency }), [])),
    unknown,
  );
  expect(outcomes.map((o) => (o.ok ? 'accepted' : o.fault.code))).toEqual(['accepted', 'currency', 'accepted']);
});

test('a report changes its campaign alone, and the first one its ad account', () => {
  const { profiles, outcomes } = applySignals([admitted(report('a'), []), admitted(report('b'), [])], unknown);
  expect(keysOf(admitted(report('a'), [])).profiles).toEqual(['ad-account:ad', 'campaign:ad a']);
  expect([...profiles].map(([key, { by }]) => [key, by])).toEqual([
    ['ad-account:ad', 0],
    ['campaign:ad a', 0],
    ['campaign:ad b', 1],
  ]);
  expect(profiles.get('ad-account:ad')?.value).toMatchObject({ campaigns: {} });
  expect(outcomes).toMatchObject([{ ok: true }, { ok: true, profiles: ['ad-account:ad', 'campaign:ad b'] }]);
  const known = { ...unknown, profiles: new Map([...profiles].map(([key, { value }]) => [key, value])) };
  expect([...applySignals([admitted(report('a'), [])], known).profiles.keys()]).toEqual(['campaign:ad a']);
});

test('a campaign that the version before kept inside its ad account goes on with its budget and its days, and no other one is lost', () => {
  const known = before({ brand, other: { ...brand, campaignId: 'other' } });
  const { profiles } = applySignals(
    [admitted(report('brand'), []), admitted(report('brand', { day: '2026-01-03' }), [])],
    known,
  );
  expect([...profiles.keys()]).toEqual(['campaign:ad brand']);
  expect(profiles.get('campaign:ad brand')?.value).toMatchObject({
    kind: 'campaign',
    adAccountId: 'ad',
    currency: 'USD',
    ...brand,
    days: [day, { day: '2026-01-02' }, { day: '2026-01-03' }],
  });
});

test('a campaign that was kept without a status is an active one, and its ad account takes reports again', () => {
  const { status: _none, ...broken } = { ...brand, campaignId: 'constructor' };
  const { profiles, outcomes } = applySignals(
    [admitted(report('constructor'), [])],
    before({ brand, constructor: broken }),
  );
  expect(outcomes).toMatchObject([{ ok: true }]);
  for (const [key, { value }] of profiles) {
    const read = Profile.safeParse({ ...value, lastSignalAt: day.reportedAt, version: 1, changedAt: day.reportedAt });
    expect(read.success ? keyOfProfile(read.data) : read.error).toBe(key);
  }
  expect(profiles.get('ad-account:ad')?.value).toMatchObject({
    campaigns: { brand, constructor: { ...broken, status: 'active' } },
  });
  expect(profiles.get('campaign:ad constructor')?.value).toMatchObject({ status: 'active', days: [day, {}] });
});

test.each(['constructor', '__proto__', 'toString'])(
  'a campaign called %s is a campaign like any other',
  (campaignId) => {
    const { profiles } = applySignals([admitted(report(campaignId), [])], before({ brand }));
    expect([...profiles.keys()]).toEqual([`campaign:ad ${campaignId}`]);
    expect(profiles.get(`campaign:ad ${campaignId}`)?.value).toMatchObject({
      campaignId,
      status: 'active',
      days: [{ day: '2026-01-02' }],
    });
  },
);

test('no two campaigns have one key, whatever characters their ids and those of their ad accounts have', () => {
  const characters = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));
  for (const c of ['', ...characters.filter((character) => ForeignId.safeParse(`a${character}b`).success)])
    expect(profileKey.campaign('a', `b${c}d`)).not.toBe(profileKey.campaign(`a${c}b`, 'd'));
});

test('an account that gets a new name changes the points of nobody in the same fold, however many contacts it has', () => {
  const named = signal('AccountUpserted', { account, name: 'Acme Inc' });
  const joins = signal('ContentEngaged', { account, contact, contentId: 'c', topic: 't' });
  const { points } = applySignals([admitted(joins, [jane]), admitted(named, []), admitted(joins, [john])], unknown);
  expect([...points].map(([id, { value }]) => [id, value.accountName])).toEqual([
    [jane, undefined],
    [john, 'Acme Inc'],
  ]);
});

test('an upsert that repeats the known name renames nothing', () => {
  const named = signal('AccountUpserted', { account, name: 'Acme Inc' });
  expect(renamedBy(named, unknown.profiles)).toBe('acme');
  const { profiles } = applySignals([admitted(named, [])], unknown);
  const known = new Map([...profiles].map(([key, { value }]) => [key, value]));
  expect(renamedBy(named, known)).toBeUndefined();
});

describe('who gave an address', () => {
  const [list, website] = ['/sources/list', '/sources/website'];
  const [early, late] = ['2026-01-01T00:00:00.000Z', '2026-02-01T00:00:00.000Z'];
  const visit = (email: string, time: string) =>
    admitted(
      signal('PageViewed', { account, contact: { email }, url: 'https://example.com/' }, { source: website, time }),
      [jane],
    );
  const listed = (email: string, time: string) =>
    admitted(signal('ContactUpserted', { account, contact: { email } }, { source: list, time }), [jane]);
  const after = (entries: readonly Admitted[], known = unknown) => {
    const { profiles } = applySignals(entries, known);
    const profile = profiles.get(`contact:${jane}`)?.value;
    return profile && 'provenance' in profile ? profile.provenance : undefined;
  };

  test('is the source that stated this address first, in whatever order the signals arrive', () => {
    for (const entries of [
      [listed('jane@example.com', early), visit('Jane@Example.com', late)],
      [visit('Jane@Example.com', late), listed('jane@example.com', early)],
    ]) {
      const provenance = after(entries);
      expect(provenance?.email).toEqual({ source: list, signalId: 's-1', at: early });
      // What the visit says of the account is later, and forgets the list.
      expect(provenance?.accountId).toMatchObject({ source: website });
    }
    expect(after([visit('jane@example.com', early), listed('jane@example.com', late)])?.email?.source).toBe(website);
  });

  test('is another one where the address becomes another one', () => {
    const entries = [listed('jane@example.com', early), visit('jane@other.example', late)];
    expect(after(entries)?.email).toEqual({ source: website, signalId: 's-1', at: late });
    // An older address that arrives late is not the one in use.
    expect(after(entries.toReversed())?.email).toEqual({ source: website, signalId: 's-1', at: late });
  });

  test('is not known of an address that an earlier version stored, until it becomes another one', () => {
    const points = new Map([[jane, { fields: { email: { value: 'jane@example.com', at: early } } }]]);
    const known = { ...unknown, points };
    expect(after([visit('jane@example.com', late)], known)).not.toHaveProperty('email');
    expect(after([visit('jane@other.example', late)], known)?.email?.source).toBe(website);
  });

  test('goes with the address when two contacts are found to be one person', () => {
    const referred = signal('ContactUpserted', { account, contact: { ref: 'crm:1' } }, { source: website, time: late });
    const known = applySignals([{ ...listed('jane@example.com', early), persons: [john] }], unknown);
    const both = {
      ...unknown,
      profiles: new Map([...known.profiles].map(([key, { value }]) => [key, value])),
      points: new Map([...known.points].map(([key, { value }]) => [key, value])),
    };
    expect(after([{ ...admitted(referred, [jane]), joined: john }], both)?.email?.source).toBe(list);
  });

  test('is nobody where there is no address', () => {
    const referred = signal('ContactUpserted', { account, contact: { ref: 'crm:1' } });
    expect(after([admitted(referred, [jane])])).not.toHaveProperty('email');
  });
});
