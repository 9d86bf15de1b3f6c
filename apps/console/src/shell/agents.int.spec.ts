import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DataOf, derivedId, proposalIdOf } from '@countersign/contracts';
import { createHarness, type Harness, tablesOf } from '@countersign/runtime/harness';
import { copyTestDatabase, costlyParts, type TestDatabase } from '@countersign/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { approved, at, checkpoint, checkpointId, escalated, refused, settled, task } from '../core/given.js';
import { ConsoleModule, spec } from '../module.js';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const shipped = fileURLToPath(new URL('../../../../deploy/config', import.meta.url));
const agent = 'paid-media-agent';
let database: TestDatabase;
let harness: Harness;
let folder: string;

beforeEach(async () => {
  database = await copyTestDatabase(tablesOf(spec));
  folder = mkdtempSync(join(tmpdir(), 'console-agents-'));
  cpSync(shipped, join(folder, 'config'), { recursive: true });
  const roles = ['reviewer', 'operator', 'policy-owner'];
  writeFileSync(
    join(folder, 'tokens.json'),
    JSON.stringify(['lea', 'marc'].map((person) => ({ sha256: sha256(person), person, roles }))),
  );
  process.env.CONSOLE_TOKENS_FILE = join(folder, 'tokens.json');
  process.env.CONFIG_DIR = join(folder, 'config');
  process.env.CONTROL_CONFIRM_MS = '0';
  await start();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await harness?.close();
  await database.close();
  rmSync(folder, { recursive: true });
});

const start = async () => {
  harness = await createHarness(ConsoleModule, spec, { databaseUrl: database.url, at });
};
const call = async (method: 'GET' | 'POST', url: string, body?: object, person = 'lea') => {
  const headers = { authorization: `Bearer ${person}` };
  const response = await harness.app.inject({ method, url, headers, ...(body && { payload: body }) });
  return { status: response.statusCode, body: response.json() };
};
const get = async (url: string) => (await call('GET', url)).body;

const proposal = (item: string, more: Partial<DataOf<'ActionProposed'>> = {}): DataOf<'ActionProposed'> => {
  const proposalId = proposalIdOf(agent, task().taskId, item);
  const { agent: _, ...judged } = escalated();
  return {
    proposalId,
    taskId: task().taskId,
    item,
    agent,
    play: judged.play,
    purpose: 'Stop the loss',
    kinds: ['ads.shift_budget'],
    action: { ...judged.action, actionId: derivedId('action', proposalId) },
    rationale: 'c-2 returns more',
    evidence: [],
    confidence: 0.8,
    alternatives: [],
    planner: { kind: 'rules', name: 'rules' },
    proposedAt: at,
    madeFrom: {},
    ...more,
  };
};
type Figures = { tokens: { state: string } };
const idsOf = ({ proposalId, action: { actionId } }: DataOf<'ActionProposed'>) => ({ proposalId, actionId });
const propose = (...proposals: DataOf<'ActionProposed'>[]) =>
  harness.deliver(
    `actions.proposed.${agent}.v1`,
    proposals.map((data) => ({ type: 'ActionProposed' as const, data })),
  );

