import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Action } from '@countersign/contracts';
import { createHarness, type Harness } from '@countersign/runtime/harness';
import { createTestDatabase, type TestDatabase } from '@countersign/testing';
import { CompactEncrypt, importJWK, type JWK } from 'jose';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { ActionExecutorModule, spec } from '../module.js';
import { CONNECTORS, type Connectors } from './connector.js';
import { Sandbox } from './connectors/sandbox.js';
import { type SandboxSystems, startSandboxes } from './sandbox-testing.js';
import { approvalOf, approved, consents, contactId, policy, sendEmail, setBid, signingKey } from './testing.js';

/* The executor, and the sandbox systems as they are shipped, with a database of their own. */

const start = '2026-11-21T10:00:00.000Z';
const key = signingKey();
const points = generateKeyPairSync('x25519');

let folder: string;
let database: TestDatabase;
let theirs: TestDatabase;
let client: pg.Client;
let systems: SandboxSystems;
let harness: Harness;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'executor-'));
  const file = (name: string, content: unknown) => {
    writeFileSync(join(folder, name), JSON.stringify(content), { mode: 0o600 });
    return join(folder, name);
  };
  [database, theirs] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  client = new pg.Client({ connectionString: theirs.url });
  await client.connect();
  systems = await startSandboxes(theirs.url);
  const settings = {
    DATABASE_URL: database.url,
    PERMIT_VERIFY_KEYS_FILE: file('keys.json', { keys: [key.publicJwk] }),
    CONTACT_POINTS_PRIVATE_KEY_FILE: file('points.json', points.privateKey.export({ format: 'jwk' })),
    CONNECTORS_FILE: undefined,
    ...systems.env,
  };
  for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value);
  harness = await createHarness(ActionExecutorModule, { ...spec, port: 0 }, { databaseUrl: database.url, at: start });
});
beforeEach(async () => {
  harness.setNow(start);
  await harness.query('TRUNCATE permits, jobs, inbox, outbox, state_rows');
  await client.query('TRUNCATE answers, campaigns, messages, tasks, enrolments');
  await harness.putState('consents.v1', contactId, consents(1));
  await harness.putState('policies.v1', 'main', policy(1));
});
afterAll(async () => {
  await harness?.close();
  await systems?.close();
  await client?.end();
  await database?.drop();
  await theirs?.drop();
  rmSync(folder, { recursive: true, force: true });
  vi.unstubAllEnvs();
});

// biome-ignore lint/suspicious/noExplicitAny: a body is what the test expects of it
const http = async (method: 'GET' | 'PUT', path: string, body?: unknown): Promise<{ status: number; body: any }> =>
  systems.http(method, path, body);
const campaign = { adAccountId: 'ads-1', status: 'active', dailyBudgetMinor: 5_000, bidMinor: 200, currency: 'EUR' };
const seal = async (value: unknown): Promise<void> => {
  const publicKey = await importJWK(points.publicKey.export({ format: 'jwk' }) as JWK, 'ECDH-ES');
  const jwe = await new CompactEncrypt(Buffer.from(JSON.stringify(value)))
    .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' })
    .encrypt(publicKey);
  const version = { version: 1, changedAt: start };
  await harness.putState('contact-points.v1', contactId, { ...version, contactId, jwe });
};
const run = async (action: Action, connector: string) => {
  const approval = approvalOf(action, key, { connector });
  await harness.deliver('actions.approved.v1', [{ type: 'ActionApproved', id: action.actionId, data: approval }]);
  return harness.runJobs();
};
const connector = (name: string) => {
  const found = harness.app.get<Connectors>(CONNECTORS).get(name);
  if (!found) throw new Error(name);
  return found;
};
const signal = new AbortController().signal;

test('a bid is set on the sandbox platform, with what was before', async () => {
  expect((await http('PUT', 'ads/campaigns/c-1', campaign)).status).toBe(200);
  expect(await run(setBid(), 'ads')).toMatchObject([
    {
      data: {
        outcome: 'executed',
        externalReference: 'campaign/c-1',
        before: { bidMinor: 200 },
        after: { bidMinor: 150 },
      },
    },
  ]);
  expect((await http('GET', 'ads/campaigns')).body).toEqual({
    campaigns: [{ campaignId: 'c-1', ...campaign, bidMinor: 150, creatives: [] }],
  });
});

