import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { derivedId, digestOf, mostWaitingSettlements } from '@countersign/contracts';
import type { Received } from '@countersign/runtime';
import { createHarness, type Harness, tablesOf } from '@countersign/runtime/harness';
import { copyTestDatabase, costlyParts, type TestDatabase } from '@countersign/testing';
import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import {
  actionId,
  approved,
  at,
  checkpoint,
  checkpointId,
  deadLetter,
  escalated,
  payload,
  proposalId,
  refused,
  settled,
  task,
  withheld,
} from '../core/given.js';
import { project } from '../core/project.js';
import { ConsoleModule, spec } from '../module.js';
import { ApprovedSettlements1764300000068 } from './migrations/approved-settlements.js';
import { Permits1764300000064 } from './migrations/permits.js';
import { writeProjection } from './projection.writer.js';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const shipped = fileURLToPath(new URL('../../../../deploy/config', import.meta.url));
let database: TestDatabase;
let harness: Harness;
let folder: string;

beforeEach(async () => {
  database = await copyTestDatabase(tablesOf(spec));
  folder = mkdtempSync(join(tmpdir(), 'console-'));
  cpSync(shipped, join(folder, 'config'), { recursive: true });
  writeFileSync(
    join(folder, 'tokens.json'),
    JSON.stringify([
      { sha256: sha256('lea-token'), person: 'lea', roles: ['reviewer', 'operator', 'policy-owner'] },
      { sha256: sha256('max-token'), person: 'max', roles: ['reviewer'] },
      { sha256: sha256('ann-token'), person: 'ann', roles: ['viewer'] },
    ]),
  );
  process.env.CONSOLE_TOKENS_FILE = join(folder, 'tokens.json');
  process.env.CONFIG_DIR = join(folder, 'config');
  // Nobody confirms anything here, unless a test does.
  process.env.CONTROL_CONFIRM_MS = '0';
});

afterEach(async () => {
  await harness?.close();
  await database.close();
  rmSync(folder, { recursive: true });
});

const start = async () => {
  harness = await createHarness(ConsoleModule, spec, { databaseUrl: database.url, at });
};

const call = async (method: 'GET' | 'POST', url: string, body?: object, headers: Record<string, string> = {}) => {
  const response = await harness.app.inject({
    method,
    url,
    headers: { authorization: 'Bearer lea-token', ...headers },
    ...(body && { payload: body }),
  });
  return { status: response.statusCode, type: response.headers['content-type'], body: response.json() };
};
/** As `countersign policy publish` does: what the check tells is sent. */
const publish = async () => {
  const { digest, inForce } = (await call('POST', '/v1/policies/check')).body;
  return call('POST', '/v1/policies/publish', { digest: digest ?? 'f'.repeat(64), inForce });
};
const later = '2026-11-21T10:30:00.000Z';
const decided = () => harness.published.filter((event) => event.type === 'ReviewDecided');

const escalate = () =>
  harness.deliver('actions.escalated.v1', [
    { type: 'ActionEscalated', data: escalated(), key: 'ads-1', correlationid: 'signal-1' },
  ]);

test('[case 34] an approval goes out once, under the key of the action, however often it is sent with one idempotency key', async () => {
  await start();
  await escalate();
  const open = await call('GET', '/v1/reviews?state=open');
  expect(open.body.reviews).toMatchObject([{ id: proposalId, state: 'open', digest: escalated().digest }]);

  const answer = { decision: 'approve', digest: escalated().digest };
  const key = { 'idempotency-key': 'k1' };
  const first = await call('POST', `/v1/reviews/${proposalId}`, answer, key);
  const again = await call('POST', `/v1/reviews/${proposalId}`, answer, key);
  expect([first.status, again.status]).toEqual([202, 202]);
  expect(again.body).toEqual(first.body);
  expect(decided()).toMatchObject([
    {
      key: 'ads-1',
      correlationid: 'signal-1',
      data: { reviewId: first.body.reviewId, decision: 'approve', digest: escalated().digest, by: 'lea' },
    },
  ]);

  const other = await call(
    'POST',
    `/v1/reviews/${proposalId}`,
    { ...answer, decision: 'reject', category: 'other' },
    key,
  );
  expect(other).toMatchObject({ status: 422, body: { field: 'Idempotency-Key' } });
  const second = await call('POST', `/v1/reviews/${proposalId}`, { ...answer, decision: 'reject', category: 'other' });
  expect(second).toMatchObject({ status: 409, body: { detail: expect.stringContaining('lea approved it already') } });
  expect(decided()).toHaveLength(1);
});

test('of two people who answer at the same moment one is told that it is answered already', async () => {
  await start();
  await escalate();
  const answer = { decision: 'approve', digest: escalated().digest };
  const statuses = await Promise.all(
    [1, 2, 3].map(async () => (await call('POST', `/v1/reviews/${proposalId}`, answer)).status),
  );
  expect(statuses.sort()).toEqual([202, 409, 409]);
  expect(decided()).toHaveLength(1);
});

test('a refused answer leaves its idempotency key free for the next try', async () => {
  await start();
  await escalate();
  const key = { 'idempotency-key': 'k1' };
  const wrong = { decision: 'approve', digest: 'f'.repeat(64) };
  expect((await call('POST', `/v1/reviews/${proposalId}`, wrong, key)).status).toBe(409);
  const right = { decision: 'approve', digest: escalated().digest };
  expect((await call('POST', `/v1/reviews/${proposalId}`, right, key)).status).toBe(202);
});

test('what became of a review is told as the topics tell it, in whatever order', async () => {
  await start();
  await harness.deliver('actions.settled.action-executor.v1', [{ type: 'ActionSettled', data: settled('executed') }]);
  await escalate();
  const answer = { decision: 'approve', digest: escalated().digest };
  const { body } = await call('POST', `/v1/reviews/${proposalId}`, answer);
  expect((await call('GET', body.result)).body).toMatchObject({ state: 'waiting' });

  const review = { reviewId: body.reviewId, by: 'lea', decision: 'approve' as const };
  await harness.deliver('actions.approved.v1', [{ type: 'ActionApproved', data: approved({ review }) }]);
  expect((await call('GET', body.result)).body).toMatchObject({ state: 'approved', detail: 'approved; executed' });
  expect((await call('GET', `/v1/reviews/${proposalId}`)).body).toMatchObject({ state: 'approved' });
});

test('an answer that the validator set aside opens the card again and says why', async () => {
  await start();
  await escalate();
  const answer = { decision: 'approve', digest: escalated().digest };
  const { body } = await call('POST', `/v1/reviews/${proposalId}`, answer);
  const reason = { code: 'digest', detail: 'the action was changed meanwhile' };
  await harness.deliver('actions.escalated.v1', [
    { type: 'ReviewSetAside', data: { reviewId: body.reviewId, proposalId, by: 'lea', reason, at } },
  ]);
  expect((await call('GET', body.result)).body).toMatchObject({
    state: 'set-aside',
    detail: expect.stringContaining(reason.detail),
  });
  expect((await call('GET', `/v1/reviews/${proposalId}`)).body).toMatchObject({
    state: 'open',
    answers: [{ by: 'lea', setAside: reason }],
  });
});

test('an edit supersedes the action, and its own verdict is the result of the review', async () => {
  await start();
  await escalate();
  const edit = { decision: 'edit', digest: escalated().digest, payload: { ...payload, amountMinor: 40_000 } };
  const { body } = await call('POST', `/v1/reviews/${proposalId}`, edit);
  const edited = derivedId('action', body.reviewId);
  expect(decided()).toMatchObject([{ data: { action: { actionId: edited, payload: { amountMinor: 40_000 } } } }]);

  const review = { reviewId: body.reviewId, by: 'lea', decision: 'edit' as const };
  await harness.deliver('actions.refused.v1', [
    { type: 'ActionRefused', data: refused({ review, supersededBy: edited }, 'superseded') },
  ]);
  expect((await call('GET', body.result)).body.state).toBe('waiting');
  await harness.deliver('actions.approved.v1', [
    { type: 'ActionApproved', data: approved({ review, actionId: edited }) },
  ]);
  expect((await call('GET', body.result)).body).toMatchObject({ state: 'approved' });
  expect((await call('GET', `/v1/reviews/${proposalId}`)).body.state).toBe('superseded');
});