describe('agents', () => {
  test('the charter is told in words, with who stopped the agent; a resume ends that', async () => {
    const before = await get(`/v1/agents/${agent}`);
    expect(before).toMatchObject({ owner: 'dana', reviewers: ['lea', 'marc'], policyVersion: 1, stops: [] });
    const lines = before.charter.flatMap((section: { lines: string[] }) => section.lines);
    expect(lines).toContain('At most EUR 500.00 a day on one campaign.');
    expect(lines.join('\n')).toContain('may not send an e-mail');

    const stop = { scope: `agent:${agent}`, state: 'stopped', reason: 'bids look wrong' };
    expect((await call('POST', '/v1/controls', stop)).status).toBe(200);
    expect((await get(`/v1/agents/${agent}`)).stops).toMatchObject([
      { scope: `agent:${agent}`, by: 'lea', reason: 'bids look wrong' },
    ]);
    await call('POST', '/v1/controls', { scope: 'all', state: 'stopped', reason: 'incident' });
    const { agents } = await get('/v1/agents');
    expect(
      agents.map((a: { agent: string; stops: { scope: string }[] }) => [a.agent, a.stops.map((s) => s.scope)]),
    ).toEqual([
      [agent, ['agent:paid-media-agent', 'all'].sort()],
      ['sequencing-agent', ['all']],
    ]);
    for (const scope of [`agent:${agent}`, 'all'])
      await call('POST', '/v1/controls', { scope, state: 'running', reason: 'mended' });
    expect((await get(`/v1/agents/${agent}`)).stops).toEqual([]);
  });

  test('an agent that nobody knows is not found, and the answer says which there are', async () => {
    const { status, body } = await call('GET', '/v1/agents/paid-media');
    expect([status, body.detail]).toEqual([404, expect.stringContaining('paid-media-agent, sequencing-agent')]);
  });

  test('its document names the policy in force when it is asked for, also right after another was published', async () => {
    const url = `/v1/agents/${agent}/charter`;
    const first = await get(url);
    expect(first).toMatchObject({ agent, at, format: 'text', policy: { version: 1, by: 'console' } });
    expect(first.document).toContain('At most EUR 500.00 a day on one campaign.');
    expect(first.document).toContain(first.policy.digest);

    const file = join(folder, 'config/charters', `${agent}.yaml`);
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^( +campaignSpendPerDayMinor: ).*$/m, '$1123400'));
    const { digest, inForce } = (await call('POST', '/v1/policies/check')).body;
    expect((await call('POST', '/v1/policies/publish', { digest, inForce })).status).toBe(200);
    const second = await get(`${url}?format=html`);
    expect(second).toMatchObject({ format: 'html', policy: { version: 2, digest, by: 'lea' } });
    expect(second.document).toContain('At most EUR 1,234.00 a day on one campaign.');
    expect(second.document).toContain(digest);
    expect(second.document).not.toContain(first.policy.digest);
    expect((await get(`${url}?format=markdown`)).document).toContain(digest);

    await call('POST', '/v1/controls', { scope: `agent:${agent}`, state: 'stopped', reason: '<b>bids</b>' });
    expect((await get(`${url}?format=html`)).document).toContain('&lt;b&gt;bids&lt;/b&gt;');
    expect((await call('GET', '/v1/agents/paid-media/charter')).status).toBe(404);
    expect((await call('GET', `${url}?format=pdf`)).status).toBe(400);
  });

  test('figures count verdicts, rules and what people answered, of the period only', async () => {
    const [first, second, third] = ['0', '1', '2'].map((item) => proposal(item)) as [
      DataOf<'ActionProposed'>,
      DataOf<'ActionProposed'>,
      DataOf<'ActionProposed'>,
    ];
    await propose(first, second, third, proposal('old', { proposedAt: '2026-10-01T10:00:00.000Z' }));
    await harness.deliver('actions.escalated.v1', [{ type: 'ActionEscalated', data: escalated(idsOf(first)) }]);
    const review = (decision: 'approve' | 'edit' | 'reject') => ({
      reviewId: derivedId('given', 'review', decision),
      by: 'lea',
      decision,
    });
    const edited = derivedId('action', review('edit').reviewId);
    await harness.deliver('actions.refused.v1', [
      { type: 'ActionRefused', data: refused({ ...idsOf(first), review: review('edit'), supersededBy: edited }) },
      { type: 'ActionRefused', data: refused(idsOf(second), 'spend-cap') },
      {
        type: 'ActionRefused',
        data: refused({ ...idsOf(third), review: { ...review('reject'), category: 'too-much' } }, 'review'),
      },
    ]);
    await harness.deliver('actions.approved.v1', [
      { type: 'ActionApproved', data: approved({ ...idsOf(first), actionId: edited, review: review('edit') }) },
    ]);
    const { figures, from } = await get(`/v1/agents/${agent}`);
    expect(from).toBe('2026-10-23');
    expect(figures).toEqual({
      proposed: 3,
      approved: 1,
      refused: 2,
      escalated: 1,
      answers: { approve: 0, edit: 1, reject: 1 },
      rejectedFor: { 'too-much': 1 },
      refusedBy: { 'spend-cap': 1, review: 1 },
      tokens: expect.objectContaining({ state: 'no-task' }),
    });
    expect((await get(`/v1/agents/${agent}?days=60`)).figures.proposed).toBe(4);
    expect((await get('/v1/agents')).agents[1].figures).toMatchObject({ proposed: 0, refused: 0 });
  });

  describe('tokens', () => {
    const answer = (more: Partial<DataOf<'TaskSettled'>> = {}): DataOf<'TaskSettled'> => ({
      ...{ taskId: derivedId('given', 'task', JSON.stringify(more)), agent, play: task().play },
      ...{ outcome: 'declined', reason: 'no need', proposalIds: [], at },
      ...more,
    });
    const model = { name: 'a-model', calls: 2, unknownCalls: 0, inputTokens: 1000, outputTokens: 200 };
    const settle = (data: DataOf<'TaskSettled'>, id?: string, by: string = data.agent) =>
      harness.deliver(`tasks.settled.${by}.v1`, [{ type: 'TaskSettled', data, ...(id !== undefined && { id }) }]);
    const tokens = async (days = 30) => (await get(`/v1/agents/${agent}?days=${days}`)).figures.tokens;
    const ids = (n: number) => Array.from({ length: n }, (_, item) => derivedId('given', 'of a plan', item));

    test('are counted by agent and day, in and out, and per proposal on average; also those of tasks that were declined', async () => {
      await settle(answer({ model, outcome: 'proposed', proposalIds: ids(3) }));
      await settle(answer({ model: { ...model, inputTokens: 500, outputTokens: 40 } }));
      const old = { model, outcome: 'proposed' as const, proposalIds: ids(1), at: '2026-10-01T10:00:00.000Z' };
      await settle(answer(old));
      expect(await tokens()).toEqual({
        state: 'known',
        models: ['a-model'],
        ...{ calls: 4, unknownCalls: 0, input: 1500, output: 240 },
        perProposal: { input: 500, output: 80 },
      });
      expect(await tokens(90)).toMatchObject({ input: 2500, output: 440, perProposal: { input: 625, output: 110 } });
      expect((await get('/v1/agents')).agents.map((a: { figures: Figures }) => a.figures.tokens.state)).toEqual([
        'known',
        'no-task',
      ]);
    });

    test('of an event that comes again are counted once', async () => {
      await settle(answer({ model }), 'the answer');
      await settle(answer({ model }), 'the answer');
      expect(await tokens()).toMatchObject({ calls: 2, input: 1000 });
    });

    test('that a server did not say are unknown, and a lower bound beside those that are known', async () => {
      const silent = { ...model, unknownCalls: 2, inputTokens: 0, outputTokens: 0 };
      await settle(answer({ model: silent }));
      expect(await tokens()).toMatchObject({
        state: 'unknown',
        calls: 2,
        input: null,
        output: null,
        perProposal: null,
      });
      await settle(answer({ model, outcome: 'proposed', proposalIds: ids(1) }));
      expect(await tokens()).toMatchObject({ state: 'at-least', calls: 4, unknownCalls: 2, input: 1000, output: 200 });
    });

    test('are none where an agent calls no model, and unknown where it plans with one and does not say', async () => {
      expect(await tokens()).toMatchObject({ state: 'no-task', models: [] });
      await settle(answer());
      expect(await tokens()).toMatchObject({ state: 'no-model', input: null, output: null });
      await settle(answer({ model: { ...model, calls: 0, inputTokens: 0, outputTokens: 0 } }));
      expect(await tokens()).toMatchObject({ state: 'not-called', models: ['a-model'] });
      await propose(proposal('0', { planner: { kind: 'model', name: 'another' } }));
      expect(await tokens()).toMatchObject({ state: 'unknown', input: null });
    });

    test('are not counted in the name of another agent', async () => {
      await settle(answer({ model }), undefined, 'sequencing-agent');
      expect(await tokens()).toMatchObject({ state: 'no-task' });
    });
  });

  test('each action is listed with what became of it, whatever was read first, and the list pages on', async () => {
    const proposals = ['0', '1', '2', '3'].map((item, n) =>
      proposal(item, { proposedAt: `2026-11-21T10:00:0${n}.000Z` }),
    );
    const [first, second, third] = proposals as [
      DataOf<'ActionProposed'>,
      DataOf<'ActionProposed'>,
      DataOf<'ActionProposed'>,
    ];
    const permitId = derivedId('given', 'permit', 'first');
    await harness.deliver('actions.settled.action-executor.v1', [
      { type: 'ActionSettled', data: settled('executed', { ...idsOf(first), permitId }) },
    ]);
    await harness.deliver('actions.approved.v1', [
      { type: 'ActionApproved', data: approved({ ...idsOf(first), permitId }) },
    ]);
    await propose(...proposals);
    await harness.deliver('actions.refused.v1', [{ type: 'ActionRefused', data: refused(idsOf(second)) }]);
    await harness.deliver('actions.escalated.v1', [{ type: 'ActionEscalated', data: escalated(idsOf(third)) }]);

    const page = await get(`/v1/agents/${agent}/actions?limit=3`);
    expect(page.actions).toMatchObject([
      { state: 'proposed', asked: false, reason: null },
      { state: 'waiting', asked: true, detail: expect.stringContaining('EUR 600.00') },
      { state: 'refused', reason: 'refused by spend-cap' },
    ]);
    const rest = await get(`/v1/agents/${agent}/actions?limit=3&before=${page.next}`);
    expect(rest).toMatchObject({ actions: [{ proposalId: first.proposalId, state: 'executed' }], next: null });
    expect((await call('GET', `/v1/agents/${agent}/actions?before=yesterday`)).status).toBe(400);
  });

  test('each action has the names of its campaigns and describes its people', async () => {
    const kim = derivedId('given', 'kim');
    const mail = { contactId: kim, purpose: 'sales', template: 'intro', subject: 'Hello', body: 'Hello', sendAt: at };
    const [shift, sent] = [proposal('0'), proposal('1')];
    const email = { ...shift.action, kind: 'email.send', payload: mail };
    await propose(shift, { ...sent, action: email });
    await harness.deliver('actions.approved.v1', [
      {
        type: 'ActionApproved',
        data: approved({ ...idsOf(sent), action: { ...email, actionId: idsOf(sent).actionId } }),
      },
      { type: 'ActionApproved', data: approved({ ...idsOf(shift), permitId: derivedId('given', 'another permit') }) },
    ]);
    await harness.query(`
      INSERT INTO campaigns (key, campaign_id, name, version) VALUES ('campaign:ads-1 c-1', 'c-1', 'Retargeting', 1)`);
    await harness.query(`
      INSERT INTO people (contact_id, seniority, job_function, reachable, signals, version, changed_at)
      VALUES ('${kim}', 'c-suite', 'finance', '[]', 1, 1, now())`);
    const campaigns = [{ campaignId: 'c-1', name: 'Retargeting' }];
    const people = [{ contactId: kim, seniority: 'c-suite', jobFunction: 'finance', accountName: null }];
    const { actions } = await get(`/v1/agents/${agent}/actions`);
    const found = (listed: readonly { proposalId: string }[], { proposalId }: { proposalId: string }) =>
      listed.find((action) => action.proposalId === proposalId);
    for (const listed of [actions, (await get('/v1/queue')).approved.first]) {
      expect(found(listed, shift)).toMatchObject({ campaigns, people: [] });
      expect(found(listed, sent)).toMatchObject({ campaigns: [], people });
    }
  });

  test('an agent speaks for itself only: in the name or under an id of another one it counts and lists nothing', async () => {
    const [own, other] = [proposal('0'), proposal('1', { agent: 'sequencing-agent' })];
    await propose(other, { ...own, proposalId: derivedId('given', 'somebody else') });
    const { agents } = await get('/v1/agents');
    expect(agents.map((a: { figures: { proposed: number } }) => a.figures.proposed)).toEqual([1, 0]);
    for (const name of [agent, 'sequencing-agent'])
      expect((await get(`/v1/agents/${name}/actions`)).actions).toEqual([]);
    await propose(own);
    expect((await get(`/v1/agents/${agent}/actions`)).actions).toHaveLength(1);
  });
});