test('a campaign that the platform does not know settles failed', async () => {
  expect(await run(setBid(), 'ads')).toMatchObject([
    { data: { outcome: 'failed', reason: { code: 'no-such-campaign' } } },
  ]);
});

test('the platform keeps its first answer under a key, refusals included', async () => {
  const ads = connector('ads');
  const action = approved(setBid(), 'ads');
  expect(await ads.find('k-1', signal)).toEqual({ outcome: 'absent' });
  const refusal = await ads.call(action, 'k-1', signal);
  expect(refusal).toMatchObject({ outcome: 'rejected' });
  await http('PUT', 'ads/campaigns/c-1', campaign);
  expect(await ads.call(action, 'k-1', signal)).toEqual(refusal);
  expect(await ads.find('k-1', signal)).toEqual(refusal);
  const answer = await ads.call(action, 'k-2', signal);
  expect(answer).toMatchObject({ outcome: 'done' });
  expect(await ads.find('k-2', signal)).toEqual(answer);
});

test('twenty calls with one key at once have one effect and one answer', async () => {
  const shift: Action = {
    ...setBid(),
    kind: 'ads.shift_budget',
    payload: { adAccountId: 'ads-1', fromCampaignId: 'c-1', toCampaignId: 'c-2', amountMinor: 1_000, currency: 'EUR' },
  };
  for (const id of ['c-1', 'c-2']) await http('PUT', `ads/campaigns/${id}`, campaign);
  const action = approved(shift, 'ads');
  const answers = await Promise.all(Array.from({ length: 20 }, () => connector('ads').call(action, 'k', signal)));
  expect(answers).toEqual(answers.map(() => answers[0]));
  expect(answers[0]).toMatchObject({ outcome: 'done' });
  const { campaigns } = (await http('GET', 'ads/campaigns')).body;
  expect(campaigns.map((c: { dailyBudgetMinor: number }) => c.dailyBudgetMinor)).toEqual([4_000, 6_000]);
});

test('of calls that share a transaction, one that the database refuses leaves the others as they are', async () => {
  const task = (name: string, dueAt: string) => {
    const payload = { contactId, title: 'Call', note: 'none', dueAt };
    return approved({ ...setBid(name), kind: 'crm.create_task', payload }, 'crm');
  };
  const crm = connector('crm');
  const [bad, good] = await Promise.all([
    crm.call(task('bad', '0000-01-01T00:00:00.000Z'), 'bad', signal),
    crm.call(task('good', '2026-11-22T10:00:00.000Z'), 'good', signal),
  ]);
  expect(bad).toEqual({ outcome: 'unknown', detail: 'the sandbox system answered 500' });
  expect(good).toMatchObject({ outcome: 'done' });
  expect(await crm.find('bad', signal)).toEqual({ outcome: 'absent' });
  expect((await http('GET', 'crm/tasks')).body.tasks).toHaveLength(1);
});

test('the mailer fills in the text from sealed contact points, and shows the address only masked', async () => {
  await seal({ email: 'mia.lang@north.example', firstName: 'Mia', accountName: 'North' });
  const [settled] = await run(sendEmail(), 'mailer');
  expect(settled).toMatchObject({ data: { outcome: 'executed', after: { status: 'sent' } } });
  expect(JSON.stringify(settled)).not.toMatch(/mia|North/i);
  const { messages } = (await http('GET', 'mailer/messages')).body;
  expect(messages).toMatchObject([
    { contactId, to: 'm***@n***.example', subject: 'Hello Mia', body: 'Dear Mia, how is North?', template: 'hello' },
  ]);
  expect(JSON.stringify((await client.query('SELECT * FROM messages')).rows)).not.toContain('mia.lang');
});

