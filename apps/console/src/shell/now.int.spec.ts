import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DataOf, derivedId } from '@countersign/contracts';
import { createHarness, type Given, type Harness, tablesOf } from '@countersign/runtime/harness';
import { copyTestDatabase, costlyParts, type TestDatabase } from '@countersign/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { approved, at, checkpoint, deadLetter, escalated, proposalId, refused, settled, task } from '../core/given.js';
import { ConsoleModule, spec } from '../module.js';
import { NowStore } from './now.repository.js';

let database: TestDatabase;
let harness: Harness;
let folder: string;
const later = '2026-11-21T10:30:00.000Z';

beforeEach(async () => {
  database = await copyTestDatabase(tablesOf(spec));
  folder = mkdtempSync(join(tmpdir(), 'console-'));
  const sha256 = createHash('sha256').update('lea-token').digest('hex');
  const people = [{ sha256, person: 'lea', roles: ['reviewer', 'operator'] }];
  writeFileSync(join(folder, 'tokens.json'), JSON.stringify(people));
  process.env.CONSOLE_TOKENS_FILE = join(folder, 'tokens.json');
  process.env.CONFIG_DIR = fileURLToPath(new URL('../../../../deploy/config', import.meta.url));
  process.env.CONTROL_CONFIRM_MS = '0';
  harness = await createHarness(ConsoleModule, spec, { databaseUrl: database.url, at });
  harness.engine.membersOf = async () => new Map([['orchestrator', 1]]);
});

afterEach(async () => {
  vi.useRealTimers();
  await harness?.close();
  await database.close();
  rmSync(folder, { recursive: true });
});

const call = async (method: 'GET' | 'POST', url: string, payload?: object) => {
  const response = await harness.app.inject({
    method,
    url,
    headers: { authorization: 'Bearer lea-token' },
    ...(payload && { payload }),
  });
  expect([response.statusCode, response.json()]).toEqual([200, expect.anything()]);
  return response.json();
};
const now = () => call('GET', '/v1/now');
const queue = (scope: string) => call('GET', `/v1/queue?scope=${scope}`);

const reservations = (amount: number, day = '2026-11-21'): DataOf<'ActionApproved'>['reservations'] => [
  { ledger: `spend:ad-account:ads-1:${day}`, amount, currency: 'EUR' },
  { ledger: `spend:campaign:c-2:${day}`, amount, currency: 'EUR' },
];
/** Action number n: approved with money, and settled as its executor says. */
const ids = (n: number) => {
  const proposal = derivedId('given', `proposal ${n}`);
  const actionId = derivedId('action', proposal);
  return { proposalId: proposal, actionId, permitId: derivedId('given', `permit ${n}`) };
};
const approval = (n: number, more: Partial<DataOf<'ActionApproved'>> = {}): Given => ({
  type: 'ActionApproved',
  id: `approval-${n}`,
  data: approved({ ...ids(n), reservations: reservations(10_000), ...more }),
});
const settlement = (n: number, outcome: DataOf<'ActionSettled'>['outcome'], more = {}): Given => ({
  type: 'ActionSettled',
  id: `settlement-${n}-${outcome}`,
  data: settled(outcome, { ...ids(n), ...more }),
});
const approve = (...events: Given[]) => harness.deliver('actions.approved.v1', events);
const settle = (...events: Given[]) => harness.deliver('actions.settled.action-executor.v1', events);

test('a card whose agent wrote a NUL and half of a surrogate pair is found like any other', async () => {
  await harness.deliver('actions.escalated.v1', [
    { type: 'ActionEscalated', data: escalated({ rationale: 'c-2 \u0000 more \ud83d' }) },
  ]);
  expect((await queue('agent:paid-media-agent')).reviews).toMatchObject({ count: 1 });
});