test('what waits stays open for an answer, whoever else uses its ids; another executor settles nothing', async () => {
  await start();
  await escalate();
  await harness.deliver('actions.refused.v1', [
    { type: 'ActionRefused', data: refused({}, 'proposal-id') },
    { type: 'ActionRefused', data: refused({ proposalId: derivedId('given', 'other proposal') }) },
  ]);
  const { status, body } = await call('POST', `/v1/reviews/${proposalId}`, {
    decision: 'approve',
    digest: escalated().digest,
  });
  expect(status).toBe(202);
  const review = { reviewId: body.reviewId, by: 'lea', decision: 'approve' as const };
  await harness.deliver('actions.approved.v1', [{ type: 'ActionApproved', data: approved({ review }) }]);
  const data = settled('failed', { executor: 'downstream' });
  await harness.deliver('actions.settled.downstream.v1', [{ type: 'ActionSettled', data }]);
  expect((await call('GET', body.result)).body).toMatchObject({
    state: 'approved',
    detail: expect.not.stringContaining('failed'),
  });
  await harness.deliver('actions.settled.action-executor.v1', [{ type: 'ActionSettled', data: settled('executed') }]);
  await harness.deliver('actions.settled.downstream.v1', [{ type: 'ActionSettled', data: { ...data, at: later } }]);
  expect((await call('GET', body.result)).body).toMatchObject({ detail: 'approved; executed' });
});

test('an escalation whose deadline has passed is expired, and no longer open', async () => {
  await start();
  await escalate();
  harness.setNow('2026-11-21T11:00:00.000Z');
  expect((await call('GET', '/v1/reviews?state=open')).body.reviews).toEqual([]);
  expect((await call('GET', '/v1/reviews?state=expired')).body.reviews).toHaveLength(1);
  expect((await call('GET', '/v1/funnel')).body.reviews.open).toBe(0);
  const late = await call('POST', `/v1/reviews/${proposalId}`, { decision: 'approve', digest: escalated().digest });
  expect(late).toMatchObject({ status: 409, body: { detail: expect.stringContaining('expired already') } });
});

test("a play's checkpoint is answered like an action, and its tasks going out is the result", async () => {
  await start();
  await harness.deliver('tasks.escalated.v1', [{ type: 'TaskEscalated', data: checkpoint(), key: 'acme' }]);
  const answer = { decision: 'approve', digest: checkpoint().digest };
  const { body } = await call('POST', `/v1/reviews/${checkpointId}`, answer);
  expect(decided()).toMatchObject([{ key: 'acme', data: { subject: { kind: 'checkpoint', id: checkpointId } } }]);
  await harness.deliver('tasks.assigned.v1', [{ type: 'TaskAssigned', data: task() }]);
  expect((await call('GET', body.result)).body.state).toBe('tasks-assigned');
  expect((await call('GET', `/v1/reviews/${checkpointId}`)).body.state).toBe('approved');
});

test.each([
  ['the result comes after the card', ['tasks.escalated.v1']],
  ['the result is read before the card', []],
])('a checkpoint that was approved while a stop held ends with the reason: %s', async (_, first) => {
  await start();
  const asked = { type: 'TaskEscalated', data: checkpoint(), key: 'acme' };
  const held = { type: 'TaskWithheld', data: withheld(), key: 'acme' };
  if (first.length === 0) await harness.deliver('tasks.escalated.v1', [held]);
  await harness.deliver('tasks.escalated.v1', [asked]);
  const read = async () => (await call('GET', `/v1/reviews/${checkpointId}`)).body;
  if (first.length > 0) {
    expect(await read()).toMatchObject({ state: 'open', ending: null });
    const { body } = await call('POST', `/v1/reviews/${checkpointId}`, {
      decision: 'approve',
      digest: checkpoint().digest,
    });
    expect((await read()).state).toBe('answered');
    expect((await call('GET', body.result)).body.state).toBe('waiting');
    await harness.deliver('tasks.escalated.v1', [held]);
    expect((await call('GET', body.result)).body).toMatchObject({
      state: 'withheld',
      detail: expect.stringMatching(`^no task goes out: ${withheld().reason.detail}. It cannot be approved again.`),
    });
  }
  const { outcome, review, reason, at: endedAt } = withheld();
  const ending = { outcome, ...review, reason, at: endedAt, next: expect.stringContaining('cool-down') };
  expect(await read()).toMatchObject({ state: 'refused', ending });
  expect((await call('GET', '/v1/reviews?state=refused')).body.reviews).toMatchObject([{ id: checkpointId, ending }]);
  const again = { decision: 'approve', digest: checkpoint().digest };
  expect((await call('POST', `/v1/reviews/${checkpointId}`, again)).status).toBe(409);
});

test('a checkpoint says before the answer that the play in force is another one than the one that asked', async () => {
  await start();
  const policy = (await call('GET', '/v1/policies')).body;
  const [name = '', playDigest = ''] =
    Object.entries<string>(policy.parts).find(([part]) => part.startsWith('play:')) ?? [];
  const play = { ...checkpoint().play, id: name.slice('play:'.length) };
  const ask = (n: number, more: object) => {
    const id = derivedId('given', 'checkpoint', n);
    const data = { ...checkpoint(), play, checkpointId: id, ...more };
    return harness.deliver('tasks.escalated.v1', [{ type: 'TaskEscalated', data }]).then(() => id);
  };
  const ids = [
    await ask(1, { playDigest }),
    await ask(2, { playDigest: 'f'.repeat(64) }),
    await ask(3, { play: { ...play, id: 'gone' }, playDigest }),
  ];
  const { reviews } = (await call('GET', '/v1/reviews?state=open')).body;
  const listed = new Map(
    reviews.map((card: { id: string; playChanged: string | null }) => [card.id, card.playChanged]),
  );
  const shown = await Promise.all(ids.map(async (id) => (await call('GET', `/v1/reviews/${id}`)).body.playChanged));
  expect(shown).toEqual([null, 'changed', 'withdrawn']);
  expect(ids.map((id) => listed.get(id))).toEqual(shown);
});

test('a checkpoint has the name of its campaign on its card and in the list, as soon as the console knows it', async () => {
  await start();
  const tasks = checkpoint().tasks.map((task) => ({ ...task, adAccountId: 'ads-1', campaignId: 'c-2' }));
  await harness.deliver('tasks.escalated.v1', [{ type: 'TaskEscalated', data: { ...checkpoint(), tasks } }]);
  const read = async () => {
    const [listed] = (await call('GET', '/v1/reviews?state=open')).body.reviews;
    const { facts } = (await call('GET', `/v1/reviews/${checkpointId}`)).body;
    expect(listed.facts.campaigns).toEqual(facts.campaigns);
    return facts.campaigns;
  };
  expect(await read()).toEqual([]);
  await harness.query(
    `INSERT INTO campaigns (key, campaign_id, name, version) VALUES ('campaign:ads-1 c-2', 'c-2', 'Search, DACH', 1)`,
  );
  expect(await read()).toEqual([{ campaignId: 'c-2', name: 'Search, DACH' }]);
});

