import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DataOf, derivedId, proposalIdOf } from '@countersign/contracts';
import { createHarness, type Harness, tablesOf } from '@countersign/runtime/harness';
import { copyTestDatabase, type TestDatabase } from '@countersign/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { approved, at, checkpoint, escalated, refused, settled, task, withheld } from '../core/given.js';
import { ConsoleModule, spec } from '../module.js';

/* Where the runs of a play stand, on its page and in the list of its runs. */

const agent = 'paid-media-agent';
const play = 'return-below-floor';
/** As the shipped play has it. */
const purpose = 'Stop or reduce what does not pay back';
let database: TestDatabase;
let harness: Harness;
let folder: string;

beforeEach(async () => {
  database = await copyTestDatabase(tablesOf(spec));
  folder = mkdtempSync(join(tmpdir(), 'console-plays-'));
  const file = join(folder, 'tokens.json');
  const sha256 = createHash('sha256').update('lea').digest('hex');
  writeFileSync(file, JSON.stringify([{ sha256, person: 'lea', roles: ['reviewer'] }]));
  vi.stubEnv('CONSOLE_TOKENS_FILE', file);
  vi.stubEnv('CONFIG_DIR', fileURLToPath(new URL('../../../../deploy/config', import.meta.url)));
  harness = await createHarness(ConsoleModule, spec, { databaseUrl: database.url, at });
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await harness?.close();
  await database.close();
  rmSync(folder, { recursive: true });
});

const call = async (method: 'GET' | 'POST', url: string, payload?: object) => {
  const headers = { authorization: 'Bearer lea' };
  const response = await harness.app.inject({ method, url, headers, ...(payload && { payload }) });
  return { status: response.statusCode, body: response.json() };
};

/** The run with this number, its task and its checkpoint. */
const given = (n: number, more: Partial<DataOf<'TaskAssigned'>> = {}) => {
  const asTask = { ...task(), taskId: derivedId('task', n), purpose, ...more };
  const data = { ...asTask, play: { ...asTask.play, runId: derivedId('run', n) } };
  const waits = { ...checkpoint(), checkpointId: derivedId('checkpoint', n), play: data.play, tasks: [data] };
  return { runId: data.play.runId, data, waits };
};
const assign = (...tasks: DataOf<'TaskAssigned'>[]) =>
  harness.deliver(
    'tasks.assigned.v1',
    tasks.map((data) => ({ type: 'TaskAssigned' as const, data })),
  );
const settle = (data: DataOf<'TaskAssigned'>, proposalIds: string[], by = agent) =>
  harness.deliver(`tasks.settled.${by}.v1`, [
    {
      type: 'TaskSettled',
      data: {
        ...{ taskId: data.taskId, agent: by, play: data.play, reason: 'why' },
        ...{ outcome: proposalIds.length > 0 ? ('proposed' as const) : ('declined' as const), proposalIds, at },
      },
    },
  ]);
/** A proposal for the task, and the ids by which the verdicts on it name it. */
const propose = async (data: DataOf<'TaskAssigned'>, item: string) => {
  const proposalId = proposalIdOf(agent, data.taskId, item);
  const { agent: _, ...judged } = escalated();
  const ids = { proposalId, actionId: derivedId('action', proposalId), taskId: data.taskId, play: data.play };
  const proposed: DataOf<'ActionProposed'> = {
    ...{ proposalId, taskId: data.taskId, item, agent, play: data.play, purpose, kinds: data.kinds },
    action: { ...judged.action, actionId: ids.actionId },
    ...{ rationale: 'r', evidence: [], confidence: 0.8, alternatives: [], madeFrom: {} },
    ...{ planner: { kind: 'rules', name: 'rules' }, proposedAt: at },
  };
  await harness.deliver(`actions.proposed.${agent}.v1`, [{ type: 'ActionProposed', data: proposed }]);
  return ids;
};

const page = async () => (await call('GET', `/v1/plays/${play}`)).body;
/** Each step at which a run stands: how many stand there, how many wait for a person, how many are late. */
const places = async () => {
  const { steps, elsewhere } = await page();
  const all = [...steps, { kind: 'elsewhere', runs: elsewhere }] as { kind: string; runs?: Record<string, number> }[];
  return all.flatMap(({ kind, runs }) => (runs?.here ? [[kind, runs.here, runs.waits, runs.late]] : []));
};
const runs = async (query = '') => (await call('GET', `/v1/plays/${play}/runs${query}`)).body.runs;
/** The runs that stand somewhere, by the list of all and by the list of those: the same, as many as the play says. */
const live = async (): Promise<string[]> => {
  const open = ['here', 'waits', 'late'];
  const drawn = (await runs()).filter(({ steps }: { steps: { state: string }[] }) =>
    steps.some(({ state }) => open.includes(state)),
  );
  const listed = (await runs('?live=true')).map(({ runId }: { runId: string }) => runId);
  expect(listed).toEqual(drawn.map(({ runId }: { runId: string }) => runId));
  expect((await page()).runs.live).toBe(listed.length);
  return listed;
};