describe('plays', () => {
  const runId = task().play.runId;
  const second = { ...task(), taskId: derivedId('given', 'task 2'), agent: 'sequencing-agent' };
  const answer = (given: DataOf<'TaskAssigned'>, outcome: 'proposed' | 'declined'): DataOf<'TaskSettled'> => {
    const { taskId, agent: by, play } = given;
    return { taskId, agent: by, play, outcome, reason: 'nothing to do', proposalIds: [], at };
  };
  const assign = () =>
    harness.deliver('tasks.assigned.v1', [
      { type: 'TaskAssigned', data: task() },
      { type: 'TaskAssigned', data: second },
    ]);
  const runs = async () => (await get('/v1/plays/return-below-floor/runs')).runs;

  test('a play says what starts it and what it does, step by step', async () => {
    const { plays } = await get('/v1/plays');
    expect(plays).toMatchObject([
      { id: 'return-below-floor', agents: [agent], runs: { live: 0, lastAt: null } },
      { id: 'tier-1-comparison-surge', agents: [agent, 'sequencing-agent'] },
      { id: 'tier-1-pricing-surge' },
    ]);
    const { steps, policyVersion } = await get('/v1/plays/tier-1-comparison-surge');
    expect(policyVersion).toBe(1);
    expect(steps.map((step: { kind: string }) => step.kind)).toEqual([
      ...['trigger', 'cool-down', 'task', 'task', 'proposals'],
    ]);
    const { status, body } = await call('GET', '/v1/plays/surge');
    expect([status, body.detail]).toEqual([404, expect.stringContaining('tier-1-comparison-surge')]);
  });

  test('a run is under way until each task has the answer of its own agent', async () => {
    // The answer may be read before the task, and another agent may not give it.
    await harness.deliver(`tasks.settled.${agent}.v1`, [
      { type: 'TaskSettled', data: answer(task(), 'declined') },
      { type: 'TaskSettled', data: answer(second, 'proposed') },
    ]);
    await assign();
    await propose(proposal('0'));
    expect(await runs()).toMatchObject([
      {
        runId,
        state: 'running',
        subject: { kind: 'ad-account', id: 'ads-1' },
        tasks: expect.arrayContaining([
          expect.objectContaining({ agent, outcome: 'declined', reason: 'nothing to do' }),
          expect.objectContaining({ agent: 'sequencing-agent', outcome: null, reason: null }),
        ]),
      },
    ]);
    expect((await get('/v1/plays')).plays[0].runs).toEqual({ live: 1, lastAt: at });
    await harness.deliver('tasks.settled.sequencing-agent.v1', [
      { type: 'TaskSettled', data: answer(second, 'proposed') },
    ]);
    expect((await runs())[0].steps).toMatchObject([
      { kind: 'trigger', state: 'done' },
      { kind: 'task', state: 'done' },
      { kind: 'task', state: 'done' },
      { kind: 'proposals', state: 'here', detail: '1 is not judged yet.' },
    ]);
    const run = await get(`/v1/runs/${runId}`);
    expect(run).toMatchObject({ run: { runId }, actions: [{ agent, state: 'proposed' }] });
    expect((await call('GET', `/v1/runs/${derivedId('no run')}`)).status).toBe(404);
  });

  test('a run whose task is past its time without an answer is overdue', async () => {
    await assign();
    harness.setNow('2026-11-21T10:31:00.000Z');
    expect(await runs()).toMatchObject([{ state: 'overdue' }]);
  });

  test('at its checkpoint a run waits for a person; when its tasks go out it is the same run', async () => {
    await harness.deliver('tasks.escalated.v1', [{ type: 'TaskEscalated', data: checkpoint() }]);
    expect(await runs()).toMatchObject([
      { runId, state: 'waiting', checkpoint: { id: checkpointId }, tasks: [], subject: { id: 'ads-1' } },
    ]);
    const { digest } = checkpoint();
    expect((await call('POST', `/v1/reviews/${checkpointId}`, { decision: 'approve', digest })).status).toBe(202);
    expect(await runs()).toMatchObject([{ state: 'running', tasks: [] }]);
    await assign();
    const [given] = await runs();
    expect(given).toMatchObject({ runId, state: 'running', checkpoint: { id: checkpointId } });
    expect(given.steps[1]).toMatchObject({ state: 'done', detail: 'lea agreed.', at, review: checkpointId });
  });

  test.each([
    [
      'a person rejects it',
      async () => {
        const { digest } = checkpoint();
        await call('POST', `/v1/reviews/${checkpointId}`, { decision: 'reject', digest, category: 'not-needed' });
      },
    ],
    ['nobody answers in time', async () => harness.setNow('2026-11-21T11:00:01.000Z')],
  ])('a run is not agreed to when %s', async (_, happens) => {
    await harness.deliver('tasks.escalated.v1', [{ type: 'TaskEscalated', data: checkpoint() }]);
    await happens();
    expect(await runs()).toMatchObject([{ state: 'not-agreed' }]);
  });

  test('the lists read about as many rows as they show, and what is old is forgotten', async () => {
    const rows = `SELECT n, '2026-01-01Z'::timestamptz + n * interval '1 second' AS at FROM generate_series(1, 20000) AS n`;
    await harness.query(`
      INSERT INTO agent_actions (proposal_id, agent, play_id, run_id, action_id, kind, detail, correlation_id, proposed_at, kept_at)
      SELECT gen_random_uuid(), CASE WHEN n % 2 = 0 THEN '${agent}' ELSE 'other' END, 'return-below-floor', gen_random_uuid(), gen_random_uuid(), 'k', 'd', 'c', at, at FROM (${rows}) r`);
    await harness.query(`
      INSERT INTO escalations (action_id, subject_kind, subject_id, run_id, action_key, digest, correlation_id, card, deadline_at, escalated_at)
      SELECT action_id, 'proposal', proposal_id, run_id, 'k', repeat('d', 64), 'c', '{}', kept_at, kept_at FROM agent_actions`);
    await harness.query(`
      INSERT INTO verdicts (action_id, outcome, reasons, executor, decided_at)
      SELECT action_id, 'approved', '[]', 'e', kept_at FROM agent_actions`);
    await harness.query(`
      INSERT INTO settlements (action_id, outcome, executor, settled_at, kept_at, approved)
      SELECT action_id, 'executed', 'e', kept_at, kept_at, true FROM agent_actions`);
    await harness.query(`
      INSERT INTO play_runs (run_id, play_id, correlation_id, started_at, kept_at)
      SELECT run_id, CASE WHEN proposed_at::text LIKE '%7+00' THEN 'return-below-floor' ELSE 'p' END, 'c', kept_at, kept_at FROM agent_actions`);
    await harness.query(`
      INSERT INTO play_tasks SELECT gen_random_uuid(), run_id, agent, 'p', kept_at, kept_at, kept_at FROM agent_actions`);
    await harness.query(`
      INSERT INTO task_answers SELECT task_id, agent, 'declined', 'r', 0, kept_at, kept_at FROM play_tasks`);
    // What was open once, and is open no more.
    await harness.query(`
      INSERT INTO pending_tasks (task_id, agent, play, purpose, assigned_at, due_at, answered_at, answered_by, kept_at)
      SELECT task_id, agent, 'return-below-floor', purpose, assigned_at, '2026-11-21Z', assigned_at, agent, kept_at FROM play_tasks`);
    await harness.query(`
      INSERT INTO approvals (action_id, proposal_id, permit_id, executor, agent, play, kind, accounts, detail, not_before, expires_at, approved_at)
      SELECT action_id, proposal_id, action_id, 'e', agent, play_id, kind, '{}', detail, kept_at, kept_at, kept_at FROM agent_actions`);
    await harness.query(`
      INSERT INTO reviews (review_id, subject_kind, subject_id, digest, decision, by_person, decided_at)
      SELECT gen_random_uuid(), 'proposal', proposal_id, 'd', 'approve', 'lea', kept_at FROM agent_actions`);
    await harness.query(`
      INSERT INTO agent_counts
      SELECT a, '2024-01-01'::date + d, 'verdicts', 'approved', 1 FROM generate_series(0, 400) d, unnest(ARRAY['a', '${agent}', 'z']) a`);
    await harness.query(`
      INSERT INTO agent_tokens
      SELECT a, '2024-01-01'::date + d, 'a-model', 1, 1, 0, 1, 1 FROM generate_series(0, 400) d, unnest(ARRAY['a', '${agent}', 'z']) a`);
    await harness.query('ANALYZE');
    const asked = vi.spyOn(harness.engine, 'readForPage');
    const [{ run_id: someRun }] = (await harness.query('SELECT run_id FROM play_runs LIMIT 1')) as [{ run_id: string }];
    const pages = [
      'agents',
      `agents/${agent}`,
      `agents/${agent}/actions`,
      `agents/${agent}/actions?before=2026-01-01T01:00:00.000Z,${someRun}`,
      'plays',
      'plays/return-below-floor',
      'plays/return-below-floor/runs',
      'plays/return-below-floor/runs?live=true',
      `runs/${someRun}`,
    ];
    for (const page of pages) expect((await call('GET', `/v1/${page}`)).status).toBe(200);
    for (const [sql, params] of asked.mock.calls)
      expect({ sql, costly: await costlyParts(harness.query, sql, params) }).toEqual({ sql, costly: [] });

    harness.setNow('2026-11-30T10:00:00.000Z');
    for (let round = 0; round < 3; round += 1) await harness.runJobs();
    const left = await harness.query(`
      SELECT (SELECT count(*) FROM agent_actions) + (SELECT count(*) FROM play_runs) + (SELECT count(*) FROM play_tasks)
        + (SELECT count(*) FROM task_answers) AS n`);
    expect(left).toEqual([{ n: 0 }]);
  });
});

