import {
  mostWaitingSettlements,
  type Play,
  policyDigests,
  type ReviewDecided,
  type SignalAccepted,
  type TaskAssigned,
  type TaskEscalated,
  type TaskReviewSetAside,
} from '@countersign/contracts';
import { createHarness, type Harness, readingToken, tablesOf } from '@countersign/runtime/harness';
import { copyTestDatabase, costlyParts, type TestDatabase } from '@countersign/testing';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { accountProfile, contact, daysBefore, engaged, floorPlay, now, reported, surgePlay } from '../core/testing.js';
import { OrchestratorModule, spec } from '../module.js';
import { WaitingSettlements1764300000067 } from './migrations/waiting-settlements-1764300000067.js';

const { headers, remove } = readingToken();
afterAll(remove);

let database: TestDatabase;
let service: Harness;

beforeEach(async () => {
  database = await copyTestDatabase(tablesOf(spec));
  service = await createHarness(OrchestratorModule, spec, { databaseUrl: database.url, at: now });
  await service.putState('profiles.v1', 'account:acme', accountProfile('acme', 1));
});
afterEach(async () => {
  await service?.close();
  await database?.close();
});

const publishPolicy = (plays = [surgePlay, floorPlay], version = 1) => {
  const content = {
    charters: [],
    plays,
    sequences: [],
    rules: {
      permitSeconds: 60,
      contactFrequency: { touches: 1, days: 1 },
      firstTouchNeedsPerson: [],
      prohibitedKinds: [],
      creativeNeedsPerson: true,
      maxProposalBytes: 1000,
    },
    routes: [],
  };
  return service.putState('policies.v1', 'main', {
    bundle: 'main',
    ...policyDigests(content),
    by: 'dana',
    content,
    version,
    changedAt: now,
  });
};
const control = (state: 'stopped' | 'running', version: number) =>
  service.putState('controls.v1', 'play:surge', {
    scope: 'play:surge',
    state,
    by: 'lea',
    reason: 'a test',
    version,
    changedAt: now,
  });

let signals = 0;
const accept = (...events: SignalAccepted[]) =>
  service.deliver(
    'signals.accepted.v1',
    events.map((data) => ({ type: 'SignalAccepted', data, id: `accepted-${signals++}`, correlationid: data.signalId })),
  );
const get = async <T>(url: string): Promise<T> => (await service.app.inject({ url, headers })).json();
interface Listed {
  runs: { runId: string; state: string; reason: string }[];
}
interface RunAnswer {
  state: string;
  tasks: {
    taskId: string;
    agent: string;
    state: string;
    overdueAt: string | null;
    proposals: { proposalId: string; outcome: string }[];
  }[];
  checkpoint: { answer: string | null; answers: { outcome: string; reason: string | null }[] } | null;
}

test('a surge across batches becomes one run with a task for each agent, caused by the signal that completed it', async () => {
  await publishPolicy();
  expect(await accept(engaged('ann', 3), engaged('bob', 1))).toEqual([]);
  const out = await accept(engaged('cyn', 0), engaged('dan', 0));
  expect(out.map((e) => [e.topic, e.key, e.correlationid])).toEqual([
    ['tasks.assigned.v1', 'acme', 'cyn-0'],
    ['tasks.assigned.v1', 'acme', 'cyn-0'],
  ]);
  const task = out[0]?.data as unknown as TaskAssigned;
  expect(task.contactIds).toEqual(['ann', 'bob', 'cyn'].map(contact));
  expect(task.madeFrom).toEqual({ 'profile:account:acme': 4 });
  const { runs } = await get<Listed>('/runs');
  expect(runs).toMatchObject([{ runId: task.play.runId, state: 'started' }]);
  expect((await get<{ tasks: unknown[] }>(`/tasks?run=${task.play.runId}`)).tasks).toHaveLength(2);
});

test('a play runs also under a policy whose version is as high as a repair makes it', async () => {
  await publishPolicy(undefined, 1_763_719_200_000_000);
  const out = await accept(engaged('ann', 3), engaged('bob', 1), engaged('cyn', 0));
  expect(out.map(({ type }) => type)).toEqual(['TaskAssigned', 'TaskAssigned']);
  expect((await get<{ runs: { policyVersion: number }[] }>('/runs')).runs).toMatchObject([
    { state: 'started', policyVersion: 1_763_719_200_000_000 },
  ]);
});

test('two batches at the same time lead to one run, whichever commits first', async () => {
  await publishPolicy();
  await accept(engaged('ann', 3));
  const halves = [
    [engaged('bob', 2), engaged('cyn', 1)],
    [engaged('dan', 1), engaged('eve', 0)],
  ];
  await Promise.all(halves.map((half) => accept(...half)));
  expect((await get<Listed>('/runs')).runs).toMatchObject([{ state: 'started' }]);
  expect(service.published.filter((e) => e.type === 'TaskAssigned')).toHaveLength(2);
});

