import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { type DataOf, type EventType, SignalAccepted, type SignalType, signalKinds } from '@countersign/contracts';
import { undocumented } from '@countersign/runtime';
import { createHarness, type Harness, type Published, tablesOf } from '@countersign/runtime/harness';
import { copyTestDatabase, type TestDatabase } from '@countersign/testing';
import { compactDecrypt, exportJWK, generateKeyPair } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { postSignals } from '../core/documented.js';
import { maxBatchEvents } from '../core/http-binding.js';
import { SignalIngestionModule, spec } from '../module.js';
import { Store } from './profiles.repository.js';
import { maxBodyBytes } from './signals.edge.js';
import { Unpacking } from './unpacking.js';

const now = '2026-11-21T10:00:00.000Z';
const crm = 'signals.inbound.crm.v1';
const contact = { ref: 'crm:1', email: 'Jane@Example.com' };
const account = { id: 'acme' };
const { privateKey, publicKey } = await generateKeyPair('ECDH-ES', { crv: 'X25519', extractable: true });

let folder: string;
let database: TestDatabase;
let harness: Harness;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ingestion-'));
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const sha = (key: string) => createHash('sha256').update(key).digest('hex');
  Object.assign(process.env, {
    IDENTITY_KEY_FILE: file('identity', 'ab'.repeat(32)),
    CONTACT_POINTS_PUBLIC_KEY_FILE: file('points', JSON.stringify(await exportJWK(publicKey))),
    API_KEYS_FILE: file('keys', JSON.stringify({ crm: sha('crm-key'), website: sha('website-key') })),
    PUBLISH_TIMEOUT_MS: '50',
    MAX_EVENTS_IN_FLIGHT: '3',
  });
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(async () => {
  database = await copyTestDatabase(tablesOf(spec));
  harness = await createHarness(SignalIngestionModule, spec, { databaseUrl: database.url, at: now });
});
afterEach(async () => {
  await harness?.close();
  await database?.drop();
});

const ofType = <T extends EventType>(events: readonly Published[], type: T): DataOf<T>[] =>
  events.filter((e) => e.type === type).map((e) => e.data as DataOf<T>);
const opened = async (jwe: string): Promise<unknown> =>
  JSON.parse(Buffer.from((await compactDecrypt(jwe, privateKey)).plaintext).toString());
const post = (body: unknown, headers: Record<string, string> = {}) =>
  harness.app.inject({
    method: 'POST',
    url: '/v1/signals',
    headers: { authorization: 'Bearer crm-key', 'content-type': 'application/cloudevents+json', ...headers },
    payload: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
  });
const event = (over: Record<string, unknown> = {}) => ({
  specversion: '1.0',
  id: 'e-1',
  source: '/sources/crm',
  type: 'ContactUpserted',
  time: now,
  data: { contact, account, seniority: 'vp' },
  ...over,
});
const batchType = { 'content-type': 'application/cloudevents-batch+json' };

test('a signal of a known person builds profiles, consent and sealed points, and its accepted event names their versions', async () => {
  const published = await harness.deliver(crm, [
    { type: 'AccountUpserted', id: 's-0', data: { account, name: 'Acme Inc', tier: 1 } },
    {
      type: 'ContactUpserted',
      id: 's-1',
      data: {
        contact,
        account,
        seniority: 'vp',
        person: { firstName: 'Jane' },
        consents: [{ purpose: 'sales', channel: 'email', status: 'granted' }],
      },
    },
  ]);
  const [, accepted] = ofType(published, 'SignalAccepted');
  const contactId = accepted?.contactId ?? '';
  expect(accepted).toMatchObject({
    signalId: 's-1',
    accountId: 'acme',
    triggers: true,
    facts: { seniority: 'vp' },
    madeFrom: { 'profile:account:acme': 1, [`profile:contact:${contactId}`]: 1, [`consent:${contactId}`]: 1 },
  });
  const profiles = ofType(published, 'ProfileChanged');
  expect(profiles).toContainEqual(
    expect.objectContaining({ kind: 'account', name: 'Acme Inc', signals: 2, version: 1 }),
  );
  expect(profiles).toContainEqual(
    expect.objectContaining({ contactId, accountId: 'acme', seniority: 'vp', reachable: ['email'] }),
  );
  expect(ofType(published, 'ConsentsChanged')).toMatchObject([
    { contactId, version: 1, entries: [{ purpose: 'sales', status: 'granted', signalId: 's-1' }] },
  ]);
  const [points] = ofType(published, 'ContactPointsChanged');
  expect(await opened(points?.jwe ?? '')).toEqual({
    email: 'Jane@Example.com',
    firstName: 'Jane',
    accountName: 'Acme Inc',
  });
  expect(published.filter((e) => e.type === 'SignalAccepted').map((e) => e.correlationid)).toEqual(['s-0', 's-1']);
});