test('money of the day is held until its action settles, spent when it was executed, and free again else', async () => {
  await approve(approval(1), approval(2), approval(3), approval(4), approval(5));
  await settle(settlement(1, 'executed'), settlement(2, 'failed'), settlement(3, 'unresolved'));
  await settle(settlement(4, 'executed', { spentMinor: 12_500 }));
  const figure = { currency: 'EUR', day: '2026-11-21', heldMinor: 20_000, committedMinor: 22_500 };
  const charter = { agents: ['paid-media-agent'] };
  const { spend } = await now();
  const unnamed = { ...figure, ...charter, name: null };
  expect(spend.adAccounts).toEqual([{ ...unnamed, id: 'ads-1', capMinor: 300_000 }]);
  expect(spend.campaigns).toEqual([{ ...unnamed, id: 'c-2', capMinor: 50_000 }]);
  expect(spend.agents).toEqual([{ ...unnamed, id: 'paid-media-agent', capMinor: null }]);

  await settle(settlement(3, 'executed'), settlement(1, 'undone'));
  expect((await now()).spend.campaigns).toMatchObject([{ heldMinor: 10_000, committedMinor: 22_500 }]);
});

test('what a campaign spends has its name, unless campaigns of the same id in several ad accounts are called differently', async () => {
  const campaign = (adAccountId: string, campaignId: string, name: string) => ({
    type: 'ProfileChanged' as const,
    key: `campaign:${adAccountId} ${campaignId}`,
    data: {
      ...{ kind: 'campaign' as const, adAccountId, campaignId, name, currency: 'EUR', status: 'active' as const },
      ...{ days: [], version: 1, changedAt: at },
    },
  });
  await harness.deliver('profiles.v1', [campaign('ads-1', 'c-2', 'Search, DACH'), campaign('ads-2', 'c-1', 'Other')]);
  await approve(approval(1));
  const named = async () =>
    (await now()).spend.campaigns.map(({ id, name }: { id: string; name: string }) => [id, name]);
  expect(await named()).toEqual([['c-2', 'Search, DACH']]);
  const other = reservations(10).map((part) => ({ ...part, ledger: part.ledger.replace('ads-1', 'ads-2') }));
  await approve(approval(2, { reservations: other }));
  expect(await named()).toEqual([['c-2', 'Search, DACH']]);
  await harness.deliver('profiles.v1', [campaign('ads-2', 'c-2', 'Display')]);
  expect(await named()).toEqual([['c-2', null]]);
});

test("an approval of another action than the proposal's own is on the record, and holds, spends and runs nothing", async () => {
  const forged = { actionId: derivedId('forged', 'action'), permitId: derivedId('forged', 'permit') };
  await approve(approval(1), { ...approval(1, forged), id: 'forged' });
  expect((await now()).spend.campaigns).toMatchObject([{ heldMinor: 10_000, committedMinor: 0 }]);
  await settle(settlement(1, 'executed'));
  expect((await now()).spend.campaigns).toMatchObject([{ heldMinor: 0, committedMinor: 10_000 }]);
  expect((await queue('all')).approved).toMatchObject({ count: 0, due: 0, first: [] });

  // The edit of a review is its own action, and a review that edits nothing makes no other.
  const review = { reviewId: derivedId('given', 'review'), by: 'lea' };
  const fromReview = { actionId: derivedId('action', review.reviewId), permitId: derivedId('given', 'permit 2') };
  const { proposalId: second } = ids(2);
  await approve(approval(2, { ...fromReview, proposalId: second, review: { ...review, decision: 'approve' } }));
  expect((await queue('all')).approved).toMatchObject({ count: 0 });
  await approve(approval(3, { ...fromReview, proposalId: second, review: { ...review, decision: 'edit' } }));
  expect((await queue('all')).approved).toMatchObject({ count: 1, first: [{ actionId: fromReview.actionId }] });
});

