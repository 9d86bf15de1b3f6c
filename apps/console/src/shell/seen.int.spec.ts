import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { digestOf, openApiFile } from '@countersign/contracts';
import { createHarness, type Harness, tablesOf } from '@countersign/runtime/harness';
import { copyTestDatabase, type TestDatabase } from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { approved, at, deadLetter, settled } from '../core/given.js';
import { Role } from '../core/people.js';
import { ConsoleModule, spec } from '../module.js';

/* Each act of a person says what the person saw: who, when, the digest and the time are in its event. */

/** Routes that change something, and are no act about something that a page has shown. */
const noActs: Readonly<Record<string, string>> = {
  'POST /v1/reviews/{subjectId}': 'the answer has the digest and the time in members of its own',
  'POST /v1/reviews/{subjectId}/dry-run': 'a question, which has no effect',
  'POST /v1/policies/check': 'a question, which has no effect',
  'POST /v1/slack/actions': 'an answer to a review: the message has the digest',
  'POST /v1/inspections': 'a command says that it has begun; nothing was shown before',
  'POST /v1/inspections/{inspectionId}/progress': 'a command says how far it is',
  'POST /v1/inspections/{inspectionId}/end': 'a command says what it found',
  'POST /v1/notifications/test': 'a message that says it is a test',
  'POST /v1/sign-in/links': 'signing in, which is no event',
  'POST /v1/session': 'signing in, which is no event',
  'DELETE /v1/session': 'signing out, which is no event',
};

interface Act {
  readonly route: string;
  readonly type: string;
  readonly url: string;
  readonly body: () => object | Promise<object>;
  /** What the console compares; without it the digest is only recorded. */
  readonly shown?: () => unknown;
}

const contactId = '6cf220c7-9794-40c6-ae57-e29f891b23ff';
const { deadLetterId } = deadLetter();
const unresolved = settled('unresolved');
const gap = {
  ...{ service: 'orchestrator', topic: 'reviews.decided.v1', topicId: 'q5mZ1mXvSPmQW8iUqD3Yxg' },
  ...{ partition: 2, from: 10, to: 15, reason: 'records-deleted' },
};
const publicKey = {
  ...{ kty: 'EC', crv: 'P-256', x: 'axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY' },
  y: 'T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU',
};
const post = async (url: string, payload: object, headers: Record<string, string> = {}) => {
  const asked = { method: 'POST' as const, url, payload, headers: { authorization: 'Bearer lea', ...headers } };
  const { statusCode, body } = await harness.app.inject(asked);
  return { status: statusCode, body: JSON.parse(body) };
};
const get = async (url: string) => (await harness.app.inject({ url, headers: { authorization: 'Bearer lea' } })).json();
const check = () => post('/v1/policies/check', {}).then(({ body }) => body);
const stopped = async () => {
  const [control] = (await get('/v1/controls?scope=channel:email')).controls;
  const { scope, state, by, reason, version, changedAt } = control;
  return { scope, state, by, reason, version, changedAt };
};

const acts: Readonly<Record<string, Act>> = {
  'a stop': {
    route: 'POST /v1/controls',
    ...{ type: 'ControlChanged', url: '/v1/controls' },
    body: () => ({ scope: 'all', state: 'stopped', reason: 'incident' }),
  },
  'a resume': {
    route: 'POST /v1/controls',
    ...{ type: 'ControlChanged', url: '/v1/controls' },
    body: () => ({ scope: 'channel:email', state: 'running', reason: 'it is over' }),
    shown: stopped,
  },
  'a replay': {
    route: 'POST /v1/dead-letters/{deadLetterId}/replays',
    ...{ type: 'DeadLetterReplayed', url: `/v1/dead-letters/${deadLetterId}/replays` },
    body: () => ({ note: 'the play is mended' }),
    shown: () => get(`/v1/dead-letters/${deadLetterId}`),
  },
  'a decision of an unresolved permit': {
    route: 'POST /v1/settlements/{permitId}',
    ...{ type: 'SettlementDecided', url: `/v1/settlements/${unresolved.permitId}` },
    body: () => ({ outcome: 'executed', note: 'the platform shows it' }),
    shown: () => get(`/v1/settlements/${unresolved.permitId}`),
  },
  'an acknowledgement of a gap': {
    route: 'POST /v1/gaps/acknowledged',
    ...{ type: 'GapAcknowledged', url: '/v1/gaps/acknowledged' },
    body: () => ({ ...gap, note: 'given again' }),
    shown: async () => (await get('/v1/gaps')).open[0],
  },
  'a publication of the policy': {
    route: 'POST /v1/policies/publish',
    ...{ type: 'PolicyPublished', url: '/v1/policies/publish' },
    body: async () => {
      const { digest, inForce } = await check();
      return { digest, inForce };
    },
    shown: check,
  },
  'a request who a person is': {
    route: 'POST /v1/people/{contactId}/reveals',
    ...{ type: 'RevealRequested', url: `/v1/people/${contactId}/reveals` },
    body: () => ({ fields: ['name'], purpose: 'access-request', note: 'request 4711', publicKey }),
  },
  'a request to read the whole record': {
    route: 'POST /v1/record/passes',
    ...{ type: 'RecordPassRequested', url: '/v1/record/passes' },
    body: () => ({ use: 'verify', purpose: 'yearly audit', secretSha256: 'a'.repeat(64) }),
  },
  'a sign-out': {
    route: 'POST /v1/sign-outs',
    ...{ type: 'SessionsEnded', url: '/v1/sign-outs' },
    body: () => ({ person: 'lea', reason: 'lost phone' }),
  },
};
const other = { digest: '0'.repeat(64), lookedMs: 4_200 };