test('later signals are added to what is known, and a new name of the account reaches the points of its contacts', async () => {
  await harness.deliver(crm, [{ type: 'ContactUpserted', data: { contact, account, person: { firstName: 'Jane' } } }]);
  const published = await harness.deliver(crm, [
    { type: 'EmailDelivered', data: { contact: { email: 'jane@example.com' } } },
    { type: 'AccountUpserted', data: { account, name: 'Acme SE' } },
  ]);
  const renamed = await harness.runJobs();
  expect(ofType(published, 'ProfileChanged')).toContainEqual(
    expect.objectContaining({ kind: 'contact', version: 2, signals: 2, firstTouchedAt: now, accountId: 'acme' }),
  );
  const [points] = ofType(renamed, 'ContactPointsChanged');
  // The second by the address as it was written now, the third by the name.
  expect(points?.version).toBe(3);
  expect(await opened(points?.jwe ?? '')).toEqual({
    email: 'jane@example.com',
    firstName: 'Jane',
    accountName: 'Acme SE',
  });
});

test('a new name of an account with many contacts reaches them in pieces, and its signal waits for none of them', async () => {
  const refs = Array.from({ length: 230 }, (_, n) => `crm:${n}`);
  const joined = refs.map((ref) => ({
    type: 'ContactUpserted',
    data: { contact: { ref, email: `${ref.slice(4)}@example.com` }, account },
  }));
  await harness.deliver(crm, [{ type: 'AccountUpserted', data: { account, name: 'Acme Inc' } }, ...joined]);
  expect(ofType(await harness.runJobs(), 'ContactPointsChanged')).toEqual([]);
  const pieces = vi.spyOn(harness.app.get(Store), 'points');
  const published = await harness.deliver(crm, [{ type: 'AccountUpserted', data: { account, name: 'Acme SE' } }]);
  expect(published.map(({ type }) => type).sort()).toEqual(['ProfileChanged', 'SignalAccepted']);
  pieces.mockClear();
  const changed = ofType(await harness.runJobs(), 'ContactPointsChanged');
  expect(pieces.mock.calls.map(([, ids]) => ids.length)).toEqual([100, 100, 30]);
  expect(new Set(changed.map(({ contactId }) => contactId)).size).toBe(refs.length);
  expect(changed).toHaveLength(refs.length);
  for (const { jwe } of changed.slice(0, 5)) expect(await opened(jwe)).toMatchObject({ accountName: 'Acme SE' });
  expect(await harness.query('SELECT DISTINCT account_name FROM contact_points')).toEqual([
    { account_name: 'Acme SE' },
  ]);
});

const report = (campaignId: string, day: number, more: Record<string, unknown> = {}) => ({
  type: 'CampaignPerformanceReported',
  data: {
    adAccountId: 'ad',
    campaignId,
    day: new Date(Date.UTC(2026, 9, 20 + day)).toISOString().slice(0, 10),
    spendMinor: 1_000 + day,
    revenueMinor: 2_000,
    currency: 'EUR',
    ...more,
  },
});
const bytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

test('three hundred campaigns over thirty days are all taken, and no profile is longer for there being so many', async () => {
  const ids = Array.from({ length: 300 }, (_, n) => `campaign-with-a-name-${n}`);
  const named = { name: 'N'.repeat(200), dailyBudgetMinor: 50_000, bidMinor: 120 };
  for (let day = 0; day < 30; day++)
    await harness.deliver(
      'signals.inbound.ads.v1',
      ids.map((id) => ({ ...report(id, day, named), id: `${id}-${day}-${'x'.repeat(200)}` })),
    );
  expect(ofType(harness.published, 'SignalAccepted')).toHaveLength(9_000);
  expect(ofType(harness.published, 'SignalRejected')).toEqual([]);
  expect(await harness.query('SELECT * FROM dead_letters')).toEqual([]);
  const profiles = ofType(harness.published, 'ProfileChanged');
  expect(profiles).toHaveLength(9_001);
  expect(Math.max(...profiles.map(bytes))).toBeLessThan(20_000);
  const rows = await harness.query<{ key: string; version: number; data: DataOf<'ProfileChanged'> }>(
    `SELECT key, version, data FROM own_state WHERE topic = 'profiles.v1'`,
  );
  expect(rows).toHaveLength(301);
  for (const { key, version, data } of rows) {
    if (key === 'ad-account:ad') expect([version, bytes(data) < 500]).toEqual([1, true]);
    else expect([version, data.kind === 'campaign' && data.days.length]).toEqual([30, 30]);
  }
});