test('signals that came before any policy are kept, and count once there is one', async () => {
  expect(await accept(engaged('ann', 3), engaged('bob', 2), engaged('cyn', 1))).toEqual([]);
  await publishPolicy();
  expect(await accept(engaged('ann', 0))).toHaveLength(2);
});

test('signals that come while a play cools down are kept, and count when it does no longer', async () => {
  await publishPolicy();
  await accept(engaged('ann', 3), engaged('bob', 2), engaged('cyn', 0));
  service.setNow(daysBefore(-13));
  const during = ['dan', 'eve', 'fay'].map((name) => engaged(name, -13, { receivedAt: daysBefore(-13) }));
  expect(await accept(...during)).toEqual([]);
  service.setNow(daysBefore(-15));
  const after = await accept(engaged('gil', -15, { receivedAt: daysBefore(-15) }));
  expect(after[0]?.data).toMatchObject({ contactIds: { length: 4 } });
  expect((await get<Listed>('/runs')).runs).toHaveLength(2);
});

test('a stopped play records one suppressed run, which starts after the stop is lifted', async () => {
  await publishPolicy();
  await control('stopped', 1);
  expect(await accept(engaged('ann', 3), engaged('bob', 2), engaged('cyn', 1))).toEqual([]);
  expect(await accept(engaged('dan', 0))).toEqual([]);
  const [suppressed, ...more] = (await get<Listed>('/runs')).runs;
  expect(more).toEqual([]);
  expect(suppressed).toMatchObject({ state: 'suppressed', reason: 'lea stopped the play surge: a test' });
  await control('running', 2);
  expect(await accept(engaged('eve', 0))).toHaveLength(2);
  expect((await get<Listed>('/runs')).runs).toMatchObject([{ runId: suppressed?.runId, state: 'started' }]);
});

test('a campaign below its floor becomes a task; a corrected day is judged by its latest report', async () => {
  await publishPolicy();
  await accept(reported(3, 10_000, 9_000), reported(1, 10_000, 9_000));
  const corrected = reported(2, 10_000, 90_000, { signal: { signalId: 'corrected', occurredAt: daysBefore(0.1) } });
  expect(await accept(corrected)).toEqual([]);
  expect(await accept(reported(2, 10_000, 9_000))).toEqual([]);
  const worse = reported(2, 10_000, 0, { signal: { signalId: 'worse', occurredAt: daysBefore(0.05) } });
  const out = await accept(worse);
  expect(out).toMatchObject([{ key: 'ads-1', data: { adAccountId: 'ads-1', campaignId: 'c-1', contactIds: [] } }]);
  expect(await accept(reported(0, 10_000, 0))).toEqual([]);
});

const approve = ({ taskId, agent, play }: TaskAssigned, proposalId: string, more: object = {}) =>
  service.deliver('actions.approved.v1', [
    {
      type: 'ActionApproved',
      data: {
        ...{ proposalId, actionId: contact('action'), taskId, agent, play, digest: 'a'.repeat(64) },
        verdict: {
          outcome: 'approved',
          reasons: [],
          tier: 'auto',
          policy: { version: 1, digest: null },
          at: now,
        },
        action: { actionId: contact('action'), kind: 'email.send', payload: {} },
        ...{ permit: 'a.b.c', permitId: contact('permit'), executor: 'action-executor', connector: 'crm' },
        ...{ notBefore: now, expiresAt: now, reservations: [], ...more },
      },
    },
  ]);

/** A task with one proposal, and what is told of it. */
async function oneProposal() {
  await publishPolicy();
  const [bid] = (await accept(engaged('ann', 3), engaged('bob', 2), engaged('cyn', 1))).map(
    (e) => e.data as TaskAssigned,
  );
  if (!bid) throw new Error('a task expected');
  const { agent, taskId, play } = bid;
  const proposalId = contact('proposal');
  const data = { taskId, agent, play, outcome: 'proposed', reason: 'r', proposalIds: [proposalId], at: now };
  await service.deliver(`tasks.settled.${agent}.v1`, [{ type: 'TaskSettled', data }]);
  const settle = (executor: string, ...changes: object[]) =>
    service.deliver(
      `actions.settled.${executor}.v1`,
      changes.map((more) => ({
        type: 'ActionSettled',
        data: {
          ...{ permitId: contact('permit'), actionId: contact('action'), proposalId, digest: 'a'.repeat(64) },
          ...{ executor, connector: 'crm', outcome: 'executed', externalReference: executor, at: now, ...more },
        },
      })),
    );
  const proposals = async () => {
    const { tasks } = await get<RunAnswer>(`/runs/${play.runId}`);
    return tasks.find((t) => t.taskId === taskId)?.proposals;
  };
  return { bid, proposalId, settle, proposals };
}