let database: TestDatabase;
let harness: Harness;
let folder: string;
beforeAll(async () => {
  database = await copyTestDatabase(tablesOf(spec));
  folder = mkdtempSync(join(tmpdir(), 'console-seen-'));
  const config = join(folder, 'config');
  cpSync(fileURLToPath(new URL('../../../../deploy/config', import.meta.url)), config, { recursive: true });
  const sha256 = createHash('sha256').update('lea').digest('hex');
  writeFileSync(join(folder, 'tokens.json'), JSON.stringify([{ sha256, person: 'lea', roles: Role.options }]));
  process.env.CONSOLE_TOKENS_FILE = join(folder, 'tokens.json');
  process.env.CONFIG_DIR = config;
  process.env.CONTROL_CONFIRM_MS = '0';
  harness = await createHarness(ConsoleModule, spec, { databaseUrl: database.url, at });
  const rules = join(config, 'rules.yaml');
  writeFileSync(rules, readFileSync(rules, 'utf8').replace(/^permitSeconds: .*$/m, 'permitSeconds: 901'));
  await post('/v1/controls', { scope: 'channel:email', state: 'stopped', reason: 'bounces' });
  await harness.deliver('orchestrator.dead-letters.v1', [
    { type: 'DeadLetter', data: deadLetter() },
    { type: 'GapReported', data: { ...gap, noticedAt: at, at }, source: '/countersign/orchestrator' },
  ]);
  await harness.deliver('actions.approved.v1', [{ type: 'ActionApproved', data: approved() }]);
  await harness.deliver('actions.settled.action-executor.v1', [{ type: 'ActionSettled', data: unresolved }]);
  const consents = { contactId, entries: [], suppressions: [], version: 1, changedAt: at };
  await harness.deliver('consents.v1', [{ type: 'ConsentsChanged', key: contactId, data: consents }]);
});
afterAll(async () => {
  delete process.env.CONTROL_CONFIRM_MS;
  await harness?.close();
  await database?.close();
  if (folder) rmSync(folder, { recursive: true });
});

test('every route that changes something is an act in this table, or stands in the list with its reason', () => {
  const { paths } = JSON.parse(readFileSync(openApiFile('console'), 'utf8')) as { paths: Record<string, object> };
  const changing = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item).flatMap((method) => (method === 'get' ? [] : [`${method.toUpperCase()} ${path}`])),
  );
  const decided = [...Object.values(acts).map(({ route }) => route), ...Object.keys(noActs)];
  expect(changing.sort()).toEqual([...new Set(decided)].sort());
});

describe.each(Object.entries(acts))('%s', (_name, { type, url, body, shown }) => {
  const events = () => harness.published.filter((event) => event.type === type);

  test('takes no digest and no time that cannot be one, and nothing else beside them', async () => {
    const before = events().length;
    for (const wrong of [{ digest: 'x' }, { lookedMs: -1 }, { lookedMs: 1.5 }, { lookedMs: 604_800_001 }, { more: 1 }])
      expect((await post(url, { ...(await body()), seen: { ...other, ...wrong } })).status).toBe(400);
    expect(events()).toHaveLength(before);
  });

  // Nothing is compared where the content is only context.
  if (shown)
    test('is refused for content that is not the present one', async () => {
      const before = events().length;
      expect(await post(url, { ...(await body()), seen: other })).toMatchObject({
        status: 409,
        body: { title: 'It has changed', field: 'seen.digest' },
      });
      expect(events()).toHaveLength(before);
    });

  test('is an event with the digest that the person saw and how long they looked', async () => {
    const before = events().length;
    const seen = shown ? { digest: digestOf(await shown()), lookedMs: 4_200 } : other;
    const asked = { ...(await body()), seen };
    const key = { 'idempotency-key': `key of ${type}` };
    expect((await post(url, asked, key)).status).toBeLessThan(300);
    expect(events().slice(before)).toMatchObject([{ data: { by: 'lea', seen } }]);
  });
});

test('a repeat is not refused because the first try changed what was shown', async () => {
  const { url: letter } = acts['a replay'] as Act;
  const seen = { digest: digestOf(await get(`/v1/dead-letters/${deadLetterId}`)), lookedMs: 1 };
  const order = { note: 'once more', seen };
  const key = { 'idempotency-key': 'twice' };
  for (const _ of [1, 2]) expect((await post(letter, order, key)).status).toBe(202);
  expect((await post(letter, order)).status).toBe(409);

  const { url: permit, body } = acts['a decision of an unresolved permit'] as Act;
  expect((await post(permit, { ...(await body()), seen: other })).status).toBe(202);
});

test('a stop goes on record however old the page is, also where something is stopped already', async () => {
  const stop = { scope: 'channel:crm', state: 'stopped', reason: 'incident', seen: other };
  for (const changed of [true, false])
    expect(await post('/v1/controls', stop)).toMatchObject({ status: 200, body: { changed } });
});