test('an answer in time that the orchestrator could not read by the deadline is set aside, and the checkpoint is expired', async () => {
  await start();
  await harness.deliver('tasks.escalated.v1', [{ type: 'TaskEscalated', data: checkpoint(), key: 'acme' }]);
  const answer = { decision: 'approve', digest: checkpoint().digest };
  const { body } = await call('POST', `/v1/reviews/${checkpointId}`, answer);
  const { review: _none, ...data } = withheld({
    outcome: 'expired',
    reason: { code: 'late', detail: 'no answer had come by 2026-11-21T11:00:00.000Z' },
  });
  const reason = { code: 'closed', detail: 'the orchestrator read it after the deadline 2026-11-21T11:00:00.000Z' };
  await harness.deliver('tasks.escalated.v1', [
    { type: 'TaskWithheld', data },
    { type: 'TaskReviewSetAside', data: { reviewId: body.reviewId, checkpointId, by: 'lea', reason, at } },
  ]);
  expect((await call('GET', body.result)).body).toMatchObject({
    state: 'set-aside',
    detail: `set aside: ${reason.detail}`,
  });
  expect((await call('GET', `/v1/reviews/${checkpointId}`)).body).toMatchObject({
    state: 'expired',
    ending: { outcome: 'expired', by: null },
    answers: [{ by: 'lea', setAside: reason }],
  });
});

test('[case 39] every refusal is a problem document with the right status', async () => {
  await start();
  await escalate();
  const answer = { decision: 'approve', digest: escalated().digest };
  const url = `/v1/reviews/${proposalId}`;
  const as = (token: string) => ({ authorization: `Bearer ${token}` });
  const none = await call('GET', url, undefined, { authorization: '' });
  expect(none).toMatchObject({
    status: 401,
    type: expect.stringMatching(/^application\/problem\+json/),
    body: { status: 401 },
  });
  expect((await call('GET', url, undefined, as('nobody'))).status).toBe(401);
  expect((await call('POST', url, answer, as('ann-token'))).body.detail).toBe('ann is no reviewer');
  const outsider = await call('POST', url, answer, as('max-token'));
  expect(outsider).toMatchObject({ status: 403, body: { detail: expect.stringContaining('lea, tom may answer') } });
  expect(await call('POST', url, { ...answer, decision: 'maybe' })).toMatchObject({
    status: 400,
    body: { field: 'decision' },
  });
  expect(await call('POST', url, { ...answer, more: 1 })).toMatchObject({ status: 400, body: { field: 'more' } });
  expect((await call('GET', `/v1/reviews/${derivedId('nothing')}`)).status).toBe(404);
  expect((await call('GET', '/v1/reviews/not-an-id')).status).toBe(404);
  expect(
    (await call('POST', '/v1/controls', { scope: 'all', state: 'stopped', reason: 'x' }, as('ann-token'))).status,
  ).toBe(403);
  expect((await call('POST', '/v1/policies/publish', {}, as('max-token'))).status).toBe(403);
  expect(decided()).toEqual([]);
});

test('an idempotency key that was used before stops and resumes nothing in silence', async () => {
  await start();
  const stop = { scope: 'agent:paid-media-agent', state: 'stopped', reason: 'numbers look wrong' };
  const key = { 'idempotency-key': 'k-1' };
  const post = (body: object) => call('POST', '/v1/controls', body, key);
  const run = { ...stop, state: 'running', reason: 'a look first' };
  expect(await post(run)).toMatchObject({ status: 200, body: { changed: false } });
  expect(await post(stop)).toMatchObject({ status: 200, body: { changed: true, control: { state: 'stopped' } } });
  expect(await post(stop)).toMatchObject({ status: 200, body: { changed: false, control: { state: 'stopped' } } });
  // The opposite under the same key: what was asked for does not hold, so it is no 200.
  const opposite = await post(run);
  expect(opposite).toMatchObject({ status: 422, body: { title: 'Key used before', field: 'Idempotency-Key' } });
  expect(opposite.body.detail).toContain('send a new key');
  expect((await call('POST', '/v1/controls', run)).body).toMatchObject({ changed: true });
  expect(await post(stop)).toMatchObject({ status: 422 });
  expect((await call('GET', '/v1/controls')).body.controls).toMatchObject([{ state: 'running' }]);
});

test('a body is read in its charset; one that is not in it is refused with the byte, and nothing is done', async () => {
  await start();
  const json = JSON.stringify({ scope: 'agent:paid-media-agent', state: 'stopped', reason: 'Größe stimmt nicht' });
  const latin = Buffer.from(json, 'latin1');
  const asJson = (charset = '') => ({ 'content-type': `application/json${charset}` });
  expect(await call('POST', '/v1/controls', latin, asJson())).toMatchObject({
    status: 400,
    body: { detail: expect.stringMatching(/not UTF-8: byte \d+ /) },
  });
  expect(await call('POST', '/v1/controls', Buffer.from('{"__proto__":{}}'), asJson())).toMatchObject({ status: 400 });
  expect(harness.published.filter(({ type }) => type === 'ControlChanged')).toEqual([]);
  expect((await call('POST', '/v1/controls', latin, asJson('; charset=iso-8859-1'))).body).toMatchObject({
    control: { reason: 'Größe stimmt nicht' },
  });
});

test('[case 39] a stop is published with who and why, once; a resume ends it', async () => {
  await start();
  const stop = { scope: 'agent:paid-media-agent', state: 'stopped', reason: 'bids look wrong' };
  const first = await call('POST', '/v1/controls', stop);
  const again = await call('POST', '/v1/controls', { ...stop, reason: 'again' });
  expect(first.body).toMatchObject({ changed: true, control: { state: 'stopped', version: 1, by: 'lea' } });
  expect(again.body).toMatchObject({ changed: false, control: { reason: 'bids look wrong', version: 1 } });
  const resumed = await call('POST', '/v1/controls', { ...stop, state: 'running', reason: 'fixed' });
  expect(resumed.body).toMatchObject({ changed: true, control: { state: 'running', version: 2 } });
  const published = harness.published.filter((event) => event.type === 'ControlChanged');
  expect(published).toMatchObject([
    { key: 'agent:paid-media-agent', data: { state: 'stopped', by: 'lea', reason: 'bids look wrong', version: 1 } },
    { key: 'agent:paid-media-agent', data: { state: 'running', version: 2 } },
  ]);
  const unknown = await call('POST', '/v1/controls', { ...stop, scope: 'agent:nobody' });
  expect(unknown).toMatchObject({ status: 400, body: { field: 'scope' } });
});

test('a stop is confirmed when the validator and every executor of ours say that they go by what was published', async () => {
  process.env.CONTROL_CONFIRM_MS = '5000';
  await start();
  const scope = 'agent:paid-media-agent';
  const stop = { scope, state: 'stopped', reason: 'bids look wrong' };
  const confirm = async (reader: string, version: number, digest: string) => {
    await harness.deliver(`controls.confirmed.${reader}.v1`, [
      { type: 'ControlConfirmed', key: scope, data: { scope, version, digest } },
    ]);
  };
  const digest = () => {
    const { data } = harness.published.findLast(({ type }) => type === 'ControlChanged') as { data: unknown };
    return digestOf(data);
  };
  const until = async (count: number) => {
    await vi.waitFor(() =>
      expect(harness.published.filter(({ type }) => type === 'ControlChanged')).toHaveLength(count),
    );
  };
  const answer = call('POST', '/v1/controls', stop);
  await until(1);
  // Somebody else's record under the same version, and an older one that comes late, confirm nothing.
  await confirm('guardrail-validator', 1, 'ff'.repeat(32));
  await confirm('guardrail-validator', 1, digest());
  await confirm('action-executor', 1, digest());
  expect((await answer).body).toMatchObject({
    changed: true,
    ...{ confirmed: true, confirmedBy: ['guardrail-validator', 'action-executor'], notConfirmedBy: [] },
    // It runs elsewhere, and nobody has heard of it.
    unknown: ['downstream'],
    control: { version: 1, confirmed: true },
  });
  // What stands already is asked for as well.
  expect((await call('POST', '/v1/controls', stop)).body).toMatchObject({ changed: false, confirmed: true });

  const resumed = call('POST', '/v1/controls', { ...stop, state: 'running', reason: 'fixed' });
  await until(2);
  await confirm('guardrail-validator', 2, digest());
  await confirm('downstream', 1, 'ff'.repeat(32));
  await confirm('action-executor', 3, digest());
  expect((await resumed).body).toMatchObject({
    changed: true,
    ...{ confirmed: false, confirmedBy: ['guardrail-validator'], unknown: [] },
    notConfirmedBy: ['action-executor', 'downstream'],
  });
  expect((await call('GET', '/v1/controls')).body.controls).toMatchObject([
    { state: 'running', confirmed: false, notConfirmedBy: ['action-executor', 'downstream'] },
  ]);
});

