import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DataOf, derivedId } from '@countersign/contracts';
import { deployment } from '@countersign/runtime';
import { createHarness, type Harness, tablesOf } from '@countersign/runtime/harness';
import { copyTestDatabase, costlyParts, type TestDatabase } from '@countersign/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { approved, at, escalated, refused, settled } from '../core/given.js';
import { ConsoleModule, spec } from '../module.js';

let database: TestDatabase;
let harness: Harness;
let folder: string;

beforeEach(async () => {
  database = await copyTestDatabase(tablesOf(spec));
  folder = mkdtempSync(join(tmpdir(), 'console-sources-'));
  const sha256 = createHash('sha256').update('ann').digest('hex');
  writeFileSync(join(folder, 'tokens.json'), JSON.stringify([{ sha256, person: 'ann', roles: ['viewer'] }]));
  process.env.CONSOLE_TOKENS_FILE = join(folder, 'tokens.json');
  process.env.CONFIG_DIR = fileURLToPath(new URL('../../../../deploy/config', import.meta.url));
  harness = await createHarness(ConsoleModule, spec, { databaseUrl: database.url, at });
});
afterEach(async () => {
  await harness?.close();
  await database?.close();
  rmSync(folder, { recursive: true });
});

const get = async (path: string) => {
  const headers = { authorization: 'Bearer ann' };
  const response = await harness.app.inject({ method: 'GET', url: `/v1/${path}`, headers });
  return { status: response.statusCode, body: response.json() };
};

/* Sources */

const accepted = (n: number, more: Partial<DataOf<'SignalAccepted'>> = {}) => ({
  type: 'SignalAccepted',
  data: {
    source: '/sources/website/blog',
    signalId: `s-${n}`,
    type: 'PageViewed',
    occurredAt: at,
    receivedAt: at,
    quality: { score: 90, freshness: 90, completeness: 90 },
    triggers: true,
    facts: {},
    madeFrom: {},
    ...more,
  },
});
const rejected = (n: number, code: string, more: Partial<DataOf<'SignalRejected'>> = {}) => ({
  type: 'SignalRejected',
  data: {
    source: '/sources/crm',
    signalId: `r-${n}`,
    type: 'ContactUpserted',
    reasons: [{ code, detail: `data.contact: number ${n}`, field: 'data.contact' }],
    receivedAt: at,
    topic: 'signals.inbound.crm.v1',
    partition: 0,
    offset: String(n),
    sha256: 'a'.repeat(64),
    ...more,
  },
});
const sourceNamed = async (name: string) =>
  (await get('sources')).body.sources.find((source: { name: string }) => source.name === name);

test('each source is listed with what was accepted and rejected of it, the silent ones too', async () => {
  await harness.deliver('signals.accepted.v1', [
    accepted(1),
    accepted(2, { source: '/sources/website' }),
    accepted(3, { receivedAt: '2026-11-21T05:00:00.000Z' }),
    accepted(4, { receivedAt: '2026-11-19T05:00:00.000Z' }),
  ]);
  // What a rejected signal says of itself may be what is wrong with it: the topic says whose it is.
  const forged = rejected(2, 'wrong-author', { source: '/sources/website', receivedAt: '2026-11-21T09:59:30.000Z' });
  await harness.deliver('signals.rejected.v1', [rejected(1, 'contract'), forged]);
  // Those of the configuration, whichever an operator has added to the ones that are shipped.
  const configured = deployment().sources.map(({ name }) => name);
  expect((await get('sources')).body.sources.map(({ name }: { name: string }) => name)).toEqual(configured);
  expect(configured).toEqual(expect.arrayContaining(['website', 'crm', 'mailer', 'ads', 'upstream']));
  expect(await sourceNamed('website')).toMatchObject({
    ...{ state: 'heard', via: 'http', acceptedAt: at, rejectedAt: null, rejectedBy: [] },
    lastHour: { accepted: 2, rejected: 0 },
    lastDay: { accepted: 3, rejected: 0 },
  });
  expect(await sourceNamed('crm')).toMatchObject({
    ...{ state: 'rejected', acceptedAt: null, rejectedAt: at },
    lastHour: { accepted: 0, rejected: 2 },
    rejectedBy: [
      { code: 'contract', n: 1, change: expect.stringContaining('the field named above') },
      { code: 'wrong-author', n: 1 },
    ],
  });
  expect(await sourceNamed('mailer')).toMatchObject({ state: 'never', acceptedAt: null });
  harness.setNow('2026-11-23T10:00:00.000Z');
  expect(await sourceNamed('website')).toMatchObject({ state: 'quiet', acceptedAt: at, lastDay: { accepted: 0 } });
});