test('after an upgrade the ad account that holds its campaigns is read: each goes on from there, none is lost, and what had no status is active', async () => {
  const day = { day: '2026-10-01', spendMinor: 7, revenueMinor: 9, reportedAt: now };
  const campaign = (campaignId: string, more = {}) => ({ campaignId, dailyBudgetMinor: 500, days: [day], ...more });
  const campaigns = {
    a: campaign('a', { status: 'paused' }),
    b: campaign('b', { status: 'active' }),
    constructor: campaign('constructor'),
  };
  const before = { kind: 'ad-account', adAccountId: 'ad', currency: 'EUR', campaigns, lastSignalAt: now };
  await harness.query(
    `INSERT INTO own_state (topic, key, version, data) VALUES ('profiles.v1', 'ad-account:ad', 41, $1)`,
    [JSON.stringify({ ...before, version: 41, changedAt: now })],
  );
  const published = await harness.deliver('signals.inbound.ads.v1', [report('a', 1), report('constructor', 1)]);
  expect(await harness.query('SELECT * FROM dead_letters')).toEqual([]);
  const [first] = ofType(published, 'SignalAccepted');
  expect(first?.madeFrom).toEqual({ 'profile:ad-account:ad': 42, 'profile:campaign:ad a': 1 });
  expect(published.filter(({ topic }) => topic === 'profiles.v1').map(({ key, data }) => [key, data])).toMatchObject([
    ['ad-account:ad', { version: 42, campaigns: { ...campaigns, constructor: { status: 'active' } } }],
    ['campaign:ad a', { version: 1, status: 'paused', dailyBudgetMinor: 500, days: [day, { spendMinor: 1_001 }] }],
    ['campaign:ad constructor', { version: 1, status: 'active', dailyBudgetMinor: 500, days: [day, {}] }],
  ]);
  const more = await harness.deliver('signals.inbound.ads.v1', [report('b', 1), report('new', 1)]);
  expect(more.filter(({ topic }) => topic === 'profiles.v1').map(({ key }) => key)).toEqual([
    'campaign:ad b',
    'campaign:ad new',
  ]);
  expect(ofType(more, 'SignalAccepted')[0]?.madeFrom).toEqual({
    'profile:ad-account:ad': 42,
    'profile:campaign:ad b': 1,
  });
});

test('a withdrawal that a restored database lacks is taken over, and what comes next is added to it', async () => {
  const consents = [{ purpose: 'sales', channel: 'email', status: 'granted' }];
  const before = await harness.deliver(crm, [{ type: 'ContactUpserted', data: { contact, account, consents } }]);
  const backup = await harness.query('SELECT * FROM own_state');
  const after = await harness.deliver(crm, [{ type: 'EmailUnsubscribed', data: { contact } }]);
  const withdrawn = ofType(after, 'ConsentsChanged')[0];
  const sales = (data: DataOf<'ConsentsChanged'> | undefined) => data?.entries.filter((e) => e.purpose === 'sales');
  expect([withdrawn?.version, sales(withdrawn)]).toMatchObject([2, [{ status: 'withdrawn' }]]);
  await harness.query('TRUNCATE own_state');
  await harness.query('INSERT INTO own_state SELECT * FROM jsonb_populate_recordset(NULL::own_state, $1)', [
    JSON.stringify(backup),
  ]);

  for (const { name: topic } of spec.ownState ?? []) {
    const written = [...before, ...after].filter((e) => e.topic === topic);
    await harness.readOwn(topic, harness.records(topic, written));
  }
  harness.setNow('2026-11-21T11:00:00.000Z');
  const next = { purpose: 'newsletter', channel: 'email', status: 'granted' };
  const more = await harness.deliver(crm, [
    { type: 'ContactUpserted', data: { contact, account, seniority: 'vp', consents: [next] } },
  ]);
  const [changed] = ofType(more, 'ConsentsChanged');
  expect([changed?.version, sales(changed)]).toEqual([3, sales(withdrawn)]);
  expect(ofType(more, 'SignalAccepted')[0]?.madeFrom).toMatchObject({ [`consent:${withdrawn?.contactId}`]: 3 });
  const versions = ofType(more, 'ProfileChanged').map(({ kind, version }) => `${kind} ${version}`);
  expect(versions.sort()).toEqual(['account 2', 'contact 3']);
});

test('an old signal builds profiles and triggers nothing', async () => {
  const published = await harness.deliver(crm, [
    { type: 'AccountUpserted', time: '2020-01-01T00:00:00.000Z', data: { account, name: 'Acme Inc' } },
  ]);
  expect(ofType(published, 'SignalAccepted')).toMatchObject([{ triggers: false, quality: { freshness: 0 } }]);
  expect(ofType(published, 'ProfileChanged')).toMatchObject([{ name: 'Acme Inc' }]);
});

test('a signal that cannot be taken is rejected with its reason and coordinates, never a dead letter', async () => {
  const records = [
    ...harness.records(crm, [
      { type: 'ContactUpserted', id: 'no-contact', data: { seniority: 'vp' } },
      { type: 'EmailOpened', id: 'future', time: '2026-12-21T10:00:00.000Z', data: { contact } },
      { type: 'EmailOpened', id: 'author', source: '/sources/website', data: { contact } },
      { type: 'AccountUpserted', id: 'nul', data: { account: { id: 'a-1' }, name: 'Acme\u0000' } },
    ]),
    { partition: 0, offset: '900', key: null, value: Buffer.from('jane@example.com'), headers: {} },
  ];
  const published = await harness.deliverRecords(crm, records);
  const rejected = ofType(published, 'SignalRejected');
  expect(rejected.map((r) => [r.signalId, r.reasons[0]?.code, r.reasons[0]?.field])).toEqual(
    expect.arrayContaining([
      ['no-contact', 'contract', 'data.contact'],
      ['future', 'future', 'time'],
      ['author', 'wrong-author', 'source'],
      ['nul', 'contract', 'data'],
      [undefined, 'not-json', undefined],
    ]),
  );
  expect(rejected).toHaveLength(5);
  expect(rejected.every((r) => r.topic === crm && /^[0-9a-f]{64}$/.test(r.sha256))).toBe(true);
  expect(published.filter((e) => e.type === 'DeadLetter')).toEqual([]);
});