test('spend is the sum of all campaigns of the day, however many there are', async () => {
  await harness.query(`
    INSERT INTO approvals (action_id, proposal_id, permit_id, executor, agent, play, kind, accounts, detail, not_before, expires_at, approved_at, day, ad_account_id, campaign_id, amount_minor, currency)
    SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'e', 'paid-media-agent', 'p', 'k', '{}', 'd', '${at}', '${at}', '${at}', '2026-11-21', 'ads-1', 'c-' || n, n, 'EUR'
    FROM generate_series(1, 10500) AS n`);
  const { spend } = await now();
  const heldMinor = (10_500 * 10_501) / 2;
  expect(spend.adAccounts).toMatchObject([{ id: 'ads-1', heldMinor }]);
  expect(spend.agents).toMatchObject([{ id: 'paid-media-agent', heldMinor }]);
  expect(spend.campaigns).toHaveLength(20);
  expect(spend.campaigns[0]).toMatchObject({ id: 'c-10500', heldMinor: 10_500 });
  expect(spend.more).toEqual({ adAccounts: 0, campaigns: 10_480 });
});

test('what all agents spend counts against the lowest cap of those agents, on their own days, and two currencies are never added', async () => {
  const figures = harness.app.get(NowStore);
  const caps = [
    {
      agent: 'paid-media-agent',
      day: '2026-11-22',
      currency: 'EUR',
      adAccountMinor: 1_000,
      campaignMinor: 300,
      agentMinor: 800,
    },
    { agent: 'seo', day: '2026-11-21', currency: 'EUR', adAccountMinor: 900, campaignMinor: 400, agentMinor: null },
  ];
  const spent = (n: number, agent: string, day: string, amount: number, currency = 'EUR') =>
    approval(n, {
      agent,
      reservations: reservations(amount, day).map((reservation) => ({ ...reservation, currency })),
    });
  await approve(
    spent(1, 'paid-media-agent', '2026-11-21', 5_000),
    spent(2, 'paid-media-agent', '2026-11-22', 100),
    spent(3, 'seo', '2026-11-21', 7),
    spent(4, 'seo', '2026-11-21', 50),
    spent(5, 'stranger', '2026-11-21', 1),
    spent(6, 'seo', '2026-11-21', 2, 'USD'),
  );
  await settle(settlement(3, 'executed'));
  const found = await figures.spend(caps, '2026-11-21');
  expect(found['ad-account']).toEqual({
    count: 3,
    first: [
      // 100 of 1,000 is more than 58 of 900.
      ...[['2026-11-22', 'EUR', 100, 0, 1_000, ['paid-media-agent']] as const],
      ...[['2026-11-21', 'EUR', 51, 7, 900, ['seo', 'stranger']] as const],
      ...[['2026-11-21', 'USD', 2, 0, null, ['seo']] as const],
    ].map(([day, currency, heldMinor, committedMinor, capMinor, agents]) => ({
      ...{ id: 'ads-1', name: null, day, currency, heldMinor, committedMinor, capMinor, agents },
    })),
  });
  expect(found.campaign.first.map(({ id, capMinor }) => [id, capMinor])).toEqual([
    ['c-2', 300],
    ['c-2', 400],
    // The console compares no currencies.
    ['c-2', null],
  ]);
  // A charter need not have a cap on all that its agent spends, and an agent without a charter has none at all.
  expect(found.agent.first.map(({ id, currency, heldMinor, capMinor }) => [id, currency, heldMinor, capMinor])).toEqual(
    [
      ['paid-media-agent', 'EUR', 100, 800],
      ['seo', 'EUR', 50, null],
      ['seo', 'USD', 2, null],
      ['stranger', 'EUR', 1, null],
    ],
  );
});