test.each<[string, unknown, Record<string, unknown>, string]>([
  ['no contact points at all', undefined, {}, 'no-address'],
  ['no address among them', { firstName: 'Mia' }, {}, 'no-address'],
  ['a placeholder without a value', { email: 'mia@north.example', firstName: 'Mia' }, {}, 'no-value'],
  [
    'a placeholder that does not exist',
    { email: 'mia@north.example' },
    { subject: '{{contact.age}}' },
    'unknown-placeholder',
  ],
])('the mailer refuses for good: %s', async (_name, known, more, code) => {
  if (known) await seal(known);
  const action = sendEmail('a', more);
  expect(await run(action, 'mailer')).toMatchObject([{ data: { outcome: 'failed', reason: { code } } }]);
  expect((await http('GET', 'mailer/messages')).body).toEqual({ messages: [] });
  expect(await connector('mailer').find(action.actionId, signal)).toMatchObject({ outcome: 'rejected' });
});

test('contact points that our key cannot open are no reason to give the message up as failed', async () => {
  const version = { version: 1, changedAt: start };
  await harness.putState('contact-points.v1', contactId, { ...version, contactId, jwe: 'a.b.c.d.e' });
  expect(await run(sendEmail(), 'mailer')).toEqual([]);
  expect(await connector('mailer').find(sendEmail().actionId, signal)).toEqual({ outcome: 'absent' });
});

test('messages that we cannot write are no silence of the mailer: others go out, and they end as not sent', async () => {
  const names = Array.from({ length: 9 }, (_, n) => `sealed-${n}`);
  await harness.putState('contact-points.v1', contactId, {
    ...{ version: 1, changedAt: start },
    ...{ contactId, jwe: 'a.b.c.d.e' },
  });
  for (const name of names) expect(await run(sendEmail(name), 'mailer')).toEqual([]);
  expect(await harness.query('SELECT turns, unsent FROM permits')).toEqual(names.map(() => ({ turns: 1, unsent: 1 })));
  await harness.query("DELETE FROM state_rows WHERE topic = 'contact-points.v1'");
  await seal({ email: 'mia.lang@north.example', firstName: 'Mia', accountName: 'North' });
  expect(await run(sendEmail('open'), 'mailer')).toMatchObject([{ data: { outcome: 'executed' } }]);
  await harness.query(
    'UPDATE state_rows SET data = data || \'{"jwe":"a.b.c.d.e"}\' WHERE topic = \'contact-points.v1\'',
  );
  const settled = [];
  for (let turn = 1; turn <= 6; turn++) {
    harness.setNow(new Date(Date.parse(start) + turn * 35_000).toISOString());
    settled.push(...(await harness.runJobs()));
  }
  expect(settled).toMatchObject(names.map(() => ({ data: { outcome: 'failed', reason: { code: 'not-sent' } } })));
  expect(settled[0]?.data).toMatchObject({
    reason: { detail: expect.stringMatching(/contact points cannot be opened/) },
  });
});

test('the CRM takes tasks, enrols a contact once, and stops', async () => {
  const task: Action = {
    ...setBid('task'),
    accountId: 'acc-1',
    kind: 'crm.create_task',
    payload: { contactId, title: 'Call', note: 'Ask for the plan', dueAt: '2026-11-22T10:00:00.000Z' },
  };
  const enrolment = (name: string): Action => ({
    ...setBid(name),
    kind: 'sequence.enroll',
    payload: { contactId, sequenceId: 'welcome', purpose: 'sales' },
  });
  const stop = (name: string): Action => ({
    ...setBid(name),
    kind: 'sequence.stop',
    payload: { contactId, sequenceId: 'welcome' },
  });
  expect(await run(task, 'crm')).toMatchObject([{ data: { outcome: 'executed', after: { status: 'open' } } }]);
  expect(await run(enrolment('e-1'), 'crm')).toMatchObject([{ data: { outcome: 'executed' } }]);
  expect(await run(enrolment('e-2'), 'crm')).toMatchObject([
    { data: { outcome: 'failed', reason: { code: 'already-enrolled' } } },
  ]);
  expect(await run(stop('s-1'), 'crm')).toMatchObject([{ data: { outcome: 'executed', before: { enrolled: true } } }]);
  expect(await run(stop('s-2'), 'crm')).toMatchObject([{ data: { outcome: 'executed', before: { enrolled: false } } }]);
  expect((await http('GET', 'crm/tasks')).body.tasks).toMatchObject([{ title: 'Call', accountId: 'acc-1' }]);
  expect((await http('GET', 'crm/enrolments')).body.enrolments).toMatchObject([
    { contactId, sequenceId: 'welcome', status: 'stopped' },
  ]);
});