const bad: readonly (readonly [string, unknown])[] = [
  ...['specversion', 'id', 'source', 'type', 'subject', 'datacontenttype', 'dataschema'].flatMap((name) => [
    [name, 'x\u0001'] as const,
    [name, 17] as const,
  ]),
  ...['correlationid', 'causationid'].map((name) => [name, 'x'.repeat(301)] as const),
  ['id', null],
  ['type', 'x'.repeat(121)],
  ['time', 'yesterday'],
  ['time', null],
];
/** What may be told of `event(…)` when one attribute is bad: the others. */
const others = (name: string) => {
  const readable = Object.entries({ id: 'e-1', source: '/sources/crm', type: 'ContactUpserted' });
  return Object.fromEntries(readable.filter(([other]) => other !== name));
};

test('a signal with one bad attribute is rejected by those that can be read, over HTTP and Kafka', async () => {
  let offset = 900;
  for (const [name, value] of bad) {
    const given = event({ [name]: value });
    const structured = await post(given);
    expect([structured.statusCode, structured.json()]).toMatchObject([400, { code: 'bad-attribute', field: name }]);
    expect(structured.json().signal).toEqual({ ...others(name), ...(name !== 'time' && { time: now }) });
    const batch = await post([event(), given], batchType);
    expect(batch.json().errors).toEqual([expect.objectContaining({ index: 1, signal: structured.json().signal })]);

    const { data, ...attributes } = given;
    const texts = Object.entries(attributes).filter(([, text]) => typeof text === 'string') as [string, string][];
    const headers = (prefix: string) => Object.fromEntries(texts.map(([n, text]) => [`${prefix}${n}`, text]));
    const json = { 'content-type': 'application/json' };
    const [whole, body] = [given, data].map((value) => Buffer.from(JSON.stringify(value)));
    const records = [{ headers: { 'content-type': 'application/cloudevents+json' }, value: whole ?? null }];
    records.push({ headers: json, value: whole ?? null });
    // What is no text cannot be a header.
    if (value !== 17) {
      records.push({ headers: { ...json, ...headers('ce_') }, value: body ?? null });
      const binary = await post(data, { ...json, ...headers('ce-') });
      expect([binary.statusCode, binary.json()]).toMatchObject([
        400,
        { field: `ce-${name}`, signal: structured.json().signal },
      ]);
    }
    const published = await harness.deliverRecords(
      crm,
      records.map((record) => ({ partition: 0, offset: String(offset++), key: null, ...record })),
    );
    const { id: signalId, source = '/sources/crm', type } = others(name) as Record<string, string>;
    const rejected = ofType(published, 'SignalRejected').map((r) => [name, r.signalId, r.source, r.type]);
    expect(rejected).toEqual(records.map(() => [name, signalId, source, type]));
  }
});

test('a duplicate is rejected as one and counted once, a redelivery says the same again', async () => {
  const opening = { type: 'EmailOpened', id: 'same', data: { contact } };
  const [first] = harness.records(crm, [opening]);
  const [second] = harness.records(crm, [opening]);
  if (!first || !second) throw new Error('two records are needed');
  const original = await harness.deliverRecords(crm, [first]);
  const published = await harness.deliverRecords(crm, [second]);
  expect(ofType(published, 'SignalRejected')).toMatchObject([
    { signalId: 'same', reasons: [{ code: 'duplicate' }], offset: second.offset },
  ]);
  expect(ofType(published, 'SignalAccepted')).toEqual([]);
  expect(await harness.deliverRecords(crm, [first])).toEqual(original);
  const [profile] = ofType(original, 'ProfileChanged');
  expect(profile).toMatchObject({ kind: 'contact', signals: 1 });
});

test('two instances that meet a person for the first time agree on one contact', async () => {
  const store = harness.app.get(Store);
  let commit = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    commit = resolve;
  });
  let begun = (): void => undefined;
  const linked = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const joining = harness.transaction(async (tx) => {
    const { persons } = await store.persons(tx, [['ref:1', 'email:a']]);
    begun();
    await held;
    return persons[0];
  });
  await linked;
  const other = harness.transaction((tx) => store.persons(tx, [['ref:2', 'email:a'], ['email:b']]));
  commit();
  const [
    first,
    {
      persons: [second, third],
    },
  ] = await Promise.all([joining, other]);
  expect(second).toEqual(first);
  expect(third).not.toEqual(first);
  const rows = await harness.query('SELECT identity, contact_id FROM contact_identities ORDER BY identity');
  expect(rows).toEqual([
    { identity: 'email:a', contact_id: first?.[0] },
    { identity: 'email:b', contact_id: third?.[0] },
    { identity: 'ref:1', contact_id: first?.[0] },
    { identity: 'ref:2', contact_id: first?.[0] },
  ]);
});