test('a run that waits at its checkpoint stands there until its tasks are out, or until nobody agreed', async () => {
  const [first, second, third] = [given(1), given(2), given(3)];
  for (const { waits } of [first, second, third])
    await harness.deliver('tasks.escalated.v1', [{ type: 'TaskEscalated', data: waits }]);
  // The shipped play has no checkpoint.
  expect(await places()).toEqual([['elsewhere', 3, 3, 0]]);
  expect(await live()).toHaveLength(3);

  const answer = (waits: DataOf<'TaskEscalated'>, decision: string) =>
    call('POST', `/v1/reviews/${waits.checkpointId}`, {
      decision,
      digest: waits.digest,
      ...(decision === 'reject' && { category: 'other' }),
    });
  expect((await answer(first.waits, 'approve')).status).toBe(202);
  expect((await answer(second.waits, 'reject')).status).toBe(202);
  expect(await places()).toEqual([['elsewhere', 2, 1, 0]]);
  await assign(first.data);
  expect(await places()).toEqual([
    ['task', 1, 0, 0],
    ['elsewhere', 1, 1, 0],
  ]);
  expect((await live()).sort()).toEqual([first.runId, third.runId].sort());

  harness.setNow('2026-11-21T11:00:00.000Z');
  // The task of the first run is late by now.
  expect(await places()).toEqual([['task', 1, 0, 1]]);
  expect(await live()).toEqual([first.runId]);
});

test('agreed to while a stop held: it stands nowhere as soon as the orchestrator has said so, and says why', async () => {
  const { waits } = given(1);
  await harness.deliver('tasks.escalated.v1', [{ type: 'TaskEscalated', data: waits }]);
  await call('POST', `/v1/reviews/${waits.checkpointId}`, { decision: 'approve', digest: waits.digest });
  expect(await places()).toEqual([['elsewhere', 1, 0, 0]]);
  const data = withheld({ checkpointId: waits.checkpointId, play: waits.play });
  await harness.deliver('tasks.escalated.v1', [{ type: 'TaskWithheld', data }]);
  expect(await places()).toEqual([]);
  expect(await live()).toEqual([]);
  expect((await runs())[0]).toMatchObject({
    state: 'not-agreed',
    steps: [{}, { state: 'ended', detail: expect.stringContaining('but tom stopped the play') }, {}, {}],
  });
});

test('agreed to, but without a task: it is late after the deadline, and is a run of the past a day later', async () => {
  const { waits, runId } = given(1);
  await harness.deliver('tasks.escalated.v1', [{ type: 'TaskEscalated', data: waits }]);
  await call('POST', `/v1/reviews/${waits.checkpointId}`, { decision: 'approve', digest: waits.digest });
  harness.setNow('2026-11-21T11:30:00.000Z');
  expect(await places()).toEqual([['elsewhere', 1, 0, 1]]);
  expect(await live()).toEqual([runId]);
  harness.setNow('2026-11-22T11:00:00.000Z');
  expect(await places()).toEqual([]);
  expect(await live()).toEqual([]);
});

test('a run stands at a task while its own agent may still answer', async () => {
  const [first, second] = [given(1), given(2, { dueAt: '2026-11-21T12:00:00.000Z' })];
  await settle(first.data, [], 'sequencing-agent');
  await assign(first.data, second.data);
  expect(await places()).toEqual([['task', 2, 0, 0]]);
  harness.setNow('2026-11-21T11:00:00.000Z');
  expect(await places()).toEqual([['task', 2, 0, 1]]);
  await settle(second.data, []);
  expect(await places()).toEqual([['task', 1, 0, 1]]);
  expect(await live()).toEqual([first.runId]);
  harness.setNow('2026-11-22T10:30:00.000Z');
  expect(await places()).toEqual([]);
  expect(await live()).toEqual([]);
  expect((await runs()).map(({ state }: { state: string }) => state).sort()).toEqual(['ended', 'failed']);
});

test('a task that the play had under an earlier policy is counted too', async () => {
  await assign(given(1, { purpose: 'A purpose that is gone' }).data);
  expect(await places()).toEqual([['elsewhere', 1, 0, 0]]);
});