test.each([
  ['before', true],
  ['after', false],
])(
  'a settlement counts only from the executor that the permit names, read %s the permit, whoever settles first',
  async (_name, permitFirst) => {
    const { bid, proposalId, settle, proposals } = await oneProposal();
    if (permitFirst) await approve(bid, proposalId);
    await settle('downstream', { outcome: 'failed' });
    expect(await proposals()).toMatchObject([{ outcome: 'open', executor: null, reference: null }]);
    // Its own executor of other bytes, and of a permit that is not the proposal's.
    await settle('action-executor', { digest: 'b'.repeat(64), outcome: 'failed' });
    await settle('action-executor', { permitId: contact('another permit'), outcome: 'failed' });
    await settle('action-executor', {});
    if (!permitFirst) {
      expect(await proposals()).toMatchObject([{ outcome: 'open' }]);
      await approve(bid, proposalId);
    }
    const counts = { outcome: 'executed', executor: 'action-executor', reference: 'action-executor' };
    expect(await proposals()).toMatchObject([counts]);
    await settle('downstream', { at: daysBefore(-1) });
    expect(await proposals()).toMatchObject([counts]);
  },
);

test('a settlement counts from the executor of the permit when the policy routes elsewhere by then', async () => {
  const { bid, proposalId, settle, proposals } = await oneProposal();
  await approve(bid, proposalId, { executor: 'downstream' });
  await publishPolicy([surgePlay, floorPlay], 2);
  await settle('action-executor', { outcome: 'failed' });
  await settle('downstream', {});
  expect(await proposals()).toMatchObject([{ outcome: 'executed', executor: 'downstream' }]);
});

test('the one end of a permit stands, whatever its executor says later or with whatever time', async () => {
  const { bid, proposalId, settle, proposals } = await oneProposal();
  await approve(bid, proposalId);
  const [early, late] = [daysBefore(1), daysBefore(-1)];
  await settle('action-executor', { outcome: 'unresolved', at: late }, { at: early }, { outcome: 'failed', at: late });
  expect(await proposals()).toMatchObject([{ outcome: 'executed' }]);
  for (const outcome of ['failed', 'refused', 'expired', 'unresolved'])
    await settle('action-executor', { outcome, at: late });
  expect(await proposals()).toMatchObject([{ outcome: 'executed' }]);
  await settle('action-executor', { outcome: 'undone', at: early }, { at: late });
  expect(await proposals()).toMatchObject([{ outcome: 'undone' }]);
});

test('what was kept before permits were read stands until its permit names another executor', async () => {
  const { bid, proposalId, settle, proposals } = await oneProposal();
  const store = (executor: string) =>
    service.query(
      `INSERT INTO proposals (proposal_id, outcome, executor) VALUES ($1, 'unresolved', $2)
       ON CONFLICT (proposal_id) DO UPDATE SET executor = excluded.executor`,
      [proposalId, executor],
    );
  await store('downstream');
  expect(await proposals()).toMatchObject([{ outcome: 'unresolved', executor: 'downstream' }]);
  await approve(bid, proposalId);
  expect(await proposals()).toMatchObject([{ outcome: 'open', executor: null }]);
  await store('action-executor');
  expect(await proposals()).toMatchObject([{ outcome: 'unresolved', executor: 'action-executor' }]);
  await settle('action-executor', {});
  expect(await proposals()).toMatchObject([{ outcome: 'executed' }]);
});

/** Sweeps at a time. */
async function sweepAt(time: string): Promise<void> {
  service.setNow(time);
  await service.query(
    `INSERT INTO jobs (kind, id, due_at, payload, cause, created_at) VALUES ('sweep', $1, '1970-01-01Z', 'null', '{}', now())`,
    [time],
  );
  await service.runJobs();
}
const settlementsOf = (executor: string) =>
  service.query<{ digest: string }>('SELECT digest FROM settlements WHERE executor = $1 ORDER BY 1', [executor]);