test('every stop in force is listed, and of the lifted ones, which nothing forgets, only a part', async () => {
  await start();
  const set = (name: string, state: 'stopped' | 'running') =>
    call('POST', '/v1/controls', { scope: `account:${name}`, state, reason: 'a test' });
  for (const name of ['c-1', 'c-2', 'c-3', 'c-4', 'c-5', 'c-6', 'c-7']) await set(name, 'stopped');
  // Two are lifted in the same moment, so that only their scopes tell them apart.
  for (const [minute, names] of [
    ['10:01', ['c-2']],
    ['10:02', ['c-4', 'c-5']],
    ['10:03', ['c-6']],
  ] as const) {
    harness.setNow(`2026-11-21T${minute}:00.000Z`);
    for (const name of names) await set(name, 'running');
  }
  const listed = async (query: string) => {
    const { status, body } = await call('GET', `/v1/controls?${query}`);
    expect(status).toBe(200);
    const names = body.controls.map(({ scope, state }: { scope: string; state: string }) => `${scope} ${state}`);
    return { names: names.map((name: string) => name.replace('account:', '')), next: body.next };
  };
  const stopped = ['c-1 stopped', 'c-3 stopped', 'c-7 stopped'];
  const lifted = ['c-6 running', 'c-5 running', 'c-4 running', 'c-2 running'];
  expect(await listed('')).toEqual({ names: [...stopped, ...lifted], next: null });
  expect(await listed('state=stopped&limit=1')).toEqual({ names: stopped, next: null });
  expect(await listed('state=running')).toEqual({ names: lifted, next: null });
  const first = await listed('limit=1');
  expect(first.names).toEqual([...stopped, 'c-6 running']);
  const paged: string[] = [];
  for (let next = first.next; next !== null; ) {
    const page = await listed(`limit=1&cursor=${encodeURIComponent(next)}`);
    paged.push(...page.names);
    next = page.next;
  }
  expect(paged).toEqual(lifted.slice(1));
  expect(await listed('scope=account:c-4')).toEqual({ names: ['c-4 running'], next: null });
  expect(await listed('scope=account:c-4&state=stopped')).toEqual({ names: [], next: null });
  expect(await listed('scope=account:c-9')).toEqual({ names: [], next: null });
  for (const cursor of ['yesterday', `${later},account`, 'account:c-1'])
    expect(await call('GET', `/v1/controls?cursor=${cursor}`)).toMatchObject({
      status: 400,
      body: { field: 'cursor' },
    });
  expect((await call('GET', '/v1/controls?scope=c-1')).body.field).toBe('scope');
});

test('a policy whose questions nobody can answer is warned of once, and again only if it changes', async () => {
  const warnings = vi.spyOn(Logger.prototype, 'warn');
  onTestFinished(() => warnings.mockRestore());
  const warned = () => warnings.mock.calls.map(String).filter((text) => text.startsWith('nobody can answer'));
  const owner = { sha256: sha256('lea-token'), person: 'lea', roles: ['policy-owner'] };
  writeFileSync(join(folder, 'tokens.json'), JSON.stringify([owner]));
  await start();
  const once = warned();
  expect(once).toEqual([
    expect.stringContaining('the charter of paid-media-agent'),
    expect.stringContaining('the charter of sequencing-agent'),
  ]);
  for (const _ of [1, 2]) expect((await publish()).body).toMatchObject({ changed: false });
  expect(warned()).toEqual(once);
  const rules = join(folder, 'config', 'rules.yaml');
  writeFileSync(rules, readFileSync(rules, 'utf8').replace(/^permitSeconds: .*$/m, 'permitSeconds: 901'));
  expect((await publish()).body).toMatchObject({ changed: true });
  expect(warned()).toEqual([...once, ...once]);
});

test('what is on the topics and not in a restored database is taken over: the lists show it, and the next change comes above it', async () => {
  await start();
  const stop = { scope: 'agent:paid-media-agent', state: 'stopped', reason: 'bids look wrong' };
  await call('POST', '/v1/controls', stop);
  const control = (version: number, state: 'stopped' | 'running') => {
    const data = { ...stop, state, by: 'max', reason: `version ${version}`, version, changedAt: later };
    return { type: 'ControlChanged', key: stop.scope, data };
  };
  await harness.readOwn('controls.v1', harness.records('controls.v1', [control(2, 'running'), control(3, 'stopped')]));
  const taken = { state: 'stopped', by: 'max', reason: 'version 3', version: 3, changedAt: later };
  expect((await call('GET', '/v1/controls')).body.controls).toMatchObject([taken]);
  expect((await call('POST', '/v1/controls', stop)).body).toMatchObject({ changed: false, control: taken });
  const resumed = await call('POST', '/v1/controls', { ...stop, state: 'running', reason: 'fixed' });
  expect(resumed.body).toMatchObject({ changed: true, control: { state: 'running', version: 4 } });

  const published = harness.published.find((event) => event.type === 'PolicyPublished');
  const policy = { ...(published?.data as unknown as object), version: 5, by: 'max', changedAt: later };
  await harness.readOwn(
    'policies.v1',
    harness.records('policies.v1', [{ type: 'PolicyPublished', key: 'main', data: policy }]),
  );
  const inForce = (await call('GET', '/v1/policies')).body;
  expect(inForce).toMatchObject({ version: 5, by: 'max', publishedAt: later });
  expect(Object.keys(inForce.parts)).toEqual(Object.keys((policy as { parts?: object }).parts ?? {}));
  expect((await publish()).body).toMatchObject({ changed: false, version: 5 });
});

test('the policy is published at the first start, and again only when it has changed', async () => {
  await start();
  const policies = () => harness.published.filter((event) => event.type === 'PolicyPublished');
  expect(policies()).toMatchObject([{ key: 'main', data: { version: 1, by: 'console' } }]);
  expect((await publish()).body).toMatchObject({ changed: false, version: 1 });

  const rules = join(folder, 'config', 'rules.yaml');
  writeFileSync(rules, 'permitSeconds: soon');
  const invalid = await publish();
  expect(invalid.status).toBe(422);
  expect(invalid.body.detail).toContain('rules.yaml:1 permitSeconds:');
  expect((await call('GET', '/v1/policies')).body.version).toBe(1);

  cpSync(join(shipped, 'rules.yaml'), rules);

  // What `countersign policy check` refuses is not published: it is the same function.
  const routes = join(folder, 'config', 'routes.yaml');
  writeFileSync(routes, readFileSync(routes, 'utf8').replace('connector: ads', 'connector: adz'));
  cpSync(rules, join(folder, 'config', 'rules.yml'));
  const { status, body } = await publish();
  expect([status, body.detail]).toEqual([422, expect.stringContaining('did you mean "ads"?')]);
  expect(body.detail).toContain('rules.yml: is not read');
  cpSync(join(shipped, 'routes.yaml'), routes);
  rmSync(join(folder, 'config', 'rules.yml'));
  const play = readFileSync(join(shipped, 'plays', 'return-below-floor.yaml'), 'utf8');
  writeFileSync(join(folder, 'config', 'plays', 'more.yaml'), play.replace('id: return-below-floor', 'id: another'));
  expect((await publish()).body).toMatchObject({ changed: true, version: 2 });
  expect(policies()).toMatchObject([{}, { data: { version: 2, by: 'lea' } }]);
});