test('an event that comes again is counted once', async () => {
  const records = harness.records('signals.rejected.v1', [rejected(1, 'contract')]);
  for (const _ of [1, 2]) await harness.deliverRecords('signals.rejected.v1', records);
  expect(await sourceNamed('crm')).toMatchObject({ lastHour: { rejected: 1 } });
  expect((await get('signals/rejected')).body.rejected).toHaveLength(1);
});

test('rejected signals are found by source and reason, page by page, with what to change', async () => {
  const many = Array.from({ length: 5 }, (_, n) => rejected(n, n % 2 === 0 ? 'contract' : 'duplicate'));
  await harness.deliver('signals.rejected.v1', many);
  await harness.deliver('signals.rejected.v1', [
    rejected(9, 'not-json', {
      topic: 'signals.inbound.ads.v1',
      source: '/sources/ads',
      type: undefined,
      signalId: undefined,
    }),
  ]);
  const first = (await get('signals/rejected?limit=4')).body;
  expect(first.rejected[0]).toMatchObject({
    ...{ source: 'ads', code: 'not-json', type: null, signalId: null, at, offset: '9' },
    ...{ title: 'The content is not JSON', change: expect.stringContaining('position') },
    reasons: [{ code: 'not-json', field: 'data.contact' }],
  });
  const second = (await get(`signals/rejected?limit=4&cursor=${first.next}`)).body;
  expect([...first.rejected, ...second.rejected].map(({ offset }: { offset: string }) => offset)).toEqual([
    '9',
    '4',
    '3',
    '2',
    '1',
    '0',
  ]);
  expect(second.next).toBeNull();
  const offsets = async (query: string) =>
    (await get(`signals/rejected?${query}`)).body.rejected.map(({ offset }: { offset: string }) => offset);
  expect(await offsets('source=crm&code=duplicate')).toEqual(['3', '1']);
  expect(await offsets('source=ads')).toEqual(['9']);
  expect(await offsets('code=contract')).toEqual(['4', '2', '0']);
  for (const query of ['cursor=x', 'cursor=0', 'limit=501', 'source=', `code=${'x'.repeat(81)}`])
    expect((await get(`signals/rejected?${query}`)).status, query).toBe(400);
});

test('what was rejected is forgotten after a week, and when a source was last heard is not', async () => {
  await harness.deliver('signals.rejected.v1', [rejected(1, 'contract')]);
  harness.setNow('2026-11-28T09:00:00.000Z');
  await harness.runJobs();
  expect((await get('signals/rejected')).body.rejected).toHaveLength(1);
  harness.setNow('2026-11-28T11:00:00.000Z');
  await harness.runJobs();
  expect((await get('signals/rejected')).body.rejected).toEqual([]);
  expect(await harness.query('SELECT 1 FROM source_minutes')).toEqual([]);
  expect(await sourceNamed('crm')).toMatchObject({ state: 'quiet', rejectedAt: at });
});

/* People */