describe('figures of agents, and actions that name a person', () => {
  const fill = async () => {
    await harness.query(`
      INSERT INTO agent_counts SELECT '${agent}', '2026-11-21'::date - d, 'proposals', 'proposed', 1 FROM generate_series(0, 500) d`);
    await harness.query(`
      INSERT INTO agent_tokens SELECT '${agent}', '2026-11-21'::date - d, 'm', 1, 1, 0, 1, 1 FROM generate_series(0, 500) d`);
    await harness.query(`
      INSERT INTO person_actions SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'a', 'p', 'k', 'd', '${at}'::timestamptz - d * interval '1 day'
      FROM generate_series(0, 500) d`);
  };
  const remaining = async () => {
    // The job of the start is due an hour later.
    harness.setNow('2026-11-21T11:00:00.000Z');
    await harness.runJobs();
    const [row] = await harness.query(`
      SELECT (SELECT count(*) FROM agent_counts) AS counts, (SELECT count(*) FROM agent_tokens) AS tokens, (SELECT count(*) FROM person_actions) AS people`);
    return row;
  };

  test('are forgotten after 400 days and after a year', async () => {
    await harness.query(`UPDATE agent_counts_begun SET begun_at = '2024-01-01'`);
    await fill();
    expect(await remaining()).toEqual({ counts: 400, tokens: 400, people: 365 });
    // No page says that there are figures of a time whose figures are gone.
    expect((await get('/v1/agents')).since).toBe('2025-10-18T00:00:00.000Z');
  });

  test('are kept for as many days as an operator says', async () => {
    vi.stubEnv('AGENT_FIGURES_DAYS', '30');
    vi.stubEnv('PERSON_ACTIONS_DAYS', '40');
    await harness.close();
    await start();
    await fill();
    expect(await remaining()).toEqual({ counts: 30, tokens: 30, people: 40 });
  });
});