test.each([
  ['read before it', true, false],
  ['read after it', false, false],
  ['read at the very time of it', true, true],
])(
  'settlements of permits that nobody knows are forgotten when no approval can come any more; one whose approval was %s is not',
  async (_when, permitFirst, missed) => {
    const { bid, proposalId, settle, proposals } = await oneProposal();
    if (permitFirst) await approve(bid, proposalId);
    await settle('action-executor', {}, { digest: 'b'.repeat(64) }, { permitId: contact('another permit') });
    await settle('downstream', {});
    if (!permitFirst) await approve(bid, proposalId);
    // Neither transaction has seen the other's row.
    if (missed) await service.query('UPDATE settlements SET waiting = true');
    await sweepAt(daysBefore(-29));
    expect([(await settlementsOf('action-executor')).length, (await settlementsOf('downstream')).length]).toEqual([
      3, 1,
    ]);
    await sweepAt(daysBefore(-30));
    expect([await settlementsOf('action-executor'), await settlementsOf('downstream')]).toEqual([
      [{ digest: 'a'.repeat(64) }],
      [],
    ]);
    expect(await proposals()).toMatchObject([{ outcome: 'executed' }]);
    await sweepAt(daysBefore(-400));
    expect(await settlementsOf('action-executor')).toHaveLength(1);
  },
);

test('of the settlements of permits that nobody knows about the newest hundred thousand of each executor are kept', async () => {
  const { bid, proposalId, settle, proposals } = await oneProposal();
  await service.query(
    `INSERT INTO settlements (permit_id, executor, digest, outcome, settled_at, kept_at, waiting)
     SELECT gen_random_uuid(), executor, '', 'executed', $1, $1::timestamptz - n * interval '1 second', true
     FROM unnest(ARRAY['downstream', 'action-executor']) AS executor, generate_series(1, $2::int) AS n`,
    [now, mostWaitingSettlements],
  );
  const flood = Array.from({ length: 999 }, (_, n) => ({ permitId: contact(`invented ${n}`) }));
  await settle('downstream', ...flood, {});
  const counts = await service.query(
    `SELECT executor, count(*)::int AS n, min(kept_at) FILTER (WHERE executor = 'downstream') AS oldest
     FROM settlements GROUP BY 1 ORDER BY 1`,
  );
  const oldest = new Date(Date.parse(now) - (mostWaitingSettlements - 1_000) * 1_000);
  expect(counts).toEqual([
    { executor: 'action-executor', n: mostWaitingSettlements, oldest: null },
    { executor: 'downstream', n: mostWaitingSettlements, oldest },
  ]);
  await approve(bid, proposalId, { executor: 'downstream' });
  expect(await proposals()).toMatchObject([{ outcome: 'executed', executor: 'downstream' }]);
});

test('of what was kept before, what met its permit is kept on, and the rest waits from the upgrade on', async () => {
  const { bid, proposalId, settle, proposals } = await oneProposal();
  await approve(bid, proposalId);
  await settle('action-executor', {}, { digest: 'b'.repeat(64) });
  const migration = new WaitingSettlements1764300000067();
  const runner = { query: service.query } as never;
  await migration.down(runner);
  await migration.up(runner);
  expect(await service.query('SELECT digest, waiting FROM settlements ORDER BY 1')).toEqual([
    { digest: 'a'.repeat(64), waiting: false },
    { digest: 'b'.repeat(64), waiting: true },
  ]);
  expect(await proposals()).toMatchObject([{ outcome: 'executed' }]);
});

