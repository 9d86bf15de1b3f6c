import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { derivedId } from '@countersign/contracts';
import { AnswersAsDocumented } from '@countersign/runtime';
import { createTestDatabase, type TestDatabase } from '@countersign/testing';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createApp } from '../app.js';
import { readSettings } from './settings.js';

const token = { connector: randomUUID(), viewer: randomUUID(), operator: randomUUID() };
const contactId = derivedId('test-contact');
const campaign = { adAccountId: 'ads-1', status: 'active', dailyBudgetMinor: 5_000, bidMinor: 200, currency: 'EUR' };
const bid = {
  kind: 'ads.set_bid',
  payload: { adAccountId: 'ads-1', campaignId: 'c-1', bidMinor: 150, currency: 'EUR' },
};
const message = { contactId, to: 'mia@north.example', template: 'hello', subject: 'Hello Mia', body: 'Dear Mia' };
const task = (dueAt: string) => ({
  kind: 'crm.create_task',
  accountId: 'acc-1',
  payload: { contactId, title: 'Call', note: 'none', dueAt },
});

let folder: string;
let database: TestDatabase;
let client: pg.Client;
let app: NestFastifyApplication;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sandbox-'));
  const tokens = Object.entries(token).map(([role, text]) => ({
    sha256: createHash('sha256').update(text).digest('hex'),
    name: role,
    roles: [role],
  }));
  writeFileSync(join(folder, 'tokens.json'), JSON.stringify(tokens), { mode: 0o600 });
  database = await createTestDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
  app = await createApp(readSettings({ DATABASE_URL: database.url, SANDBOX_TOKENS_FILE: join(folder, 'tokens.json') }));
  app.useGlobalInterceptors(new AnswersAsDocumented());
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
});
beforeEach(() => client.query('TRUNCATE answers, campaigns, messages, tasks, enrolments'));
afterAll(async () => {
  await app?.close();
  await client?.end();
  await database?.drop();
  rmSync(folder, { recursive: true, force: true });
});

const ask = async (method: 'GET' | 'PUT', url: string, payload?: unknown, authorization?: string) => {
  const response = await app.inject({
    method,
    url,
    headers: authorization === undefined ? {} : { authorization },
    ...(payload !== undefined && { payload: payload as object }),
  });
  return { status: response.statusCode, type: response.headers['content-type'], body: response.json() };
};
const as = (role: keyof typeof token) => `Bearer ${token[role]}`;
const call = (system: string, key: string, body: unknown) =>
  ask('PUT', `/${system}/calls/${key}`, body, as('connector'));
const find = (system: string, key: string) => ask('GET', `/${system}/calls/${key}`, undefined, as('connector'));
const page = async (path: string) => (await ask('GET', path, undefined, as('viewer'))).body;
const put = (id: string, body: unknown, authorization = as('operator')) =>
  ask('PUT', `/ads/campaigns/${id}`, body, authorization);

test('a key runs once, and its first answer is given again, to calls and to the question', async () => {
  expect(await find('ads', 'k-1')).toMatchObject({ status: 404, body: { outcome: 'absent' } });
  const refusal = await call('ads', 'k-1', bid);
  expect(refusal).toMatchObject({ status: 200, body: { outcome: 'rejected', reason: { code: 'no-such-campaign' } } });
  await put('c-1', campaign);
  expect((await call('ads', 'k-1', bid)).body).toEqual(refusal.body);
  expect(await find('ads', 'k-1')).toMatchObject({ status: 200, body: refusal.body });
  const answer = await call('ads', 'k-2', bid);
  expect(answer.body).toEqual({
    outcome: 'done',
    reference: 'campaign/c-1',
    before: { bidMinor: 200, currency: 'EUR' },
    after: { bidMinor: 150, currency: 'EUR' },
  });
  expect((await find('ads', 'k-2')).body).toEqual(answer.body);
  // Each system has keys of its own.
  expect((await find('crm', 'k-2')).body).toEqual({ outcome: 'absent' });
});

test('calls that come together are carried out one after another: each sees what those before it have changed', async () => {
  await put('c-1', campaign);
  const bids = Array.from({ length: 30 }, (_, n) => ({ ...bid, payload: { ...bid.payload, bidMinor: n + 1 } }));
  const answers = await Promise.all(bids.map((body, n) => call('ads', `k-${n}`, body)));
  const befores = answers.map(({ body }) => body.before.bidMinor);
  const left = (await page('/ads/campaigns')).campaigns[0].bidMinor;
  // A chain: every bid but the last one is found by exactly one other.
  expect([...befores, left].sort((a, b) => a - b)).toEqual([...bids.map((body) => body.payload.bidMinor), 200]);
});

test('a thousand calls under a hundred keys at once have a hundred effects', async () => {
  const due = '2026-11-22T10:00:00.000Z';
  const answers = await Promise.all(Array.from({ length: 1_000 }, (_, n) => call('crm', `k-${n % 100}`, task(due))));
  // What is too much at once is told so, and has no effect.
  expect(answers.map(({ status }) => status).filter((status) => status !== 200 && status !== 429)).toEqual([]);
  const done = new Set(answers.filter(({ status }) => status === 200).map(({ body }) => body.reference));
  expect((await page('/crm/tasks')).tasks).toHaveLength(done.size);
});

test('of calls that share a transaction, one that the database refuses leaves the others as they are', async () => {
  const [bad, good] = await Promise.all([
    call('crm', 'bad', task('0000-01-01T00:00:00.000Z')),
    call('crm', 'good', task('2026-11-22T10:00:00.000Z')),
  ]);
  expect(bad).toMatchObject({
    status: 500,
    body: { detail: 'the request failed here; the log of this service says why' },
  });
  expect(good).toMatchObject({ status: 200, body: { outcome: 'done' } });
  expect((await find('crm', 'bad')).body).toEqual({ outcome: 'absent' });
  expect((await page('/crm/tasks')).tasks).toHaveLength(1);
});