describe('the policy', () => {
  const edit = (file: string, from: string, to: string) => {
    const path = join(folder, 'config', file);
    writeFileSync(path, readFileSync(path, 'utf8').replace(from, to));
  };
  const check = async () => (await call('POST', '/v1/policies/check')).body;
  const publish = (seen: { digest: string | null; inForce: number }, person?: string) =>
    call('POST', '/v1/policies/publish', { digest: seen.digest, inForce: seen.inForce }, person);
  const published = () => harness.published.filter(({ type }) => type === 'PolicyPublished');

  test('what the check shows is published, and the versions and their differences are kept', async () => {
    expect(await check()).toMatchObject({ valid: true, differs: false, inForce: 1, differences: [] });
    edit('rules.yaml', 'permitSeconds: 900', 'permitSeconds: 60');
    const seen = await check();
    const difference = { file: 'rules.yaml', path: 'permitSeconds', before: '900', after: '60' };
    expect(seen).toMatchObject({ valid: true, differs: true, inForce: 1, differences: [difference] });
    expect(published()).toHaveLength(1);

    expect(await publish(seen, 'marc')).toMatchObject({ status: 200, body: { changed: true, version: 2 } });
    expect(await get('/v1/policies/versions')).toMatchObject({
      inForce: 2,
      versions: [
        { version: 2, by: 'marc', publishedAt: at, digest: seen.digest },
        { version: 1, by: 'console' },
      ],
      next: null,
    });
    expect(await get('/v1/policies/versions?limit=1')).toMatchObject({ versions: [{ version: 2 }], next: '2' });
    expect(await get('/v1/policies/versions?before=2')).toMatchObject({ versions: [{ version: 1 }], next: null });
    expect((await get('/v1/policies/versions/1')).content.rules.permitSeconds).toBe(900);
    expect(await get('/v1/policies/differences?from=1&to=2')).toMatchObject({ differences: [difference] });
    expect((await call('GET', '/v1/policies/differences?from=1&to=9')).status).toBe(404);
    expect(await publish(seen)).toMatchObject({ status: 200, body: { changed: false, version: 2 } });
  });

  test('a folder that changed since it was checked is not published', async () => {
    edit('rules.yaml', 'permitSeconds: 900', 'permitSeconds: 60');
    const seen = await check();
    edit('rules.yaml', 'permitSeconds: 60', 'permitSeconds: 86400');
    expect(await publish(seen)).toMatchObject({ status: 409, body: { field: 'digest' } });
    expect(published()).toHaveLength(1);
    expect((await get('/v1/policies')).version).toBe(1);
  });

  test('over a policy that another person has published since nothing is published, and the answer names them', async () => {
    edit('rules.yaml', 'permitSeconds: 900', 'permitSeconds: 60');
    const seen = await check();
    edit('rules.yaml', 'permitSeconds: 60', 'permitSeconds: 70');
    expect((await publish(await check(), 'marc')).status).toBe(200);
    edit('rules.yaml', 'permitSeconds: 70', 'permitSeconds: 60');
    expect(await publish(seen)).toMatchObject({
      status: 409,
      body: { field: 'inForce', detail: expect.stringContaining('marc') },
    });
    expect(published()).toHaveLength(2);
  });

  test('of two who publish what they saw at the same moment one is told', async () => {
    edit('rules.yaml', 'permitSeconds: 900', 'permitSeconds: 60');
    const seen = await check();
    const both = await Promise.all([publish(seen), publish(seen, 'marc')]);
    // The same folder twice is no second version.
    expect(both.map(({ status, body }) => [status, body.changed]).sort()).toEqual([
      [200, false],
      [200, true],
    ]);
    expect(published()).toHaveLength(2);
  });

  test('what is not valid is told with file, line and what is expected, and cannot be published', async () => {
    const { digest, inForce } = await check();
    edit('rules.yaml', 'permitSeconds: 900', 'permitSeconds: soon');
    edit('routes.yaml', 'connector: ads', 'connector: adz');
    const seen = await check();
    expect(seen).toMatchObject({ valid: false, digest: null, inForce: 1, differs: false });
    expect(seen.problems).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ file: 'rules.yaml', line: expect.any(Number), field: 'permitSeconds' }),
        expect.objectContaining({ file: 'routes.yaml', detail: expect.stringContaining('did you mean "ads"?') }),
      ]),
    );
    expect(await publish({ digest, inForce })).toMatchObject({ status: 422 });
    expect(await call('POST', '/v1/policies/publish', {})).toMatchObject({ status: 400 });
    expect((await get('/v1/policies')).version).toBe(1);
  });

  test('a policy that was in force before versions were kept is one of them, also after the next one', async () => {
    await harness.query('DELETE FROM policy_versions');
    expect(await get('/v1/policies/versions')).toMatchObject({ versions: [{ version: 1, by: 'console' }] });
    edit('rules.yaml', 'permitSeconds: 900', 'permitSeconds: 60');
    await publish(await check());
    expect((await get('/v1/policies/versions')).versions.map((v: { version: number }) => v.version)).toEqual([2, 1]);
    expect((await get('/v1/policies/versions/1')).content.rules.permitSeconds).toBe(900);
  });

  test('a restart publishes nothing, whatever the folder says by then', async () => {
    edit('rules.yaml', 'permitSeconds: 900', 'permitSeconds: 60');
    await harness.close();
    await start();
    expect(published()).toEqual([]);
    expect(await check()).toMatchObject({ inForce: 1, differs: true });
    edit('rules.yaml', 'permitSeconds: 60', 'permitSeconds: soon');
    await harness.close();
    await start();
    expect(published()).toEqual([]);
    expect((await get('/v1/policies')).version).toBe(1);
  });
});