test('a later start publishes nothing, however the configuration folder has changed: a person does', async () => {
  await start();
  const play = readFileSync(join(shipped, 'plays', 'return-below-floor.yaml'), 'utf8');
  writeFileSync(join(folder, 'config', 'plays', 'more.yaml'), play.replace('id: return-below-floor', 'id: another'));
  await harness.close();
  await start();
  expect(harness.published.filter((event) => event.type === 'PolicyPublished')).toEqual([]);
  expect((await call('GET', '/v1/policies')).body).toMatchObject({ version: 1, by: 'console' });
  expect((await publish()).body).toMatchObject({ changed: true, version: 2 });
});

test('with an invalid configuration the first start fails, a later one keeps the policy in force', async () => {
  writeFileSync(join(folder, 'config', 'routes.yaml'), '[]');
  await expect(start()).rejects.toThrow('CONFIG_DIR is not valid');

  process.env.CONFIG_DIR = shipped;
  await start();
  await harness.close();
  process.env.CONFIG_DIR = join(folder, 'config');
  await start();
  expect((await call('GET', '/v1/policies')).body.version).toBe(1);
});

test('dead letters are listed, the replayed ones after the open ones', async () => {
  await start();
  const later = { ...deadLetter(), deadLetterId: derivedId('another') };
  await harness.deliver('orchestrator.dead-letters.v1', [
    { type: 'DeadLetter', data: deadLetter() },
    { type: 'DeadLetter', data: later },
  ]);
  await harness.deliver('dead-letters.replayed.v1', [
    {
      type: 'DeadLetterReplayed',
      data: { deadLetterId: deadLetter().deadLetterId, service: 'orchestrator', by: 'lea', at },
    },
  ]);
  const { body } = await call('GET', '/v1/dead-letters');
  expect(body.deadLetters).toMatchObject([
    { deadLetterId: later.deadLetterId, replayedBy: null },
    { deadLetterId: deadLetter().deadLetterId, replayedBy: 'lea' },
  ]);
  expect((await call('GET', '/v1/funnel')).body.deadLetters).toMatchObject({ open: 1, total: 2 });
});

test('a dead letter that fails again waits again, with its new reason; one that was handled stays handled', async () => {
  await start();
  const { deadLetterId } = deadLetter();
  const path = `/v1/dead-letters/${deadLetterId}`;
  await harness.deliver('orchestrator.dead-letters.v1', [{ type: 'DeadLetter', data: deadLetter() }]);
  const order = async (note: string) => (await call('POST', `${path}/replays`, { note })).body;
  const end = (orderedAt: string, outcome: string, topic = 'orchestrator.dead-letters.v1') => {
    const fault = { code: 'replay', detail: `${outcome} after ${orderedAt}` };
    const data = { deadLetterId, service: 'orchestrator', orderedAt, outcome, attempts: 4, at: later, fault };
    return harness.deliver(topic, [{ type: 'ReplayEnded', data }]);
  };
  const letterNow = async () => (await call('GET', path)).body;
  const open = async () => (await call('GET', '/v1/funnel')).body.deadLetters.open;
  expect(await letterNow()).toMatchObject({ state: 'open', endedAt: null });
  const first = await order('the play is mended');
  expect(first).toMatchObject({ state: 'ordered' });
  expect(await open()).toBe(0);
  // Another service tells nothing of it.
  await end(first.replayedAt, 'handled', 'console.dead-letters.v1');
  expect(await letterNow()).toMatchObject({ state: 'ordered' });
  await end(first.replayedAt, 'failed');
  const again = {
    state: 'failed-again',
    attempts: 4,
    endedAt: later,
    failedAgain: { detail: `failed after ${first.replayedAt}` },
  };
  expect(await letterNow()).toMatchObject({ ...again, replayNote: 'the play is mended' });
  expect((await call('GET', '/v1/dead-letters')).body.deadLetters).toMatchObject([again]);
  expect(await open()).toBe(1);

  harness.setNow('2026-11-21T10:40:00.000Z');
  const second = await order('once more');
  // What comes late of the first order says nothing of the second.
  await end(first.replayedAt, 'failed');
  expect(await letterNow()).toMatchObject({ state: 'ordered' });
  await end(second.replayedAt, 'handled');
  expect(await letterNow()).toMatchObject({ state: 'handled' });
  await end(second.replayedAt, 'failed');
  harness.setNow('2026-11-21T10:50:00.000Z');
  await order('to be sure');
  expect(await letterNow()).toMatchObject({ state: 'handled' });
  expect(await open()).toBe(0);
});

test('an order to replay a dead letter is an event with who, when and why; it is on the list before the topic tells it', async () => {
  await start();
  const job = { kind: 'call', id: 'permit-1' };
  await harness.deliver('orchestrator.dead-letters.v1', [{ type: 'DeadLetter', data: { ...deadLetter(), job } }]);
  const { deadLetterId } = deadLetter();
  const path = `/v1/dead-letters/${deadLetterId}`;
  const done = await call('POST', `${path}/replays`, { note: 'the play is mended' });
  const expected = { deadLetterId, service: 'orchestrator', job, replayedBy: 'lea', replayNote: 'the play is mended' };
  expect(done).toMatchObject({ status: 202, body: expected });
  expect((await call('GET', path)).body).toMatchObject(expected);
  expect((await call('GET', '/v1/dead-letters')).body.deadLetters).toMatchObject([expected]);
  const orders = () => harness.published.filter(({ type }) => type === 'DeadLetterReplayed');
  expect(orders()).toMatchObject([
    {
      topic: 'dead-letters.replayed.v1',
      key: deadLetterId,
      data: { deadLetterId, service: 'orchestrator', by: 'lea', note: 'the play is mended', at: done.body.replayedAt },
    },
  ]);

  const key = { 'idempotency-key': 'k1' };
  for (const note of ['again', 'again', 'or not'])
    expect((await call('POST', `${path}/replays`, { note }, key)).status).toBe(202);
  expect(orders().map(({ data }) => (data as { note: string }).note)).toEqual(['the play is mended', 'again']);
  expect((await call('GET', path)).body).toMatchObject({ replayNote: 'again' });
});

test('what is no dead letter of this installation is not ordered, and an order has a note and an operator', async () => {
  await start();
  await harness.deliver('orchestrator.dead-letters.v1', [{ type: 'DeadLetter', data: deadLetter() }]);
  for (const id of [derivedId('foreign'), 'x']) {
    expect(await call('POST', `/v1/dead-letters/${id}/replays`, { note: 'x' })).toMatchObject({
      status: 404,
      type: expect.stringContaining('application/problem+json'),
      body: { title: 'No such dead letter', detail: expect.stringContaining(`a dead letter ${id};`) },
    });
    expect((await call('GET', `/v1/dead-letters/${id}`)).status).toBe(404);
  }
  const path = `/v1/dead-letters/${deadLetter().deadLetterId}/replays`;
  for (const body of [{}, { note: ' ' }, { note: 'x'.repeat(1001) }, { note: 'x', by: 'max' }])
    expect((await call('POST', path, body)).status).toBe(400);
  expect((await call('POST', path, { note: 'x' }, { authorization: 'Bearer max-token' })).status).toBe(403);
  expect(harness.published.filter(({ type }) => type === 'DeadLetterReplayed')).toEqual([]);
});