test('outcomes are listed with their tasks, in whatever order they arrive', async () => {
  await publishPolicy();
  const out = await accept(engaged('ann', 3), engaged('bob', 2), engaged('cyn', 1));
  const [bid, follow] = out.map((e) => e.data as TaskAssigned);
  if (!bid || !follow) throw new Error('two tasks expected');
  const [executed, refused] = [contact('proposal 1'), contact('proposal 2')];
  const settlement = {
    permitId: contact('permit'),
    actionId: contact('action'),
    proposalId: executed,
    digest: 'a'.repeat(64),
    executor: 'action-executor',
    connector: 'crm',
    outcome: 'executed',
    externalReference: 'crm-1',
    at: now,
  };
  const later = new Date(Date.parse(now) + 1000).toISOString();
  await approve(follow, executed);
  await service.deliver('actions.settled.action-executor.v1', [{ type: 'ActionSettled', data: settlement }]);
  const settled = (task: TaskAssigned, agent: string, given: object) => ({
    type: 'TaskSettled',
    data: { taskId: task.taskId, agent, play: task.play, reason: 'because', proposalIds: [], at: now, ...given },
  });
  await service.deliver('tasks.settled.paid-media-agent.v1', [
    settled(bid, 'paid-media-agent', { outcome: 'declined' }),
    settled(follow, 'sequencing-agent', { outcome: 'declined', proposalIds: [contact('forged')] }),
  ]);
  await service.deliver('tasks.settled.sequencing-agent.v1', [
    settled(follow, 'sequencing-agent', { outcome: 'proposed', proposalIds: [executed, refused] }),
  ]);
  const refusal = (proposalId: string, agent: string, rule: string) => ({
    type: 'ActionRefused',
    data: {
      proposalId,
      actionId: contact('action 2'),
      taskId: follow.taskId,
      agent,
      play: follow.play,
      digest: 'b'.repeat(64),
      kind: 'email.send',
      verdict: {
        outcome: 'refused',
        reasons: [{ rule, outcome: 'refuse', detail: 'third touch in 7 days' }],
        tier: 'auto',
        policy: { version: 1, digest: null },
        at: now,
      },
    },
  });
  await service.deliver('actions.refused.v1', [refusal(refused, 'sequencing-agent', 'contact-frequency')]);
  // None of these is about the proposal whose id it bears: another agent's, a second use of the id, another executor's word.
  await service.deliver('actions.refused.v1', [
    refusal(executed, 'paid-media-agent', 'author'),
    refusal(executed, 'sequencing-agent', 'proposal-id'),
  ]);
  for (const executor of ['downstream', 'action-executor']) {
    const data = { ...settlement, executor, outcome: 'failed', at: later };
    await service.deliver('actions.settled.downstream.v1', [{ type: 'ActionSettled', data }]);
  }
  const { tasks } = await get<RunAnswer>(`/runs/${bid.play.runId}`);
  const byAgent = Object.fromEntries(tasks.map((t) => [t.agent, t]));
  expect(byAgent['paid-media-agent']).toMatchObject({ state: 'declined', proposals: [] });
  expect(byAgent['sequencing-agent']?.state).toBe('proposed');
  expect(byAgent['sequencing-agent']?.proposals).toHaveLength(2);
  expect(byAgent['sequencing-agent']?.proposals).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ proposalId: executed, outcome: 'executed', reference: 'crm-1' }),
      expect.objectContaining({
        proposalId: refused,
        outcome: 'refused',
        reason: 'contact-frequency: third touch in 7 days',
      }),
    ]),
  );
});

test('what an agent says of a proposal before its own agent does leaves it with its own task', async () => {
  await publishPolicy();
  const out = await accept(engaged('ann', 3), engaged('bob', 2), engaged('cyn', 1));
  const [bid, follow] = out.map((e) => e.data as TaskAssigned);
  if (!bid || !follow) throw new Error('two tasks expected');
  const proposalId = contact('proposal of the sequencing agent');
  for (const { agent, taskId, play } of [bid, follow]) {
    const data = { taskId, agent, play, outcome: 'proposed', reason: 'r', proposalIds: [proposalId], at: now };
    await service.deliver(`tasks.settled.${agent}.v1`, [{ type: 'TaskSettled', data }]);
  }
  const { tasks } = await get<RunAnswer>(`/runs/${bid.play.runId}`);
  const own = tasks.find((t) => t.agent === 'sequencing-agent');
  expect(own).toMatchObject({ state: 'proposed', proposals: [{ proposalId, outcome: 'open', reason: null }] });
});

test('the first answer to a task stands; a later one adds no proposals to it', async () => {
  await publishPolicy();
  const [bid] = (await accept(engaged('ann', 3), engaged('bob', 2), engaged('cyn', 1))).map(
    (e) => e.data as TaskAssigned,
  );
  if (!bid) throw new Error('a task expected');
  const { agent, taskId, play } = bid;
  const answer = (outcome: string, ...names: string[]) => ({
    type: 'TaskSettled',
    data: { taskId, agent, play, outcome, reason: outcome, proposalIds: names.map(contact), at: now },
  });
  const topic = `tasks.settled.${agent}.v1`;
  await service.deliver(topic, [answer('proposed', 'one', 'two'), answer('declined', 'three')]);
  await service.deliver(topic, [answer('proposed', 'four', 'five')]);
  const { tasks } = await get<RunAnswer>(`/runs/${play.runId}`);
  const task = tasks.find((t) => t.agent === agent);
  expect(task).toMatchObject({ state: 'proposed', reason: 'proposed' });
  expect(task?.proposals.map(({ proposalId }) => proposalId).sort()).toEqual([contact('one'), contact('two')].sort());
});