test('figures do not depend on the order of topics, nor on how often an event is delivered', async () => {
  const approvals = [1, 2, 3].map((n) => approval(n));
  const ends = [settlement(1, 'unresolved'), settlement(1, 'executed'), settlement(2, 'failed')];
  await settle(...ends);
  // Nothing is spent by the word of an executor alone.
  expect((await now()).spend.adAccounts).toEqual([]);
  await harness.deliver('tasks.settled.paid-media-agent.v1', [
    { type: 'TaskSettled', id: 'answer', data: answer, key: 'k' },
  ]);
  await approve(...approvals);
  await harness.deliver('tasks.assigned.v1', [{ type: 'TaskAssigned', id: 'task', data: task() }]);
  const first = await now();
  expect(first.spend.adAccounts).toMatchObject([{ heldMinor: 10_000, committedMinor: 10_000 }]);
  expect(first.rates).toMatchObject([
    { stage: 'signals', lastHour: 0 },
    { stage: 'tasks', lastHour: 1 },
    { stage: 'proposals', lastHour: 0 },
    { stage: 'verdicts', lastMinute: 3, lastHour: 3, byLabel: { approved: 3 } },
    { stage: 'settlements', lastHour: 3, byLabel: { unresolved: 1, executed: 1, failed: 1 } },
  ]);
  expect((await queue('all')).tasks.count).toBe(0);

  await approve(...approvals);
  await settle(...ends);
  await harness.deliver('tasks.assigned.v1', [{ type: 'TaskAssigned', id: 'task', data: task() }]);
  expect(await now()).toEqual(first);
});

const answer: DataOf<'TaskSettled'> = {
  taskId: task().taskId,
  agent: 'paid-media-agent',
  play: task().play,
  outcome: 'declined',
  reason: 'nothing to do',
  proposalIds: [],
  at,
};

test('an agent ends no task of another one, whether it speaks before the task or after it', async () => {
  const foreign = { ...answer, agent: 'sequencing-agent' } as const;
  const settled = (id: string, topic: string, data: DataOf<'TaskSettled'>) =>
    harness.deliver(topic, [{ type: 'TaskSettled', id, data, key: 'k' }]);
  await settled('foreign-1', 'tasks.settled.sequencing-agent.v1', foreign);
  await harness.deliver('tasks.assigned.v1', [{ type: 'TaskAssigned', id: 'task', data: task() }]);
  expect((await queue('all')).tasks.count).toBe(1);
  await settled('foreign-2', 'tasks.settled.sequencing-agent.v1', foreign);
  await settled('foreign-3', 'tasks.settled.sequencing-agent.v1', answer);
  expect((await queue('all')).tasks.count).toBe(1);
  await settled('own', 'tasks.settled.paid-media-agent.v1', answer);
  expect((await queue('all')).tasks.count).toBe(0);
});

test('another executor spends nothing and ends nothing', async () => {
  await approve(approval(1));
  await harness.deliver('actions.settled.downstream.v1', [
    settlement(1, 'executed', { executor: 'downstream', spentMinor: 1_000_000 }),
  ]);
  expect((await now()).spend.adAccounts).toMatchObject([{ heldMinor: 10_000, committedMinor: 0 }]);
  expect((await queue('all')).approved.count).toBe(1);
});

test('steps are told of the last minute and hour by their own time, and forgotten', async () => {
  const signal = (id: string, time: string): Given => ({ type: 'ActionRefused', id, time, data: refused() });
  await harness.deliver('actions.refused.v1', [
    signal('old', '2026-11-21T08:59:00.000Z'),
    signal('within', '2026-11-21T09:30:00.000Z'),
    signal('now', '2026-11-21T09:59:58.000Z'),
    signal('ahead', '2026-11-21T12:00:00.000Z'),
  ]);
  const rate = async () => (await now()).rates[3];
  expect(await rate()).toMatchObject({ stage: 'verdicts', lastMinute: 2, lastHour: 3, byLabel: { refused: 3 } });
  harness.setNow('2026-11-21T10:31:00.000Z');
  expect(await rate()).toMatchObject({ lastMinute: 0, lastHour: 2 });
  harness.setNow('2026-11-21T12:30:00.000Z');
  expect(await rate()).toMatchObject({ lastHour: 0 });
  await harness.runJobs();
  expect(await harness.query('SELECT * FROM recent_steps')).toEqual([]);
});