test('the chain of a signal can be read by its correlation id or by an id within it', async () => {
  await start();
  await escalate();
  await harness.deliver('actions.refused.v1', [
    { type: 'ActionRefused', data: refused({}, 'review-deadline'), correlationid: 'signal-1' },
  ]);
  const chain = (await call('GET', '/v1/events?correlation=signal-1')).body;
  expect(chain.events.map((event: { type: string }) => event.type)).toEqual(['ActionEscalated', 'ActionRefused']);
  expect((await call('GET', `/v1/events?correlation=${proposalId}`)).body).toEqual(chain);
  expect((await call('GET', `/v1/reviews/${proposalId}`)).body.state).toBe('expired');
});

test('activities older than a week are forgotten, counts and verdicts stay', async () => {
  await start();
  await harness.deliver('actions.refused.v1', [{ type: 'ActionRefused', data: refused() }]);
  harness.setNow('2026-11-30T10:00:00.000Z');
  await harness.runJobs();
  expect(await harness.query('SELECT * FROM activities')).toEqual([]);
  expect(await harness.query('SELECT action_id FROM verdicts')).toEqual([{ action_id: actionId }]);
  expect((await call('GET', '/v1/funnel')).body.verdicts.refused).toBe(1);
});

test('the first end of a permit stands, whatever its executor says later; what was unresolved ends once', async () => {
  await start();
  const later = '2026-11-22T10:00:00.000Z';
  const outcome = async () => (await harness.query('SELECT outcome FROM settlements'))[0];
  const settle = (...events: ReturnType<typeof settled>[]) =>
    harness.deliver(
      'actions.settled.action-executor.v1',
      events.map((data) => ({ type: 'ActionSettled', data })),
    );
  await settle(settled('unresolved'), settled('executed'), settled('failed', { at: later }));
  expect(await outcome()).toEqual({ outcome: 'executed' });
  await settle(settled('failed', { at: later }));
  expect(await outcome()).toEqual({ outcome: 'executed' });
  await settle(settled('undone', { at: later }));
  expect(await outcome()).toEqual({ outcome: 'undone' });
});

const permitId = settled('unresolved').permitId;
const approve = (more: Parameters<typeof approved>[0] = {}) =>
  harness.deliver('actions.approved.v1', [{ type: 'ActionApproved', data: approved(more) }]);
const settledBy = (executor: string, ...events: ReturnType<typeof settled>[]) =>
  harness.deliver(
    `actions.settled.${executor}.v1`,
    events.map((data) => ({ type: 'ActionSettled', data: { ...data, executor }, key: 'ads-1' })),
  );
const listed = async (query = ''): Promise<{ permitId: string; executor: string }[]> =>
  (await call('GET', `/v1/settlements${query}`)).body.unresolved.map(
    ({ permitId, executor }: { permitId: string; executor: string }) => ({ permitId, executor }),
  );
const unresolved = () =>
  harness.deliver('actions.settled.action-executor.v1', [
    {
      type: 'ActionSettled',
      data: settled('unresolved', { reason: { code: 'no-answer', detail: 'no answer after 5 tries' } }),
      key: 'ads-1',
      correlationid: 'signal-1',
    },
  ]);
const settlementsDecided = () => harness.published.filter((event) => event.type === 'SettlementDecided');
const seen = { outcome: 'executed', note: 'the platform shows it' };

test('an unresolved permit is listed, and a person’s word on it goes to its executor, once', async () => {
  await start();
  await approve();
  await unresolved();
  expect((await call('GET', '/v1/settlements')).body.unresolved).toMatchObject([
    { permitId, detail: 'no answer after 5 tries', outcome: 'unresolved', decision: null },
  ]);
  expect((await call('GET', '/v1/funnel')).body.unresolved).toEqual({ open: 1 });
  const first = await call('POST', `/v1/settlements/${permitId}`, seen);
  expect(first).toMatchObject({ status: 202, body: { decision: { by: 'lea', ...seen } } });
  const again = await call('POST', `/v1/settlements/${permitId}`, seen, { authorization: 'Bearer max-token' });
  expect([again.status, again.body]).toEqual([202, first.body]);
  expect(settlementsDecided()).toMatchObject([
    {
      topic: 'settlements.decided.v1',
      key: 'ads-1',
      correlationid: 'signal-1',
      data: { permitId, executor: 'action-executor', digest: settled('unresolved').digest, by: 'lea', ...seen },
    },
  ]);
  const opposite = await call('POST', `/v1/settlements/${permitId}`, { outcome: 'failed', note: 'no' });
  expect(opposite).toMatchObject({
    status: 409,
    body: { detail: expect.stringMatching(/^lea decided at 2026-.* was executed, noting "the platform shows it"/) },
  });

  await harness.deliver('actions.settled.action-executor.v1', [
    { type: 'ActionSettled', data: settled('executed', { at: later }), key: 'ads-1' },
  ]);
  expect((await call('GET', '/v1/settlements')).body.unresolved).toEqual([]);
  expect((await call('GET', '/v1/funnel')).body.unresolved).toEqual({ open: 0 });
  expect((await call('POST', `/v1/settlements/${permitId}`, seen)).body).toMatchObject({ outcome: 'executed' });
  expect(settlementsDecided()).toHaveLength(1);
});

test('of people who decide otherwise at the same moment the first is heard', async () => {
  await start();
  await approve();
  await unresolved();
  const both = (['executed', 'failed'] as const).map((outcome) =>
    call('POST', `/v1/settlements/${permitId}`, { outcome, note: 'so it is' }),
  );
  expect((await Promise.all(both)).map(({ status }) => status).sort()).toEqual([202, 409]);
  expect(settlementsDecided()).toHaveLength(1);
});

test('only what is unresolved is decided, by a reviewer, with a note', async () => {
  await start();
  await approve();
  const url = `/v1/settlements/${permitId}`;
  expect(await call('POST', url, seen)).toMatchObject({
    status: 404,
    body: { detail: expect.stringContaining('has not ended') },
  });
  await harness.deliver('actions.settled.action-executor.v1', [
    { type: 'ActionSettled', data: settled('failed'), key: 'ads-1' },
  ]);
  expect(await call('POST', url, seen)).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining(`permit ${permitId} is failed`) },
  });
  const other = derivedId('given', 'another permit');
  await approve({ permitId: other, actionId: derivedId('another') });
  await harness.deliver('actions.settled.action-executor.v1', [
    {
      type: 'ActionSettled',
      data: settled('unresolved', { permitId: other, actionId: derivedId('another') }),
      key: 'k',
    },
  ]);
  const theirs = `/v1/settlements/${other}`;
  expect((await call('POST', theirs, seen, { authorization: 'Bearer ann-token' })).body.detail).toBe(
    'ann is no reviewer',
  );
  expect(await call('POST', theirs, { outcome: 'executed', note: ' ' })).toMatchObject({
    status: 400,
    body: { field: 'note' },
  });
  expect(await call('POST', theirs, { outcome: 'expired', note: 'x' })).toMatchObject({
    status: 400,
    body: { field: 'outcome' },
  });
  expect((await call('POST', '/v1/settlements/not-an-id', seen)).status).toBe(404);
  expect(settlementsDecided()).toEqual([]);
});

/** Another action, which the validator approved for `downstream`, and what that says of it. */
const proposalOfTheirs = derivedId('given', 'their proposal');
const theirs = {
  permitId: derivedId('given', 'permit of downstream'),
  proposalId: proposalOfTheirs,
  actionId: derivedId('action', proposalOfTheirs),
};