const kim = derivedId('given', 'kim');
const account = (accountId: string, name: string, version = 1) => ({
  type: 'ProfileChanged',
  key: `account:${accountId}`,
  data: {
    kind: 'account',
    accountId,
    name,
    tier: 1,
    deals: [],
    lastSignalAt: at,
    signals: 1,
    provenance: {},
    version,
    changedAt: at,
  },
});
const contact = (contactId: string, accountId: string, version = 1, more: object = {}) => ({
  type: 'ProfileChanged',
  key: `contact:${contactId}`,
  data: {
    ...{ kind: 'contact', contactId, accountId, seniority: 'c-suite', jobFunction: 'finance', reachable: ['email'] },
    ...{ signals: 3, provenance: {}, lastEngagedAt: at, version, changedAt: at, ...more },
  },
});
const consents = (version: number, status: string) => ({
  type: 'ConsentsChanged',
  key: kim,
  data: {
    ...{ contactId: kim, version, changedAt: at },
    entries: [{ purpose: 'sales', channel: 'email', status, at, source: '/sources/crm', signalId: 's-1' }],
    suppressions: [{ channel: 'email', reason: 'complained', at, signalId: 's-2' }],
  },
});

test('a person is found by contact, by account and by the beginning of its name, and told without name or address', async () => {
  await harness.deliver('profiles.v1', [account('lumen-health', 'Lumen Health'), account('lum_x', 'LUM% Labs')]);
  await harness.deliver('profiles.v1', [
    contact(kim, 'lumen-health'),
    contact(derivedId('given', 'jo'), 'lumen-health', 1, { changedAt: '2026-11-20T10:00:00.000Z' }),
    contact(derivedId('given', 'al'), 'lum_x', 1, { changedAt: '2026-11-19T10:00:00.000Z' }),
  ]);
  const found = async (query: string) =>
    (await get(`people?${query}`)).body.people.map(({ contactId }: { contactId: string }) => contactId);
  const [jo, al] = [derivedId('given', 'jo'), derivedId('given', 'al')];
  expect(await found('')).toEqual([kim, jo, al]);
  expect(await found('account=lumen-health')).toEqual([kim, jo]);
  expect(await found('account=LUMEN')).toEqual([kim, jo]);
  expect(await found(`account=${encodeURIComponent('lum%')}`)).toEqual([al]);
  expect(await found(`contact=${jo}`)).toEqual([jo]);
  expect(await found(`contact=${derivedId('nobody')}`)).toEqual([]);
  const first = (await get('people?limit=2')).body;
  expect(await found(`limit=2&cursor=${first.next}`)).toEqual([al]);
  for (const query of ['cursor=x', 'contact=kim', 'account=']) expect((await get(`people?${query}`)).status).toBe(400);
  expect(first.people[0]).toEqual({
    ...{ contactId: kim, seniority: 'c-suite', jobFunction: 'finance', lastEngagedAt: at, joinedInto: null },
    account: { accountId: 'lumen-health', name: 'Lumen Health', tier: 1 },
  });
});

test('a person is found by the role that the pages show, in all accounts or in one; an account of that name comes first', async () => {
  await harness.deliver('profiles.v1', [account('lumen-health', 'Lumen Health'), account('acme', 'Acme')]);
  const [jo, al, di] = [derivedId('given', 'jo'), derivedId('given', 'al'), derivedId('given', 'di')];
  const earlier = '2026-11-20T10:00:00.000Z';
  await harness.deliver('profiles.v1', [
    contact(kim, 'lumen-health'),
    contact(jo, 'acme', 1, { jobFunction: 'Finance', changedAt: earlier }),
    contact(al, 'acme', 1, { jobFunction: 'legal' }),
    contact(di, 'acme', 1, { seniority: 'director', jobFunction: 'finance' }),
  ]);
  const found = async (text: string) =>
    (await get(`people?account=${encodeURIComponent(text)}`)).body.people.map(
      ({ contactId }: { contactId: string }) => contactId,
    );
  expect(await found('CFO')).toEqual([kim, jo]);
  expect(await found('The CFO of Lumen')).toEqual([kim]);
  expect((await found('executive')).toSorted()).toEqual([kim, jo, al].toSorted());
  expect(await found('a director (finance) of Acme')).toEqual([di]);
  expect(await found('CFO of Nobody')).toEqual([]);
  await harness.deliver('profiles.v1', [account('cfo-services', 'CFO Services')]);
  expect(await found('CFO')).toEqual([]);
});