/** What the executor published about a permit that is due again and again. */
const later = async (seconds: number) => {
  harness.setNow(new Date(Date.parse(start) + seconds * 1000).toISOString());
  return harness.runJobs();
};

test('a wrong token is told plainly, and the permit is executed when it is right again', async () => {
  await http('PUT', 'ads/campaigns/c-1', campaign);
  const connectors = harness.app.get<Map<string, Sandbox>>(CONNECTORS);
  const right = connector('ads') as Sandbox;
  const stranger = new Sandbox('ads', { url: systems.url, token: 'of-nobody' });
  const detail = /401: it does not take the token of SANDBOX_TOKEN_FILE/;
  const action = approved(setBid(), 'ads');
  expect(await stranger.call(action, 'k', signal)).toEqual({
    outcome: 'unknown',
    detail: expect.stringMatching(detail),
  });
  expect(await stranger.find('k', signal)).toEqual({ outcome: 'unknown', detail: expect.stringMatching(detail) });
  connectors.set('ads', stranger);
  try {
    expect(await run(setBid(), 'ads')).toEqual([]);
    expect(await later(2)).toEqual([]);
  } finally {
    connectors.set('ads', right);
  }
  expect(await later(10)).toMatchObject([{ data: { outcome: 'executed', after: { bidMinor: 150 } } }]);
});

test('a token that stays wrong ends a permit unresolved, never failed, and says why', async () => {
  const connectors = harness.app.get<Map<string, Sandbox>>(CONNECTORS);
  const right = connector('ads') as Sandbox;
  connectors.set('ads', new Sandbox('ads', { url: systems.url, token: 'of-nobody' }));
  try {
    const published = await run(setBid(), 'ads');
    for (let minute = 1; minute <= 6; minute++) published.push(...(await later(minute * 60)));
    expect(published).toMatchObject([
      { data: { outcome: 'unresolved', reason: { code: 'no-answer', detail: expect.stringContaining('the token') } } },
    ]);
  } finally {
    connectors.set('ads', right);
  }
});

test('while one system is away its permits wait and the others go on; when it is back they are executed', async () => {
  await http('PUT', 'ads/campaigns/c-1', campaign);
  const connectors = harness.app.get<Map<string, Sandbox>>(CONNECTORS);
  const right = connector('ads') as Sandbox;
  connectors.set('ads', new Sandbox('ads', { url: 'http://127.0.0.1:1', token: 'token' }));
  try {
    expect(await run(setBid(), 'ads')).toEqual([]);
    await seal({ email: 'mia@north.example', firstName: 'Mia', accountName: 'North' });
    expect(await run(sendEmail('mail'), 'mailer')).toMatchObject([{ data: { outcome: 'executed' } }]);
  } finally {
    connectors.set('ads', right);
  }
  expect(await later(10)).toMatchObject([{ data: { outcome: 'executed', externalReference: 'campaign/c-1' } }]);
});

test('a caller’s token opens no page, and the token of a person carries out nothing', async () => {
  const { token } = JSON.parse(readFileSync(systems.env.SANDBOX_TOKEN_FILE, 'utf8')) as { token: string };
  const asCaller = await fetch(`${systems.url}/mailer/messages`, { headers: { authorization: `Bearer ${token}` } });
  expect(asCaller.status).toBe(403);
  expect((await http('PUT', 'ads/calls/k', { kind: 'ads.set_bid', payload: {} })).status).toBe(403);
});