test('what waits for a person is told with how long, the nearest deadline first', async () => {
  const other = derivedId('given', 'other');
  await harness.deliver('actions.escalated.v1', [
    { type: 'ActionEscalated', data: escalated() },
    {
      type: 'ActionEscalated',
      data: escalated({
        proposalId: other,
        actionId: derivedId('action', other),
        deadline: '2026-11-21T10:20:00.000Z',
      }),
    },
  ]);
  await harness.deliver('tasks.escalated.v1', [{ type: 'TaskEscalated', data: checkpoint() }]);
  await harness.deliver('orchestrator.dead-letters.v1', [{ type: 'DeadLetter', data: deadLetter() }]);
  await approve(approval(1));
  await settle(settlement(1, 'unresolved'));
  const { waiting, funnel } = await now();
  expect(waiting.reviews).toMatchObject({ count: 3, oldestAt: at });
  expect(waiting.reviews.first.map(({ id }: { id: string }) => id)[0]).toBe(other);
  expect(waiting.reviews.first).toContainEqual({
    ...{ id: checkpoint().checkpointId, subject: 'checkpoint', agent: null, account: null, campaigns: [] },
    ...{ play: 'Return below its floor', detail: 'one task for paid-media-agent' },
    ...{ since: at, deadline: checkpoint().deadline },
  });
  expect(waiting.unresolved).toMatchObject({
    count: 1,
    first: [
      {
        permitId: ids(1).permitId,
        action: { detail: 'move EUR 600.00 of daily budget from c-1 to c-2', people: [], campaigns: [] },
        decidedBy: null,
      },
    ],
  });
  expect(waiting.deadLetters).toEqual({
    ...{ count: 1, oldestAt: at, byService: [{ service: 'orchestrator', n: 1, oldestAt: at }] },
  });
  expect(funnel.reviews.open).toBe(3);
  harness.setNow(later);
  expect((await now()).waiting.reviews.first.map(({ id }: { id: string }) => id)).not.toContain(other);
});

test('a stop in force is told with who and why and who has not confirmed it, and when it was lifted, as lifted lately', async () => {
  const stop = { scope: 'all', state: 'stopped', reason: 'incident 12' };
  await call('POST', '/v1/controls', stop);
  const { stops, services } = await now();
  expect(stops).toMatchObject([
    {
      ...{ scope: 'all', by: 'lea', reason: 'incident 12', changedAt: at, confirmed: false },
      notConfirmedBy: ['guardrail-validator', 'action-executor'],
    },
  ]);
  const health = (name: string) => services.find(({ service }: { service: string }) => service === name);
  expect(health('action-executor')).toMatchObject({ controlsNotConfirmed: 1, state: 'not-confirmed' });
  await call('POST', '/v1/controls', { ...stop, state: 'running', reason: 'over' });
  const lifted = { scope: 'all', state: 'running', by: 'lea', reason: 'over', changedAt: at, confirmed: false };
  expect(await now()).toMatchObject({ stops: [], lifted: [lifted] });
  harness.setNow('2026-11-28T10:00:00.001Z');
  expect(await now()).toMatchObject({ lifted: [] });
});