test('a proposal that is never refused or settled is told of, with the reason, when it must have ended', async () => {
  await publishPolicy();
  const [bid] = (await accept(engaged('ann', 3), engaged('bob', 2), engaged('cyn', 1))).map(
    (e) => e.data as TaskAssigned,
  );
  if (!bid) throw new Error('a task expected');
  const { agent, taskId, play } = bid;
  const proposalId = contact('proposal');
  const data = { taskId, agent, play, outcome: 'proposed', reason: 'r', proposalIds: [proposalId], at: now };
  await service.deliver(`tasks.settled.${agent}.v1`, [{ type: 'TaskSettled', data }]);
  const unsettled = async () => (await get<{ tasks: unknown[] }>('/tasks?unsettled=true')).tasks;
  // A message is sent in thirty days at most, under a permit of a day at most.
  service.setNow(daysBefore(-31));
  expect(await unsettled()).toEqual([]);
  service.setNow(daysBefore(-31.1));
  const reason = 'it was neither refused nor settled in the time in which it must have ended';
  expect(await unsettled()).toMatchObject([{ taskId, proposals: [{ proposalId, outcome: 'unsettled', reason }] }]);
  const settlement = {
    ...{ permitId: contact('permit'), actionId: contact('action'), proposalId, digest: 'a'.repeat(64) },
    ...{ executor: 'action-executor', connector: 'crm', outcome: 'executed', at: now },
  };
  await service.deliver('actions.settled.action-executor.v1', [{ type: 'ActionSettled', data: settlement }]);
  expect(await unsettled()).toHaveLength(1);
  await approve(bid, proposalId);
  expect(await unsettled()).toEqual([]);
});

test('a task that nobody settles is overdue at its due time, a settled one is not', async () => {
  await publishPolicy();
  const [bid] = (await accept(engaged('ann', 3), engaged('bob', 2), engaged('cyn', 1))).map(
    (e) => e.data as TaskAssigned,
  );
  if (!bid) throw new Error('a task expected');
  await service.deliver('tasks.settled.paid-media-agent.v1', [
    {
      type: 'TaskSettled',
      data: {
        taskId: bid.taskId,
        agent: bid.agent,
        play: bid.play,
        outcome: 'declined',
        reason: 'no',
        proposalIds: [],
        at: now,
      },
    },
  ]);
  expect((await get<{ tasks: unknown[] }>('/tasks?overdue=true')).tasks).toEqual([]);
  service.setNow(bid.dueAt);
  await service.runJobs();
  expect((await get<{ tasks: unknown[] }>('/tasks?overdue=true')).tasks).toMatchObject([
    { agent: 'sequencing-agent', state: 'assigned' },
  ]);
});

const to = ['tasks.escalated.v1', 'acme', 'TaskReviewSetAside'];

test('a checkpoint lets its tasks out at the first valid answer only, dated anew', async () => {
  await publishPolicy([{ ...surgePlay, checkpoint: { reviewers: ['lea'], withinMinutes: 60 } }]);
  const [escalated, ...more] = await accept(engaged('ann', 3), engaged('bob', 2), engaged('cyn', 1));
  expect(more).toEqual([]);
  const asked = escalated?.data as unknown as { checkpointId: string; digest: string; tasks: TaskAssigned[] };
  const later = daysBefore(-0.02);
  service.setNow(later);
  const answer = (n: number, given: Partial<ReviewDecided>) => ({
    type: 'ReviewDecided',
    data: {
      reviewId: contact(`review ${n}`),
      subject: { kind: 'checkpoint', id: asked.checkpointId },
      digest: asked.digest,
      decision: 'approve',
      by: 'lea',
      at: later,
      ...given,
    },
  });
  const out = await service.deliver('reviews.decided.v1', [
    answer(1, { by: 'eve' }),
    answer(2, { digest: 'f'.repeat(64) }),
    answer(3, {}),
    answer(4, { decision: 'reject' }),
  ]);
  const assigned = out.filter(({ type }) => type === 'TaskAssigned');
  expect(assigned.map((e) => (e.data as TaskAssigned).taskId)).toEqual(asked.tasks.map((t) => t.taskId));
  expect(assigned.map((e) => (e.data as TaskAssigned).assignedAt)).toEqual([later, later]);
  // Whoever answered without effect is told why.
  const aside = out.filter(({ type }) => type !== 'TaskAssigned');
  const members = (data: unknown) => data as TaskReviewSetAside;
  expect(
    aside.map(({ topic, key, type, data }) => [topic, key, type, members(data).reviewId, members(data).reason]),
  ).toEqual([
    [...to, contact('review 1'), { code: 'no-reviewer', detail: 'eve is no reviewer of this checkpoint' }],
    [
      ...to,
      contact('review 2'),
      { code: 'other-digest', detail: 'the answer is to other tasks than the ones that wait' },
    ],
    [...to, contact('review 4'), { code: 'closed', detail: 'lea approved it before' }],
  ]);
  const run = await get<RunAnswer>(`/runs/${asked.tasks[0]?.play.runId}`);
  expect(run).toMatchObject({ state: 'started', checkpoint: { answer: 'approved' } });
  expect(run.checkpoint?.answers.map((a) => a.outcome).sort()).toEqual([
    'approved',
    'set-aside',
    'set-aside',
    'set-aside',
  ]);
});