test('nothing that identifies a person leaves, nor can be read in a table', async () => {
  const marker = 'plantedmarker';
  const planted = {
    contact: { ref: `crm:${marker}`, email: `${marker}@example.com` },
    account,
    person: { firstName: `${marker}first`, lastName: `${marker}last`, phone: `${marker}0` },
    message: `write to ${marker}`,
    url: `https://example.com/page?who=${marker}#${marker}`,
    title: `of ${marker}@example.com`,
  };
  const required: Partial<Record<SignalType, Record<string, unknown>>> = {
    ContentEngaged: { contentId: 'c', topic: 't' },
    EmailBounced: { bounce: 'hard' },
    FormSubmitted: { formId: 'f' },
    MeetingBooked: { meetingId: 'm', startsAt: now },
    ConsentChanged: { purpose: 'sales', channel: 'email', status: 'granted', basis: `asked by ${marker}@example.com` },
    DealUpserted: { dealId: 'd', stage: 's' },
    CampaignPerformanceReported: {
      adAccountId: 'ad',
      campaignId: 'c',
      day: '2026-11-20',
      spendMinor: 1,
      revenueMinor: 1,
      currency: 'EUR',
    },
  };
  const events = Object.entries(signalKinds).flatMap(([type, { inbound }]) => {
    const members = Object.keys(inbound.shape);
    const data = Object.fromEntries(Object.entries(planted).filter(([name]) => members.includes(name)));
    const good = { type, id: `good-${type}`, data: { ...data, ...required[type as SignalType] } };
    return [good, { ...good, id: `bad-${type}`, data: { ...good.data, [marker.slice(0, 5)]: marker } }];
  });
  // The same ids with other bytes: dead letters.
  const other = { account: { id: 'other' } };
  const again = events.filter((e) => e.id.startsWith('good')).map((e) => ({ ...e, data: { ...e.data, ...other } }));
  const published = [...(await harness.deliver(crm, events)), ...(await harness.deliver(crm, again))];

  expect(ofType(published, 'SignalAccepted')).toHaveLength(Object.keys(signalKinds).length);
  expect(ofType(published, 'SignalRejected')).toHaveLength(Object.keys(signalKinds).length);
  expect(ofType(published, 'DeadLetter')).toHaveLength(Object.keys(signalKinds).length);
  expect(ofType(published, 'ContactPointsChanged').length).toBeGreaterThan(0);
  expect(JSON.stringify(published)).not.toContain(marker);
  const tables = await harness.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema()`,
  );
  expect(tables.map((t) => t.name)).toContain('contact_points');
  for (const { name } of tables) {
    const rows = await harness.query<{ row: string }>(`SELECT t::text AS row FROM ${name} t`);
    // A column of bytes is shown in hexadecimal.
    const plain = [marker, Buffer.from(marker).toString('hex')];
    expect(rows.filter(({ row }) => plain.some((text) => row.includes(text)))).toEqual([]);
  }
});

test('addresses that a library would refuse withdraw and are one person in every spelling; an unreadable one beside a reference is left out', async () => {
  const unsubscribed = (id: string, contact: unknown) => ({ type: 'EmailUnsubscribed', id, data: { contact } });
  const published = await harness.deliver(crm, [
    unsubscribed('a', { email: 'anna@straße.example' }),
    unsubscribed('b', { email: 'Anna@XN--STRAE-OQA.example' }),
    unsubscribed('c', { email: '"anna b"@[IPv6:2001:db8::1]' }),
    unsubscribed('d', { ref: 'crm:9', email: 'secretname at example' }),
    unsubscribed('e', { email: 'secretname at example' }),
  ]);
  const accepted = ofType(published, 'SignalAccepted');
  expect(accepted.map((a) => [a.signalId, a.leftOut?.map((fault) => fault.code)])).toEqual([
    ['a', undefined],
    ['b', undefined],
    ['c', undefined],
    ['d', ['address']],
  ]);
  expect(new Set(accepted.map((a) => a.contactId)).size).toBe(3);
  expect(accepted[0]?.contactId).toBe(accepted[1]?.contactId);
  for (const { contactId } of accepted) {
    const consents = ofType(published, 'ConsentsChanged').filter((c) => c.contactId === contactId);
    expect(consents.at(-1)?.entries.map((e) => e.status)).toEqual(Array(4).fill('withdrawn'));
  }
  expect(ofType(published, 'SignalRejected')).toMatchObject([
    { signalId: 'e', reasons: [{ code: 'contract', field: 'data.contact.email' }] },
  ]);
  expect(JSON.stringify(published)).not.toContain('secretname');
});

test('an unreadable reference beside an address is left out: the withdrawal binds the person of the address, over HTTP too', async () => {
  const withdrawals = [
    { type: 'EmailUnsubscribed', data: {} },
    { type: 'EmailComplained', data: {} },
    { type: 'EmailBounced', data: { bounce: 'hard' } },
    { type: 'ConsentChanged', data: { purpose: 'sales', channel: 'email', status: 'withdrawn' } },
  ];
  const events = withdrawals.map(({ type, data }, i) => ({
    type,
    id: `w-${i}`,
    data: { ...data, contact: { ref: 'secret ref', email: `p${i}@example.com` } },
  }));
  for (const given of events) expect((await post(event(given))).statusCode).toBe(202);
  const taken = [...harness.published];
  expect(taken.map(({ key }) => key)).toEqual(events.map(() => expect.stringMatching(/^email:[0-9a-f]{64}$/)));
  expect(JSON.stringify(taken)).not.toContain('secret ref');
  const published = await harness.deliver(
    crm,
    taken.map(({ id, source, type, time, data, key }) => ({ id, source, type, time, data, key })),
  );
  const accepted = ofType(published, 'SignalAccepted');
  expect(accepted.map((a) => a.leftOut)).toEqual(
    events.map(() => [expect.objectContaining({ code: 'reference', field: 'data.contact.ref' })]),
  );
  const bound = ofType(published, 'ConsentsChanged').map((c) => c.contactId);
  expect(new Set(bound).size).toBe(events.length);
  expect(bound).toEqual(accepted.map((a) => a.contactId));
});

test('over HTTP: bytes are read in their charset and content encoding, to a bound, or refused by it', async () => {
  const signalText = (id: string) => JSON.stringify(event({ id, data: { contact, person: { firstName: 'Jürgen' } } }));
  const charset = (name: string) => ({ 'content-type': `application/cloudevents+json; charset=${name}` });
  const refused = await post(Buffer.from(signalText('l'), 'latin1'));
  expect([refused.statusCode, refused.json()]).toMatchObject([400, { code: 'charset' }]);
  expect(refused.json().detail).toMatch(/UTF-8: byte \d+ /);
  expect((await post(Buffer.from(signalText('l'), 'latin1'), charset('iso-8859-1'))).statusCode).toBe(202);
  expect((await post(signalText('l'), charset('klingon'))).json()).toMatchObject({ status: 400, code: 'charset' });

  const packed = { gzip: gzipSync, 'X-GZIP': gzipSync, deflate: deflateSync, br: brotliCompressSync };
  for (const [encoding, pack] of Object.entries(packed)) {
    const answer = await post(pack(signalText(encoding)), { 'content-encoding': encoding });
    expect([encoding, answer.statusCode]).toEqual([encoding, 202]);
  }
  expect((await post(signalText('i'), { 'content-encoding': 'identity' })).statusCode).toBe(202);
  const names = harness.published.map((e) => (e.data as { person: { firstName: string } }).person.firstName);
  expect(names).toEqual(Array(6).fill('Jürgen'));

  const bomb = await post(gzipSync(Buffer.alloc(50 * maxBodyBytes, 0x20)), { 'content-encoding': 'gzip' });
  expect([bomb.statusCode, bomb.json()]).toMatchObject([413, { code: 'too-large' }]);
  const broken = await post(gzipSync(signalText('b')).subarray(0, 30), { 'content-encoding': 'gzip' });
  expect([broken.statusCode, broken.json()]).toMatchObject([400, { field: 'content-encoding' }]);
  for (const unknown of ['zstd', 'gzip, gzip', 'jane@example.com']) {
    const answer = await post(signalText('u'), { 'content-encoding': unknown });
    expect([answer.statusCode, answer.json()]).toMatchObject([415, { field: 'content-encoding' }]);
    expect(answer.headers['accept-encoding']).toContain('gzip');
    expect(answer.body).not.toContain('jane');
  }
  expect(harness.published).toHaveLength(6);
});

test('over HTTP: a structured event with another content type is refused by it', async () => {
  for (const wrong of ['application/json', 'text/plain', 'json']) {
    const answer = await post(event(), { 'content-type': wrong });
    expect([answer.statusCode, answer.json()]).toMatchObject([415, { code: 'media-type', field: 'content-type' }]);
    expect(answer.json().detail).toContain('application/cloudevents+json');
  }
});

test('over HTTP: 202 after the acknowledgement, in every mode, keyed by the account, never by an address', async () => {
  const structured = await post(event());
  expect([structured.statusCode, structured.json()]).toEqual([202, { accepted: 1, ids: ['e-1'] }]);
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const binary = await post(
    { contact: { email: 'jane@example.com' } },
    {
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': 'e-2',
      'ce-source': '/sources/crm/eu',
      'ce-type': 'EmailOpened',
      'ce-time': now,
      traceparent,
    },
  );
  expect(binary.statusCode).toBe(202);
  const batch = await post([event({ id: 'e-3' }), event({ id: 'e-4' })], batchType);
  expect(batch.json()).toEqual({ accepted: 2, ids: ['e-3', 'e-4'] });
  expect(undocumented(postSignals.answers, batch.statusCode, batch.json())).toBeUndefined();

  expect(harness.published.map((e) => [e.topic, e.id, e.source])).toEqual([
    [crm, 'e-1', '/sources/crm'],
    [crm, 'e-2', '/sources/crm/eu'],
    [crm, 'e-3', '/sources/crm'],
    [crm, 'e-4', '/sources/crm'],
  ]);
  expect(harness.published.map((e) => e.key)).toEqual([
    'acme',
    expect.stringMatching(/^email:[0-9a-f]{64}$/),
    'acme',
    'acme',
  ]);
  expect(harness.published[1]).toMatchObject({ traceparent });
});

test('over HTTP: what was taken comes out accepted', async () => {
  await post(event());
  const [taken] = harness.published;
  if (!taken) throw new Error('nothing was published');
  const { id, source, type, time, data, key } = taken;
  const published = await harness.deliver(crm, [{ id, source, type, time, data, key }]);
  expect(ofType(published, 'SignalAccepted').map((a) => SignalAccepted.parse(a).signalId)).toEqual(['e-1']);
});

test('over HTTP: without a known key nothing is taken', async () => {
  for (const headers of [
    { authorization: '' },
    { authorization: 'Bearer wrong' },
    { authorization: 'Basic crm-key' },
  ]) {
    const answer = await post(event(), headers);
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="signals"');
    expect(answer.headers['content-type']).toContain('application/problem+json');
  }
  expect((await post(event(), { authorization: '', 'x-api-key': 'crm-key' })).statusCode).toBe(202);
  expect(harness.published).toHaveLength(1);
});

test('over HTTP: a fault is a problem document that names the field, and never the value', async () => {
  const bad = event({ data: { contact: { email: 'jane at example.com' } } });
  const answer = await post(bad);
  expect(answer.headers['content-type']).toContain('application/problem+json');
  expect([answer.statusCode, answer.json()]).toMatchObject([
    400,
    { status: 400, code: 'contract', field: 'data.contact.email' },
  ]);
  expect(answer.body).not.toContain('jane');
  expect((await post(event({ source: '/sources/website' }))).json()).toMatchObject({ status: 400, field: 'source' });
  expect((await post(event({ type: 'Unheard' }))).json()).toMatchObject({ status: 400, field: 'type' });
  expect((await post('{')).json()).toMatchObject({ status: 400, code: 'not-json' });
  expect((await post('x', { 'content-type': 'text/plain' })).statusCode).toBe(415);
  expect(harness.published).toEqual([]);
});

test('over HTTP: a batch is taken whole or not at all, every event at fault named by its index', async () => {
  const answer = await post([event(), event({ id: '' }), event({ data: {} })], batchType);
  expect([answer.statusCode, answer.json()]).toMatchObject([
    400,
    {
      field: 'id',
      errors: [
        { index: 1, field: 'id' },
        { index: 2, field: 'data.contact' },
      ],
    },
  ]);
  expect(harness.published).toEqual([]);
});

test('over HTTP: a body or a batch that is too large is refused', async () => {
  const large = await post(event({ data: { contact, message: 'x'.repeat(maxBodyBytes) } }));
  expect([large.statusCode, large.json()]).toMatchObject([413, { status: 413, code: 'too-large' }]);
  const many = await post(Array(maxBatchEvents + 1).fill(1), batchType);
  expect([many.statusCode, many.json()]).toMatchObject([413, { code: 'too-many' }]);
});

test('over HTTP: a broker that is behind gives 429 with Retry-After, one that is away 503', async () => {
  let acknowledge = (): void => undefined;
  harness.engine.publish = () =>
    new Promise<void>((resolve) => {
      acknowledge = resolve;
    });
  const late = await post([event({ id: 'a' }), event({ id: 'b' })], batchType);
  expect([late.statusCode, late.headers['retry-after']]).toEqual([429, '2']);

  // Two are still on their way; another would be beyond the share of this source. Another source has its own.
  harness.engine.publish = async () => undefined;
  const full = await post([event({ id: 'c' }), event({ id: 'd' })], batchType);
  expect([full.statusCode, full.headers['retry-after'], full.json()]).toMatchObject([429, '2', { code: 'too-much' }]);
  const website = { authorization: 'Bearer website-key', 'content-type': 'application/cloudevents+json' };
  const another = event({ source: '/sources/website', type: 'EmailOpened', data: { contact, messageId: 'm-1' } });
  expect((await post(another, website)).statusCode).toBe(202);
  acknowledge();
  await new Promise((resolve) => setImmediate(resolve));
  expect((await post([event({ id: 'c' }), event({ id: 'd' })], batchType)).statusCode).toBe(202);

  harness.engine.publish = async () => {
    throw new Error('no broker');
  };
  const away = await post(event());
  expect([away.statusCode, away.headers['retry-after']]).toEqual([503, '10']);
});

test('over HTTP: a source that holds its share by slow bodies gets 429, while another one, health and strangers are answered', async () => {
  await harness.app.listen(0, '127.0.0.1');
  const { port } = harness.app.getHttpServer().address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const type = 'application/cloudevents+json';
  const send = (key: string, over: Record<string, unknown>) =>
    fetch(`${url}/v1/signals`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': type },
      body: JSON.stringify(event(over)),
    });
  const opened = { source: '/sources/website', type: 'EmailOpened', data: { contact, messageId: 'm-1' } };
  /** Says that it will send the largest body, and does not. */
  const hold = (key: string) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      `POST /v1/signals HTTP/1.1\r\nhost: here\r\nauthorization: Bearer ${key}\r\ncontent-type: ${type}\r\ncontent-length: ${maxBodyBytes}\r\n\r\n{`,
    );
    return socket;
  };
  const statusOf = async (answer: Promise<Response>) => (await answer).status;

  const held = Array.from({ length: 40 }, () => hold('website-key'));
  await expect.poll(() => statusOf(send('website-key', { ...opened, id: 'w-1' }))).toBe(429);
  const refused = await send('website-key', { ...opened, id: 'w-2' });
  expect([refused.headers.get('retry-after'), await refused.json()]).toMatchObject(['2', { code: 'too-much' }]);
  expect(await statusOf(send('crm-key', { id: 'c-1' }))).toBe(202);

  // A stranger is answered before there is a body, and takes nothing from anybody.
  const strangers = Array.from({ length: 40 }, () => hold('no-key'));
  const answers = strangers.map(
    (socket) => new Promise<string>((resolve) => socket.once('data', (d) => resolve(String(d)))),
  );
  for (const answer of await Promise.all(answers)) expect(answer).toMatch(/^HTTP\/1\.1 401 /);
  expect(await statusOf(send('crm-key', { id: 'c-2' }))).toBe(202);
  // It is answered, whatever it says here: without a broker nothing of it is well.
  expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: expect.any(String) });

  for (const socket of [...held, ...strangers]) socket.destroy();
  await expect.poll(() => statusOf(send('website-key', { ...opened, id: 'w-3' }))).toBe(202);
});

test('over HTTP: a body that waits to be unpacked keeps its room, also where its sender is gone', async () => {
  await harness.app.listen(0, '127.0.0.1');
  const server = harness.app.getHttpServer();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/signals`;
  const unpacking = Promise.withResolvers<Buffer>();
  const unpack = vi.spyOn(Unpacking.prototype, 'unpack').mockReturnValue(unpacking.promise);
  onTestFinished(() => unpack.mockRestore());
  const leave = new AbortController();
  const send = (size: number, signal?: AbortSignal) =>
    fetch(url, {
      method: 'POST',
      headers: { 'x-api-key': 'crm-key', 'content-type': 'application/cloudevents+json', 'content-encoding': 'gzip' },
      body: Buffer.alloc(size),
      ...(signal && { signal }),
    });
  // Half of 64 MiB, for two sources.
  const waiting = Array.from({ length: 32 }, () => send(maxBodyBytes, leave.signal).catch(() => 'left'));
  await expect.poll(() => unpack.mock.calls.length).toBe(32);
  leave.abort();
  expect(await Promise.all(waiting)).toEqual(Array(32).fill('left'));
  const open = () => new Promise((resolve) => server.getConnections((_: unknown, count: number) => resolve(count)));
  await expect.poll(open).toBe(0);
  expect((await send(1)).status).toBe(429);
  unpacking.resolve(Buffer.from('{}'));
  await expect.poll(async () => (await send(1)).status).toBe(400);
});

const forgetAll = () =>
  harness.query(
    'TRUNCATE contact_identities, contact_points, own_state, inbox, outbox, jobs, own_events, work_positions',
  );
const idsIn = (events: readonly Published[]) => ofType(events, 'SignalAccepted').map(({ contactId }) => contactId);

test('a person who was first named after the backup has the same id again after a restore, so that what she withdrew binds her', async () => {
  const signals = [
    { type: 'EmailOpened', id: 's-1', data: { contact: { email: contact.email }, messageId: 'm-1' } },
    { type: 'EmailUnsubscribed', id: 's-2', data: { contact: { email: contact.email } } },
    { type: 'ContactUpserted', id: 's-3', data: { contact: { ref: 'crm:9' }, account } },
  ];
  const before = idsIn(await harness.deliver(crm, signals));
  expect(new Set(before).size).toBe(2);
  await forgetAll();
  // Nothing is known of before; now she comes with her reference too.
  const data = { contact, account, person: { firstName: 'Jane' } };
  const published = await harness.deliver(crm, [{ type: 'ContactUpserted', id: 's-4', data }, ...signals.slice(1)]);
  expect(idsIn(published)).toEqual([before[0], before[1], before[2]]);
  const [consents] = ofType(published, 'ConsentsChanged');
  expect(consents?.contactId).toBe(before[0]);
  expect(consents?.entries.map(({ channel, status }) => `${channel} ${status}`)).toContain('email withdrawn');
  expect(consents?.entries.map(({ status }) => status)).not.toContain('granted');
});

test('after a restore signals that come in another order name the contacts that were said, and are not accepted a second time', async () => {
  const ref = { type: 'ContactUpserted', id: 's-1', data: { contact: { ref: 'crm:1' }, account } };
  const both = { type: 'ContactUpserted', id: 's-2', data: { contact, account } };
  const records = [...harness.records(crm, [ref]), ...harness.records(crm, [both])];
  const first = await harness.deliverRecords(crm, records);
  const [id] = idsIn(first);
  expect(idsIn(first)).toEqual([id, id]);
  await forgetAll();
  await harness.afterRestore(first);
  const again = [
    await harness.deliverRecords(crm, records.slice(1)),
    await harness.deliverRecords(crm, records.slice(0, 1)),
  ];
  expect(idsIn(again.flat())).toEqual([]);
  expect(await harness.query('SELECT DISTINCT contact_id FROM contact_identities')).toEqual([{ contact_id: id }]);
  // Nor is what comes later another person's.
  expect(idsIn(await harness.deliver(crm, [{ ...ref, id: 's-3' }]))).toEqual([id]);
});