test('rejected permits are told by executor and reason with how many and when, for seven days', async () => {
  expect((await now()).permitsRejected).toEqual({ count: 0, first: [] });
  const reject = (n: number, executor: string, code: string, time: string, proposal?: string) =>
    harness.deliver(`actions.settled.${executor}.v1`, [
      {
        ...{ type: 'PermitRejected', id: `rejection-${executor}-${n}`, time },
        data: {
          ...{ executor, reason: { code, detail: `its ${code} is wrong` }, topic: 'actions.approved.v1', partition: 0 },
          ...{ offset: String(n), at: time, ...(proposal !== undefined && { proposalId: proposal }) },
        },
      },
    ]);
  await reject(1, 'action-executor', 'signature', '2026-11-21T09:00:00.000Z', 'p-1');
  await reject(2, 'action-executor', 'digest', '2026-11-21T09:10:00.000Z');
  await reject(3, 'action-executor', 'signature', '2026-11-21T09:20:00.000Z', 'p-3');
  const detail = (code: string) => `action-executor rejected a permit: its ${code} is wrong`;
  expect((await now()).permitsRejected).toEqual({
    count: 3,
    first: [
      { detail: detail('signature'), count: 2, lastAt: '2026-11-21T09:20:00.000Z', proposalId: 'p-3' },
      { detail: detail('digest'), count: 1, lastAt: '2026-11-21T09:10:00.000Z', proposalId: null },
    ],
  });
  harness.setNow('2026-11-28T09:15:00.000Z');
  expect((await now()).permitsRejected).toMatchObject({ count: 1, first: [{ detail: detail('signature'), count: 1 }] });
});

test('a lifted stop that a service has not confirmed counts for its health, until it confirms', async () => {
  const scope = 'agent:paid-media-agent';
  const missing = async () => {
    const { services } = await now();
    const health = (name: string) => services.find(({ service }: { service: string }) => service === name);
    return ['guardrail-validator', 'action-executor'].map((name) => health(name).controlsNotConfirmed);
  };
  for (const state of ['stopped', 'running']) await call('POST', '/v1/controls', { scope, state, reason: 'a test' });
  await call('POST', '/v1/controls', { scope: 'all', state: 'stopped', reason: 'a test' });
  expect(await missing()).toEqual([2, 2]);
  const confirm = (reader: string, version: number) =>
    harness.deliver(`controls.confirmed.${reader}.v1`, [
      { type: 'ControlConfirmed', key: scope, data: { scope, version, digest: 'ab'.repeat(32) } },
    ]);
  await confirm('action-executor', 1);
  expect(await missing()).toEqual([2, 2]);
  await confirm('action-executor', 2);
  expect(await missing()).toEqual([2, 1]);
});

test('a service is confirmed while the broker counts its instances, and the page does not wait for a broker that is away', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const health = async (name: string) =>
    (await now()).services.find(({ service }: { service: string }) => service === name);
  await harness.deliver('orchestrator.dead-letters.v1', [{ type: 'DeadLetter', data: deadLetter() }]);
  vi.advanceTimersByTime(5_000);
  expect(await health('orchestrator')).toMatchObject({
    ...{ state: 'confirmed', instances: 1, lastMemberAt: at, lastEventAt: at, openDeadLetters: 1 },
  });
  expect(await health('audit-recorder')).toMatchObject({ state: 'not-confirmed', instances: 0, lastMemberAt: null });
  expect(await health('downstream')).toMatchObject({ state: 'not-confirmed', elsewhere: true });

  harness.engine.membersOf = () => new Promise(() => undefined);
  harness.setNow('2026-11-21T10:01:00.000Z');
  vi.advanceTimersByTime(5_000);
  expect(await health('orchestrator')).toMatchObject({ state: 'not-confirmed', instances: null, lastMemberAt: at });
});