test('a run stands at its proposals until each has its end, and is counted once', async () => {
  const { data, runId } = given(1);
  await assign(data);
  const [asks, runsOn, over] = [await propose(data, '0'), await propose(data, '1'), await propose(data, '2')];
  await settle(
    data,
    [asks, runsOn, over].map(({ proposalId }) => proposalId),
  );
  const step = async () => (await runs())[0].steps.at(-1);
  expect(await places()).toEqual([['proposals', 1, 0, 0]]);
  expect(await step()).toMatchObject({ state: 'here', detail: '3 are not judged yet.', at });

  await harness.deliver('actions.refused.v1', [{ type: 'ActionRefused', data: refused(over) }]);
  await harness.deliver('actions.escalated.v1', [{ type: 'ActionEscalated', data: escalated(asks) }]);
  await harness.deliver('actions.approved.v1', [{ type: 'ActionApproved', data: approved(runsOn) }]);
  expect(await places()).toEqual([['proposals', 1, 1, 0]]);
  expect(await live()).toEqual([runId]);
  expect(await step()).toMatchObject({
    state: 'waits',
    detail: '1 waits for a person, 1 approved and not run yet and 1 was refused.',
    at: '2026-11-21T10:05:00.000Z',
  });

  await harness.deliver('actions.refused.v1', [{ type: 'ActionRefused', data: refused(asks, 'review') }]);
  expect(await places()).toEqual([['proposals', 1, 0, 0]]);
  const { permitId } = approved();
  await harness.deliver('actions.settled.action-executor.v1', [
    { type: 'ActionSettled', data: settled('unresolved', { ...runsOn, permitId }) },
  ]);
  // A person has to find out.
  expect(await places()).toEqual([['proposals', 1, 1, 0]]);
  expect(await live()).toEqual([runId]);
  await harness.deliver('actions.settled.action-executor.v1', [
    { type: 'ActionSettled', data: settled('executed', { ...runsOn, permitId, at: '2026-11-21T10:08:00.000Z' }) },
  ]);
  expect(await places()).toEqual([]);
  expect(await live()).toEqual([]);
  expect(await step()).toMatchObject({ state: 'done', detail: '1 is done and 2 were refused.' });
  const { actions, more } = (await call('GET', `/v1/runs/${runId}`)).body;
  expect(more).toBe(false);
  expect(actions.map(({ state, since }: { state: string; since: string }) => [state, since])).toEqual([
    ...[['refused', expect.any(String)]],
    ['executed', '2026-11-21T10:08:00.000Z'],
    ['refused', expect.any(String)],
  ]);
});

test('of a run with very many proposals the page says of how many it speaks', async () => {
  const { data, runId } = given(1);
  await assign(data);
  await propose(data, '0');
  await harness.query(`
    INSERT INTO agent_actions (proposal_id, agent, play_id, run_id, action_id, kind, detail, correlation_id, proposed_at, kept_at)
    SELECT gen_random_uuid(), '${agent}', '${play}', '${runId}', gen_random_uuid(), 'k', 'd', 'c', '${at}', '${at}' FROM generate_series(1, 250)`);
  expect((await runs())[0].steps.at(-1).detail).toMatch(/^Of the first 200: 200 are/);
  const { actions, more } = (await call('GET', `/v1/runs/${runId}`)).body;
  expect([actions.length, more]).toEqual([200, true]);
});

test('a run is told with the name of its account or its campaign, as the profiles say it now', async () => {
  const campaign = { ...given(1, { campaignId: 'c-1' }).data };
  await assign(campaign, given(2, { accountId: 'acme' }).data, given(3).data, given(4, { campaignId: 'c-2' }).data);
  const subjects = async () => {
    const { body } = await call('GET', `/v1/plays/${play}/runs`);
    return Object.fromEntries(body.runs.map((run: { runId: string; subject: object }) => [run.runId, run.subject]));
  };
  const unnamed = await subjects();
  expect(unnamed[given(1).runId]).toEqual({ kind: 'campaign', id: 'c-1', name: null });
  await harness.query(`INSERT INTO accounts (account_id, name, version) VALUES ('acme', 'Lumen Health', 1)`);
  await harness.query(`
    INSERT INTO campaigns (key, campaign_id, name, version)
    VALUES ('campaign:ads-1 c-1', 'c-1', 'Video, DACH', 1), ('campaign:ads-2 c-2', 'c-2', 'of another ad account', 1)`);
  expect(await subjects()).toEqual({
    [given(1).runId]: { kind: 'campaign', id: 'c-1', name: 'Video, DACH' },
    [given(2).runId]: { kind: 'account', id: 'acme', name: 'Lumen Health' },
    [given(3).runId]: { kind: 'ad-account', id: 'ads-1', name: null },
    [given(4).runId]: { kind: 'campaign', id: 'c-2', name: null },
  });
});