test('what another executor says of a permit is neither listed nor in the way of its own executor’s word', async () => {
  await start();
  await approve({ ...theirs, executor: 'downstream' });
  const { digest } = settled('unresolved');
  // In its own name on its own topic: with the bytes of the permit and with others, of the permit's action and of one of its own.
  await settledBy(
    'downstream',
    settled('unresolved', { at, connector: 'x' }),
    settled('unresolved', { at, digest: 'f'.repeat(64) }),
    settled('unresolved', { at, actionId: theirs.actionId, digest }),
  );
  await unresolved();
  // Nothing of it is known until the approval is read.
  expect(await listed()).toEqual([]);
  expect((await call('POST', `/v1/settlements/${permitId}`, seen)).status).toBe(404);
  await approve();
  await settledBy('downstream', settled('failed', { at: later }));
  expect(await listed()).toEqual([{ permitId, executor: 'action-executor' }]);
  expect((await call('GET', '/v1/funnel')).body.unresolved).toEqual({ open: 1 });
  expect((await call('POST', `/v1/settlements/${permitId}`, seen)).status).toBe(202);
  expect(settlementsDecided()).toMatchObject([
    { data: { permitId, executor: 'action-executor', connector: 'ads', digest } },
  ]);
});

test('what is unresolved is listed for any executor whose permit it is, and how a permit ended is its own executor’s word', async () => {
  await start();
  await settledBy('downstream', settled('unresolved', { ...theirs, connector: 'ledger' }));
  expect(await listed()).toEqual([]);
  await approve({ ...theirs, executor: 'downstream', connector: 'ledger' });
  expect(await listed()).toEqual([{ permitId: theirs.permitId, executor: 'downstream' }]);
  expect((await call('POST', `/v1/settlements/${theirs.permitId}`, seen)).status).toBe(202);
  expect(settlementsDecided()).toMatchObject([{ data: { ...theirs, executor: 'downstream', connector: 'ledger' } }]);

  await approve();
  await settledBy('action-executor', settled('executed'));
  await settledBy(
    'downstream',
    settled('failed', { at: later }),
    settled('unresolved', { at: later, digest: 'e'.repeat(64) }),
  );
  expect(await call('POST', `/v1/settlements/${permitId}`, seen)).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining(`permit ${permitId} is executed`) },
  });
});

test('permits that nobody approved hide none that was, however old they are said to be', async () => {
  await start();
  await approve();
  await unresolved();
  const invented = Array.from({ length: 120 }, (_, n) =>
    settled('unresolved', {
      permitId: derivedId('invented', String(n)),
      actionId: n === 0 ? actionId : derivedId('invented action', String(n)),
      at: '2020-01-01T00:00:00.000Z',
    }),
  );
  await settledBy('downstream', ...invented);
  expect(await listed('?limit=1')).toEqual([{ permitId, executor: 'action-executor' }]);
  expect(await listed()).toHaveLength(1);
  expect((await call('GET', '/v1/funnel')).body.unresolved).toEqual({ open: 1 });
});

test('a permit that was unresolved, or under way, before permits were kept is decided as before', async () => {
  await start();
  await approve();
  await unresolved();
  await approve({ ...theirs, executor: 'downstream' });
  const migration = new Permits1764300000064();
  const database = { query: harness.query } as never;
  await migration.down(database);
  await migration.up(database);
  expect(await listed()).toEqual([{ permitId, executor: 'action-executor' }]);
  expect((await call('POST', `/v1/settlements/${permitId}`, seen)).status).toBe(202);
  await settledBy('action-executor', settled('unresolved', theirs));
  await settledBy('downstream', settled('unresolved', theirs));
  expect(await listed()).toContainEqual({ permitId: theirs.permitId, executor: 'downstream' });
  expect(await listed()).toHaveLength(2);
});

const settledCounts = async (): Promise<Record<string, number>> =>
  Object.fromEntries(
    Object.entries((await call('GET', '/v1/funnel')).body.settled as Record<string, number>).filter(([, n]) => n > 0),
  );

test.each([
  ['after', true],
  ['before', false],
])(
  'the funnel counts what the executor of the approval says, read %s it, each end once, and nothing else',
  async (_when, first) => {
    await start();
    const { digest } = settled('executed');
    if (first) await approve();
    await settledBy('downstream', settled('failed'), settled('unresolved', { digest: 'e'.repeat(64) }));
    // Of bytes and permits of its own making, and of actions that nobody approved.
    await settledBy(
      'action-executor',
      settled('failed', { digest: 'f'.repeat(64) }),
      settled('failed', { permitId: theirs.permitId }),
      settled('executed', { ...theirs, digest }),
    );
    await settledBy('action-executor', settled('unresolved'), settled('unresolved'));
    if (!first) {
      expect(await settledCounts()).toEqual({});
      await approve();
    }
    expect(await settledCounts()).toEqual({ unresolved: 1 });
    await settledBy('action-executor', settled('executed'), settled('executed'), settled('failed'));
    await settledBy('action-executor', settled('failed', { digest: 'f'.repeat(64) }), settled('executed'));
    await approve();
    expect(await settledCounts()).toEqual({ unresolved: 1, executed: 1 });
    await settledBy('action-executor', settled('undone'));
    expect(await settledCounts()).toEqual({ unresolved: 1, executed: 1, undone: 1 });
  },
);