test('of accounts with the same beginning of a name the first by name are looked at, and it is said that there are more', async () => {
  const numbers = Array.from({ length: 30 }, (_, n) => 99 - n);
  await harness.deliver(
    'profiles.v1',
    numbers.map((n) => account(`acc-${n}`, `Lumen ${n}`)),
  );
  await harness.deliver(
    'profiles.v1',
    numbers.map((n) => contact(derivedId('given', `of ${n}`), `acc-${n}`)),
  );
  const found = async (search: string) => {
    const { people, incomplete } = (await get(`people?account=${search}`)).body;
    return [people.map((person: { account: { name: string } }) => person.account.name).toSorted(), incomplete];
  };
  const first = numbers.toReversed().slice(0, 20);
  expect(await found('lumen')).toEqual([first.map((n) => `Lumen ${n}`), true]);
  expect(await found('lumen%207')).toEqual([['Lumen 70', ...first.slice(0, 9).map((n) => `Lumen ${n + 1}`)], false]);
});

test('consent is told by purpose and channel with its source; the highest version stands, in whatever order it comes', async () => {
  await harness.deliver('consents.v1', [consents(3, 'withdrawn')]);
  expect((await get(`people/${kim}`)).body).toMatchObject({ seniority: 'unknown', account: null });
  await harness.deliver('consents.v1', [consents(2, 'granted')]);
  await harness.deliver('profiles.v1', [contact(kim, 'x', 2, { jobFunction: 'treasury' }), contact(kim, 'x', 1)]);
  await harness.deliver('profiles.v1', [contact(kim, 'y', 1)]);
  expect((await get(`people/${kim}`)).body).toMatchObject({
    ...{ contactId: kim, jobFunction: 'treasury', account: { accountId: 'x', name: null }, reachable: ['email'] },
    consents: [{ purpose: 'sales', channel: 'email', status: 'withdrawn', at, source: '/sources/crm', basis: null }],
    suppressions: [{ channel: 'email', reason: 'complained' }],
  });
  for (const id of [derivedId('nobody'), 'x']) expect((await get(`people/${id}`)).status).toBe(404);
});