test('a checkpoint that nobody answers expires, and an answer after that changes nothing', async () => {
  await publishPolicy([{ ...surgePlay, checkpoint: { reviewers: ['lea'], withinMinutes: 60 } }]);
  const [escalated] = await accept(engaged('ann', 3), engaged('bob', 2), engaged('cyn', 1));
  const asked = escalated?.data as unknown as {
    checkpointId: string;
    digest: string;
    deadline: string;
    play: { runId: string };
  };
  service.setNow(daysBefore(-1));
  const { checkpointId, play, deadline } = asked;
  const reason = { code: 'late', detail: `no answer had come by ${deadline}` };
  expect((await service.runJobs()).map(({ topic, key, type, data }) => [topic, key, type, data])).toEqual([
    [
      'tasks.escalated.v1',
      'acme',
      'TaskWithheld',
      { checkpointId, play, outcome: 'expired', reason, at: daysBefore(-1) },
    ],
  ]);
  const late = {
    reviewId: contact('late'),
    subject: { kind: 'checkpoint', id: asked.checkpointId },
    digest: asked.digest,
    decision: 'approve',
    by: 'lea',
    at: asked.deadline,
  };
  const detail = `the orchestrator read it after the deadline ${deadline}`;
  expect(await service.deliver('reviews.decided.v1', [{ type: 'ReviewDecided', data: late }])).toMatchObject([
    { type: 'TaskReviewSetAside', data: { reviewId: late.reviewId, checkpointId, by: 'lea', reason: { detail } } },
  ]);
  expect(await get<RunAnswer>(`/runs/${asked.play.runId}`)).toMatchObject({
    state: 'expired',
    checkpoint: { answer: 'expired', answers: [{ outcome: 'set-aside', reason: detail }] },
  });
});

/** A run that waits at its checkpoint, and an answer to it. */
async function waiting() {
  const withCheckpoint = { ...surgePlay, checkpoint: { reviewers: ['lea'], withinMinutes: 60 } };
  await publishPolicy([withCheckpoint]);
  const [escalated] = await accept(engaged('ann', 3), engaged('bob', 2), engaged('cyn', 1));
  const asked = escalated?.data as unknown as TaskEscalated;
  const { checkpointId, digest } = asked;
  const answer = (decision: ReviewDecided['decision'], n = 1) =>
    service.deliver('reviews.decided.v1', [
      {
        type: 'ReviewDecided',
        correlationid: 'the-chain',
        data: {
          ...{ reviewId: contact(`answer ${n}`), subject: { kind: 'checkpoint', id: checkpointId } },
          ...{ digest, decision, by: 'lea', at: now },
        },
      },
    ]);
  return { asked, withCheckpoint, answer };
}

const ends: [string, (play: Play) => Promise<unknown>, ReviewDecided['decision'], string, string][] = [
  ['it is rejected', async () => undefined, 'reject', 'rejected', 'rejected by lea'],
  [
    'it is approved while a stop holds',
    () => control('stopped', 1),
    'approve',
    'stopped',
    'approved by lea, but lea stopped the play surge: a test',
  ],
  [
    'it is approved after its play was withdrawn',
    () => publishPolicy([floorPlay], 2),
    'approve',
    'play-withdrawn',
    'approved by lea, but the play surge is not in force any more',
  ],
  [
    'it is approved after its play was changed',
    (play) => publishPolicy([{ ...play, title: 'Another surge' }], 2),
    'approve',
    'play-changed',
    'approved by lea, but the play surge was changed after it asked',
  ],
];
test.each(ends)(
  'a checkpoint whose tasks never go out says so and why: %s',
  async (_, happens, decision, code, detail) => {
    const { asked, withCheckpoint, answer } = await waiting();
    await happens(withCheckpoint);
    const outcome = decision === 'reject' ? 'rejected' : 'suppressed';
    const { checkpointId, play } = asked;
    const review = { reviewId: contact('answer 1'), by: 'lea' };
    const [end, ...more] = await answer(decision);
    expect(more).toEqual([]);
    expect(end).toMatchObject({
      topic: 'tasks.escalated.v1',
      key: 'acme',
      type: 'TaskWithheld',
      correlationid: 'the-chain',
    });
    expect(end?.data).toEqual({ checkpointId, play, outcome, review, reason: { code, detail }, at: now });
    expect(await get<RunAnswer & { reason: string }>(`/runs/${play.runId}`)).toMatchObject({
      state: outcome,
      reason: detail,
    });
    // It has ended: what ended it may be over, and a second answer has no effect.
    await control('running', 2);
    expect(await answer('approve', 2)).toMatchObject([
      { type: 'TaskReviewSetAside', data: { reason: { code: 'closed' } } },
    ]);
  },
);