test.each(['ActionApproved', 'ActionSettled'] as const)(
  'an approval and its settlement that are read at the very same time, %s first, are counted once',
  async (type) => {
    await start();
    const isApproval = type === 'ActionApproved';
    const event = {
      topic: isApproval ? 'actions.approved.v1' : 'actions.settled.action-executor.v1',
      event: { id: 'e-1', type, time: at, data: isApproval ? approved() : settled('executed') },
    };
    let read: Promise<unknown> = Promise.resolve();
    await harness.transaction(async (tx) => {
      await writeProjection(tx, project([event as unknown as Received]), at);
      await tx.query('SELECT');
      let over = false;
      read = (isApproval ? settledBy('action-executor', settled('executed')) : approve()).finally(() => {
        over = true;
      });
      const waiting = () => harness.query('SELECT 1 FROM pg_locks WHERE NOT granted');
      while (!over && (await waiting()).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    });
    await read;
    expect(await settledCounts()).toEqual({ executed: 1 });
    await settledBy('action-executor', settled('executed'));
    expect(await settledCounts()).toEqual({ executed: 1 });
  },
);

const storedRows = async () => {
  const [row] = await harness.query<{ settlements: number; unresolved: number }>(
    `SELECT (SELECT count(*)::int FROM settlements) AS settlements, (SELECT count(*)::int FROM unresolved_permits) AS unresolved`,
  );
  return row;
};

test('what nobody approved is forgotten when no approval can come any more; what was approved is not', async () => {
  await start();
  await unresolved();
  await approve();
  await approve({ ...theirs, executor: 'downstream' });
  await settledBy('downstream', settled('unresolved', theirs));
  const invented = { permitId: derivedId('invented'), actionId: derivedId('invented action') };
  await settledBy('downstream', settled('unresolved'), settled('unresolved', invented));
  expect(await storedRows()).toEqual({ settlements: 4, unresolved: 4 });
  harness.setNow('2026-12-21T09:00:00.000Z');
  await harness.runJobs();
  expect(await storedRows()).toEqual({ settlements: 4, unresolved: 4 });
  harness.setNow('2026-12-21T10:00:01.000Z');
  await harness.runJobs();
  expect(await storedRows()).toEqual({ settlements: 2, unresolved: 2 });
  expect(await listed()).toHaveLength(2);
});

test('of what nobody approved the newest hundred thousand of each executor are kept', async () => {
  await start();
  await harness.query(
    `INSERT INTO settlements (action_id, outcome, executor, settled_at, permit_id, digest, kept_at)
     SELECT gen_random_uuid(), 'unresolved', executor, $1, gen_random_uuid(), 'd', $1::timestamptz - n * interval '1 second'
     FROM unnest(ARRAY['downstream', 'action-executor']) AS executor, generate_series(1, $2::int) AS n`,
    [at, mostWaitingSettlements],
  );
  await harness.query(`
    INSERT INTO unresolved_permits (permit_id, action_id, proposal_id, digest, executor, connector, action_key, correlation_id, at, kept_at)
    SELECT permit_id, action_id, permit_id, digest, executor, 'c', 'k', 'c', settled_at, kept_at FROM settlements`);
  const flood = Array.from({ length: 999 }, (_, n) =>
    settled('unresolved', { permitId: derivedId('invented', n), actionId: derivedId('invented action', n) }),
  );
  await settledBy('downstream', ...flood, settled('unresolved'));
  for (const table of ['settlements', 'unresolved_permits'])
    expect(await harness.query(`SELECT executor, count(*)::int AS n FROM ${table} GROUP BY 1 ORDER BY 1`)).toEqual([
      { executor: 'action-executor', n: mostWaitingSettlements },
      { executor: 'downstream', n: mostWaitingSettlements },
    ]);
  await approve({ executor: 'downstream' });
  expect(await listed()).toEqual([{ permitId, executor: 'downstream' }]);
});

test('what was kept before is counted no second time, and forgotten where nobody approved it', async () => {
  await start();
  await approve();
  await unresolved();
  await settledBy('downstream', settled('unresolved'));
  const migration = new ApprovedSettlements1764300000068();
  const database = { query: harness.query } as never;
  await migration.down(database);
  await migration.up(database);
  await approve();
  expect(await settledCounts()).toEqual({ unresolved: 1 });
  await settledBy('action-executor', settled('executed'));
  expect(await settledCounts()).toEqual({ unresolved: 1, executed: 1 });
  await harness.query(`UPDATE settlements SET kept_at = '2026-01-01Z'`);
  await harness.query(`UPDATE unresolved_permits SET kept_at = '2026-01-01Z'`);
  harness.setNow('2026-11-22T10:00:00.000Z');
  await harness.runJobs();
  expect(await storedRows()).toEqual({ settlements: 1, unresolved: 1 });
});

test('a confirmation of a control that nobody made is not kept; that of one that was made counts', async () => {
  await start();
  const confirm = (scope: string, digest: string) => ({
    type: 'ControlConfirmed' as const,
    key: scope,
    data: { scope, version: 1, digest },
  });
  const invented = Array.from({ length: 50 }, (_, n) => confirm(`account:invented-${n}`, 'f'.repeat(64)));
  await harness.deliver('controls.confirmed.downstream.v1', invented);
  expect(await harness.query('SELECT scope FROM control_confirmations')).toEqual([]);
  const scope = 'agent:paid-media-agent';
  const stop = { scope, state: 'stopped', reason: 'bids look wrong' };
  expect((await call('POST', '/v1/controls', stop)).body).toMatchObject({ unknown: ['downstream'] });
  const { data } = harness.published.findLast(({ type }) => type === 'ControlChanged') as { data: unknown };
  await harness.deliver('controls.confirmed.downstream.v1', [...invented, confirm(scope, digestOf(data))]);
  expect(await harness.query('SELECT scope, reader FROM control_confirmations')).toEqual([
    { scope, reader: 'downstream' },
  ]);
  expect((await call('GET', '/v1/controls')).body.controls).toMatchObject([
    { scope, confirmedBy: ['downstream'], unknown: [] },
  ]);
});

test('each list reads about as many rows as it shows, however many there are', async () => {
  await start();
  await escalate();
  const rows = `SELECT n, '2026-01-01Z'::timestamptz + n * interval '1 second' AS at FROM generate_series(1, 20000) AS n`;
  await harness.query(`
    INSERT INTO escalations (action_id, subject_kind, subject_id, run_id, action_key, digest, correlation_id, card, deadline_at, escalated_at)
    SELECT gen_random_uuid(), 'proposal', gen_random_uuid(), gen_random_uuid(), 'k', repeat('d', 64), 'c-' || n, (SELECT card FROM escalations LIMIT 1), at, at FROM (${rows}) r`);
  await harness.query(`
    INSERT INTO failures (dead_letter_id, service, topic, partition, "offset", fault, attempts, at)
    SELECT gen_random_uuid(), CASE WHEN n % 1000 = 0 THEN 'console' ELSE 'orchestrator' END, 't', 0, n, '{"code": "c", "detail": "d"}', 3, at FROM (${rows}) r`);
  await harness.query(`INSERT INTO replays SELECT dead_letter_id, 'lea', at FROM failures ORDER BY at DESC LIMIT 300`);
  await harness.query(`
    INSERT INTO unresolved_permits (permit_id, action_id, proposal_id, digest, executor, connector, action_key, correlation_id, at, kept_at)
    SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'd', 'e', 'c', 'k', 'c-' || n, at, at FROM (${rows}) r`);
  await harness.query(`
    INSERT INTO settlements (action_id, outcome, executor, settled_at, permit_id, digest, kept_at)
    SELECT action_id, 'unresolved', executor, at, permit_id, digest, at FROM unresolved_permits`);
  await harness.query(`
    INSERT INTO permits (action_id, permit_id, executor, digest)
    SELECT action_id, permit_id, executor, digest FROM unresolved_permits`);
  await harness.query(`
    INSERT INTO control_confirmations (scope, reader, version, digest)
    SELECT 'account:' || n, (ARRAY['guardrail-validator', 'action-executor'])[1 + n % 2], 1, 'd' FROM (${rows}) r`);
  await harness.query(`
    INSERT INTO activities (correlation_id, topic, event_id, type, subject_id, detail, at)
    SELECT 'c-' || n, 't', 'e', 'T', 's-' || n, '', at FROM (${rows}) r`);
  await harness.query(`
    INSERT INTO acknowledged_gaps
    SELECT gen_random_uuid(), 's', 't', 'i', 0, n, n + 1, 'records-deleted', 'lea', 'known', at FROM (${rows}) r`);
  // Each state has some of its own; all but the refused are rare. Somebody edited a few.
  await harness.query(`
    INSERT INTO verdicts (action_id, outcome, superseded_by, reasons, executor, decided_at)
    SELECT action_id, CASE WHEN n % 4000 = 0 THEN 'approved' ELSE 'refused' END, CASE WHEN n % 5000 = 1 THEN gen_random_uuid() END, '[]', 'e', at
    FROM (SELECT action_id, escalated_at AS at, row_number() OVER (ORDER BY escalated_at, action_id) AS n FROM escalations) e WHERE n % 3000 <> 2`);
  await harness.query(`
    INSERT INTO reviews (review_id, subject_kind, subject_id, digest, decision, by_person, decided_at)
    SELECT gen_random_uuid(), 'proposal', subject_id, digest, 'approve', 'lea', escalated_at FROM escalations`);
  await harness.query('ANALYZE');
  const asked = vi.spyOn(harness.engine, 'readForPage');
  const pages = [
    'reviews',
    ...['open', 'answered', 'refused', 'superseded'].map((state) => `reviews?state=${state}`),
    'dead-letters',
    'dead-letters?service=console',
    'settlements',
    'gaps/acknowledged',
    'controls',
  ];
  for (const page of [...pages, 'events?correlation=s-7']) expect((await call('GET', `/v1/${page}`)).status).toBe(200);
  expect(asked.mock.calls.length).toBeGreaterThan(pages.length);
  for (const [sql, params] of asked.mock.calls)
    expect({ sql, costly: await costlyParts(harness.query, sql, params) }).toEqual({ sql, costly: [] });
});