test('what touched a person is told with how it ended, and what was refused with why', async () => {
  const mail = (name: string) => ({
    actionId: derivedId('action', derivedId('given', name)),
    kind: 'email.send',
    accountId: 'lumen-health',
    payload: { contactId: kim, purpose: 'sales', template: 'guide', subject: name, body: 'b', sendAt: at },
  });
  const ids = (name: string) => ({ proposalId: derivedId('given', name), actionId: mail(name).actionId });
  const permitId = derivedId('permit', 'sent');
  const { verdict } = approved();
  await harness.deliver('actions.approved.v1', [
    { type: 'ActionApproved', data: approved({ ...ids('sent'), action: mail('sent'), permitId }) },
  ]);
  await harness.deliver('actions.settled.action-executor.v1', [
    { type: 'ActionSettled', data: settled('executed', { ...ids('sent'), permitId }) },
  ]);
  const no = refused({ ...ids('no'), action: mail('no'), kind: 'email.send' }, 'consent');
  await harness.deliver('actions.refused.v1', [{ type: 'ActionRefused', data: no }]);
  const open = escalated({ ...ids('open'), action: mail('open'), verdict: { ...escalated().verdict, at: verdict.at } });
  await harness.deliver('actions.escalated.v1', [{ type: 'ActionEscalated', data: open }]);
  // Under ids of another proposal nobody can make it look as if a person had been touched.
  const forged = refused({ ...ids('sent'), action: mail('forged'), kind: 'email.send' }, 'proposal-id');
  await harness.deliver('actions.refused.v1', [{ type: 'ActionRefused', data: forged }]);

  const { actions } = (await get(`people/${kim}/actions`)).body;
  const by = Object.fromEntries(actions.map((action: { proposalId: string }) => [action.proposalId, action]));
  expect(actions).toHaveLength(3);
  expect(by[ids('sent').proposalId]).toMatchObject({
    ...{ state: 'executed', detail: 'send "sent" (sales) to this person', agent: 'paid-media-agent' },
    ...{ reasons: [], endedAt: settled('executed').at },
  });
  expect(by[ids('no').proposalId]).toMatchObject({
    state: 'refused',
    reasons: [{ rule: 'consent', detail: 'refused by consent' }],
  });
  expect(by[ids('open').proposalId]).toMatchObject({ state: 'waiting', endedAt: null });
  const page = (await get(`people/${kim}/actions?limit=2`)).body;
  const rest = (await get(`people/${kim}/actions?limit=2&cursor=${page.next}`)).body;
  expect([...page.actions, ...rest.actions]).toEqual(actions);
  expect(rest.next).toBeNull();
  expect((await get(`people/${derivedId('nobody')}/actions`)).body.actions).toEqual([]);
});

test('each page reads about as many rows as it shows, however many there are', async () => {
  const rows = `SELECT n, '2026-01-01Z'::timestamptz + n * interval '1 second' AS at FROM generate_series(1, 20000) AS n`;
  await harness.query(`
    INSERT INTO rejected_signals (source, code, reasons, topic, partition, "offset", at)
    SELECT CASE WHEN n % 500 = 0 THEN 'ads' ELSE 'crm' END, CASE WHEN n % 700 = 0 THEN 'future' ELSE 'contract' END,
      '[{"code": "contract", "detail": "d"}]', 't', 0, n, at FROM (${rows}) r`);
  await harness.query(`
    INSERT INTO source_minutes SELECT 'crm', date_trunc('minute', '2026-11-21T10:00Z'::timestamptz - n * interval '1 minute'), 'accepted', 1
    FROM (${rows}) r`);
  await harness.query(`INSERT INTO accounts SELECT 'a-' || n, 'Account ' || n, 1, NULL, NULL, 1 FROM (${rows}) r`);
  await harness.query(`
    INSERT INTO people (contact_id, account_id, seniority, reachable, signals, version, changed_at)
    SELECT gen_random_uuid(), 'a-' || n % 5000, 'vp', '[]', 1, 1, at FROM (${rows}) r`);
  await harness.query(`
    INSERT INTO person_actions
    SELECT (SELECT contact_id FROM people WHERE account_id = 'a-7' ORDER BY contact_id LIMIT 1), gen_random_uuid(), gen_random_uuid(), 'a', 'p', 'k', 'd', at
    FROM (${rows}) r`);
  await harness.query('ANALYZE');
  const [person] = (await get('people?account=a-7')).body.people;
  const asked = vi.spyOn(harness.engine, 'readForPage');
  const pages = [
    ...['sources', 'signals/rejected', 'signals/rejected?source=ads', 'signals/rejected?code=future&cursor=9000'],
    ...['signals/rejected?source=ads&code=future', 'people', 'people?account=a-7', 'people?account=account%2012'],
    ...['people?account=vice%20president', 'people?account=director%20sales', 'people?account=vp%20of%20account%2012'],
    ...[`people/${person.contactId}`, `people/${person.contactId}/actions`],
  ];
  for (const page of pages) expect((await get(page)).status, page).toBe(200);
  for (const [sql, params] of asked.mock.calls)
    expect({ sql, costly: await costlyParts(harness.query, sql, params) }).toEqual({ sql, costly: [] });
});