test('another version of the policy with the same play changes nothing for a checkpoint', async () => {
  const { withCheckpoint, answer } = await waiting();
  await publishPolicy([withCheckpoint, { ...floorPlay, coolDownDays: 1 }], 2);
  expect((await answer('approve')).map(({ type }) => type)).toEqual(['TaskAssigned', 'TaskAssigned']);
});

test('an answer to a checkpoint that is not known is set aside', async () => {
  await publishPolicy();
  const id = contact('no checkpoint');
  const data = { reviewId: contact('answer'), subject: { kind: 'checkpoint', id }, digest: 'f'.repeat(64) };
  const given = { ...data, decision: 'approve', by: 'lea', at: now };
  expect(await service.deliver('reviews.decided.v1', [{ type: 'ReviewDecided', data: given }])).toMatchObject([
    { key: id, type: 'TaskReviewSetAside', data: { checkpointId: id, reason: { code: 'no-checkpoint' } } },
  ]);
});

test('without the reading token no page is answered, and none says what there is', async () => {
  for (const url of ['/runs', `/runs/${contact('nothing')}`, '/tasks', '/nowhere'])
    for (const authorization of [undefined, 'Bearer wrong']) {
      const { statusCode, body } = await service.app.inject({
        url,
        headers: { ...(authorization && { authorization }) },
      });
      expect({ url, statusCode, body }).toEqual({ url, statusCode: 401, body: expect.stringContaining('token') });
    }
});

test('a page for something that is not there is a problem document', async () => {
  const missing = await service.app.inject({ url: `/runs/${contact('nothing')}`, headers });
  expect([missing.statusCode, missing.json().title]).toEqual([404, 'no such run']);
  const wrong = await service.app.inject({ url: '/tasks?run=x', headers });
  expect([wrong.statusCode, wrong.json().field]).toEqual([400, 'run']);
});

test('each page reads about as many rows as it shows, however many there are', async () => {
  await service.query(`
    INSERT INTO runs (run_id, play_id, title, subject, ordinal, state, reason, evidence, trigger, policy_version, at)
    SELECT gen_random_uuid(), CASE WHEN n % 1000 = 0 THEN 'rare' ELSE 'surge' END, '',
           '{"kind": "account", "accountId": "a"}', n,
           CASE WHEN n % 1000 = 1 THEN 'waiting' ELSE 'started' END, '', '[]',
           '{"source": "s", "signalId": "i"}', 1, '2026-01-01Z'::timestamptz + n * interval '1 second'
    FROM generate_series(1, 20000) AS n`);
  await service.query(`
    INSERT INTO tasks (task_id, run_id, agent, purpose, assigned_at, due_at, overdue_at)
    SELECT gen_random_uuid(), run_id, 'paid-media-agent', 'sales', at, at, CASE WHEN ordinal % 1000 = 2 THEN at END FROM runs`);
  await service.query(`
    WITH p AS (INSERT INTO permits (proposal_id, permit_id, executor, digest)
      SELECT gen_random_uuid(), gen_random_uuid(), 'action-executor', '' FROM tasks RETURNING proposal_id)
    INSERT INTO task_proposals (task_id, proposal_id)
    SELECT t.task_id, q.proposal_id FROM (SELECT task_id, row_number() OVER () AS n FROM tasks) t
    JOIN (SELECT proposal_id, row_number() OVER () AS n FROM p) q USING (n)`);
  await service.query(`
    INSERT INTO settlements (permit_id, executor, digest, outcome, settled_at, kept_at, waiting)
    SELECT permit_id, executor, digest, 'executed', '2026-01-01Z', '2026-01-01Z', false FROM permits`);
  await service.query('ANALYZE');
  const [{ run_id: run }] = (await service.query('SELECT run_id FROM runs LIMIT 1')) as [{ run_id: string }];
  const asked = vi.spyOn(service.engine, 'readForPage');
  for (const page of [
    '/runs',
    '/runs?play=rare',
    '/runs?state=waiting',
    '/runs?play=rare&state=started',
    `/runs/${run}`,
  ])
    expect((await service.app.inject({ url: page, headers })).statusCode).toBe(200);
  for (const page of ['/tasks', `/tasks?run=${run}`, '/tasks?overdue=true'])
    expect((await service.app.inject({ url: page, headers })).json().tasks).not.toHaveLength(0);
  expect(asked.mock.calls.length).toBeGreaterThan(8);
  for (const [sql, params] of asked.mock.calls)
    expect({ sql, costly: await costlyParts(service.query, sql, params) }).toEqual({ sql, costly: [] });
});