test('the queue of a scope is what its stop reaches', async () => {
  await harness.deliver('tasks.assigned.v1', [{ type: 'TaskAssigned', data: task() }]);
  await harness.deliver('actions.escalated.v1', [{ type: 'ActionEscalated', data: escalated() }]);
  await approve(approval(1), approval(2, { notBefore: later, expiresAt: '2026-11-21T10:45:00.000Z' }), approval(3));
  await settle(settlement(3, 'executed'));
  const counts = async (scope: string) => {
    const { tasks, reviews, approved } = await queue(scope);
    return [tasks.count, reviews.count, approved.count, approved.due];
  };
  for (const scope of [
    'all',
    'agent:paid-media-agent',
    'play:return-below-floor',
    'channel:advertising',
    'account:ads-1',
  ])
    expect([scope, await counts(scope)]).toEqual([scope, [1, 1, 2, 1]]);
  expect(await counts('account:acme')).toEqual([0, 1, 2, 1]);
  for (const scope of ['agent:sequencing-agent', 'play:other', 'channel:email', 'account:other'])
    expect([scope, await counts(scope)]).toEqual([scope, [0, 0, 0, 0]]);
  expect((await queue('all')).approved.first[0]).toMatchObject({
    actionId: ids(1).actionId,
    detail: 'move EUR 600.00 of daily budget from c-1 to c-2',
  });
  expect((await queue('all')).reviews.first).toMatchObject([{ id: proposalId, agent: 'paid-media-agent' }]);

  harness.setNow('2026-11-21T10:16:00.000Z');
  // The first permit has expired; the task may still be answered.
  expect(await counts('all')).toEqual([1, 1, 1, 0]);
  harness.setNow('2026-11-30T10:00:00.000Z');
  await harness.runJobs();
  expect(await harness.query('SELECT task_id FROM pending_tasks UNION ALL SELECT action_id FROM approvals')).toEqual(
    [],
  );
});

test('a person who has several pages open at the same time is answered on each', async () => {
  const asks = [1, 2, 3].flatMap(() => [now(), queue('all'), call('GET', '/v1/controls')]);
  for (const answered of await Promise.all(asks)) expect(answered).not.toHaveProperty('title');
});

test('the page and the queue read what waits and what is of today, however much there was before', async () => {
  await harness.deliver('actions.escalated.v1', [{ type: 'ActionEscalated', data: escalated() }]);
  const rows = `SELECT n, '2026-01-01Z'::timestamptz + n * interval '1 second' AS at FROM generate_series(1, 20000) AS n`;
  await harness.query(`
    INSERT INTO escalations (action_id, subject_kind, subject_id, run_id, action_key, digest, correlation_id, card, deadline_at, escalated_at)
    SELECT gen_random_uuid(), 'proposal', gen_random_uuid(), gen_random_uuid(), 'k', repeat('d', 64), 'c-' || n, (SELECT card FROM escalations LIMIT 1), at, at FROM (${rows}) r`);
  await harness.query(`
    INSERT INTO approvals (action_id, proposal_id, permit_id, executor, agent, play, kind, accounts, detail, not_before, expires_at, approved_at, day, ad_account_id, amount_minor, currency)
    SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'e', 'paid-media-agent', 'p', 'k', '{}', 'd', at, at, at, (at AT TIME ZONE 'UTC')::date::text, 'ads-1', 100, 'EUR' FROM (${rows}) r`);
  await harness.query(`
    INSERT INTO settlements (action_id, outcome, executor, settled_at, kept_at, approved)
    SELECT action_id, 'executed', 'e', approved_at, approved_at, true FROM approvals`);
  await harness.query(`
    INSERT INTO pending_tasks (task_id, agent, play, purpose, assigned_at, due_at, kept_at, answered_at)
    SELECT gen_random_uuid(), 'a', 'p', 'd', at, at, at, CASE WHEN n % 2 = 0 THEN at END FROM (${rows}) r`);
  await harness.query(`
    INSERT INTO failures (dead_letter_id, service, topic, partition, "offset", fault, attempts, at)
    SELECT gen_random_uuid(), 'orchestrator', 't', 0, n, '{"code": "c", "detail": "d"}', 3, at FROM (${rows}) r WHERE n <= 1500`);
  await harness.query(`INSERT INTO recent_steps SELECT at, 'tasks', 'all', 1 FROM (${rows}) r`);
  await harness.query('ANALYZE');
  const asked = vi.spyOn(harness.engine, 'readForPage');
  await now();
  for (const scope of ['all', 'agent:paid-media-agent', 'account:acct-1']) await queue(scope);
  for (const [sql, params] of asked.mock.calls)
    expect({ sql, costly: await costlyParts(harness.query, sql, params) }).toEqual({ sql, costly: [] });
  vi.restoreAllMocks();
});