test('the mailer keeps a message once, its address only masked, and keeps the refusal of its caller under the key too', async () => {
  const sent = await call('mailer', 'k-1', { kind: 'email.send', message });
  expect(sent.body).toMatchObject({ outcome: 'done', after: { status: 'sent' } });
  await call('mailer', 'k-1', { kind: 'email.send', message: { ...message, body: 'Another text' } });
  const reason = { code: 'no-address', detail: 'no e-mail address is known of the contact' };
  // What came first stands.
  expect((await call('mailer', 'k-1', { kind: 'email.send', refused: reason })).body).toEqual(sent.body);
  expect((await call('mailer', 'k-2', { kind: 'email.send', refused: reason })).body).toEqual({
    outcome: 'rejected',
    reason,
  });
  expect((await call('mailer', 'k-2', { kind: 'email.send', message })).body).toEqual({ outcome: 'rejected', reason });
  expect((await page('/mailer/messages')).messages).toMatchObject([
    { messageId: derivedId('sandbox-message', 'k-1'), to: 'm***@n***.example', body: 'Dear Mia' },
  ]);
  expect(JSON.stringify((await client.query('SELECT * FROM messages')).rows)).not.toContain('mia@');
});

test('a kind that a system does not know is refused for good', async () => {
  expect((await call('crm', 'k', bid)).body).toMatchObject({ outcome: 'rejected', reason: { code: 'unknown-kind' } });
  const none = { kind: 'fax.send', payload: {} };
  expect((await call('ads', 'k', none)).body).toMatchObject({ outcome: 'rejected', reason: { code: 'unknown-kind' } });
});

test.each<[string, string, unknown, string]>([
  ['a campaign', 'c-1', { ...campaign, currency: 'euro' }, 'currency'],
  ['an id of a campaign', 'c%201', campaign, 'id'],
])('%s that is none is a problem that names the field', async (_what, id, body, field) => {
  const answer = await put(id, body);
  expect(answer).toMatchObject({ status: 400, body: { status: 400, field } });
  expect(answer.type).toContain('application/problem+json');
});

test.each<[string, string, unknown]>([
  ['payload.bidMinor', 'ads', { ...bid, payload: { ...bid.payload, bidMinor: 'low' } }],
  ['kind', 'crm', { payload: {} }],
  ['payload.dueAt', 'crm', task('tomorrow')],
  ['', 'mailer', { kind: 'email.send' }],
  ['', 'mailer', undefined],
])('a call that is none is a problem that names %j, and its key stays free', async (field, system, body) => {
  expect(await call(system, 'k', body)).toMatchObject({ status: 400, body: { field } });
  expect((await find(system, 'k')).body).toEqual({ outcome: 'absent' });
});

test('a key that is none and a system that is not there are told', async () => {
  expect(await call('ads', 'a%20b', bid)).toMatchObject({ status: 400, body: { field: 'key' } });
  expect(await call('fax', 'k', bid)).toMatchObject({ status: 404, body: { detail: expect.stringContaining('ads') } });
  expect((await find('__proto__', 'k')).status).toBe(404);
});

const pages = ['/ads/campaigns', '/mailer/messages', '/crm/tasks', '/crm/enrolments'];

test.each(['', 'Bearer', 'Bearer wrong', `Basic ${token.viewer}`, `Bearer ${token.viewer}x`])(
  'nobody changes or sees a system without a token: %j',
  async (authorization) => {
    for (const path of [...pages, '/ads/calls/k']) {
      const { status, type, body } = await ask('GET', path, undefined, authorization);
      expect({ path, status, type, title: body.title }).toEqual({
        path,
        status: 401,
        type: expect.stringMatching(/^application\/problem\+json/),
        title: /^Bearer ./.test(authorization) ? 'Unknown token' : 'No token',
      });
    }
    expect((await put('c-1', campaign, authorization)).status).toBe(401);
    expect((await ask('PUT', '/ads/calls/k', bid, authorization)).status).toBe(401);
    expect(await page('/ads/campaigns')).toEqual({ campaigns: [] });
    expect((await find('ads', 'k')).body).toEqual({ outcome: 'absent' });
  },
);

test('a token opens what its roles say and nothing else', async () => {
  for (const role of ['connector', 'operator'] as const)
    for (const path of pages) expect((await ask('GET', path, undefined, as(role))).status).toBe(403);
  for (const role of ['viewer', 'operator'] as const) {
    expect((await ask('PUT', '/ads/calls/k', bid, as(role))).status).toBe(403);
    expect((await ask('GET', '/ads/calls/k', undefined, as(role))).status).toBe(403);
  }
  for (const role of ['connector', 'viewer'] as const) expect((await put('c-1', campaign, as(role))).status).toBe(403);
  expect(await page('/ads/campaigns')).toEqual({ campaigns: [] });
});

test('strangers are told the status of health alone, whoever has a token all of it', async () => {
  expect(await ask('GET', '/health')).toMatchObject({ status: 200, body: { status: 'ok' } });
  expect(Object.keys((await ask('GET', '/health')).body)).toEqual(['status']);
  expect((await ask('GET', '/health', undefined, as('viewer'))).body).toEqual({
    status: 'ok',
    service: 'sandbox-systems',
    ready: true,
    well: true,
    checks: { database: 'ok' },
  });
  for (const path of ['/health/live', '/health/ready']) expect((await ask('GET', path)).status).toBe(200);
});
