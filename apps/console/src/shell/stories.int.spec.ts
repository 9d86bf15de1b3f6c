import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { derivedId } from '@countersign/contracts';
import { eventBytes } from '@countersign/record';
import { createHarness, type Harness, tablesOf } from '@countersign/runtime/harness';
import { copyTestDatabase, costlyParts, type TestDatabase } from '@countersign/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  actionId,
  approved,
  at,
  checkpoint,
  deadLetter,
  escalated,
  payload,
  proposalId,
  refused,
  settled,
  task,
} from '../core/given.js';
import { ConsoleModule, spec } from '../module.js';
import { KnownCampaigns1764600000971 } from './migrations/known-campaigns.js';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const shipped = fileURLToPath(new URL('../../../../deploy/config', import.meta.url));
const key = `countersign.local/record+0a1b2c3d+${'A'.repeat(44)}`;
let database: TestDatabase;
let harness: Harness;
let folder: string;

beforeEach(async () => {
  database = await copyTestDatabase(tablesOf(spec));
  folder = mkdtempSync(join(tmpdir(), 'console-'));
  cpSync(shipped, join(folder, 'config'), { recursive: true });
  writeFileSync(
    join(folder, 'tokens.json'),
    JSON.stringify([{ sha256: sha256('ann-token'), person: 'ann', roles: ['viewer'] }]),
  );
  writeFileSync(join(folder, 'record-key.txt'), `${key}\n`);
  Object.assign(process.env, {
    CONSOLE_TOKENS_FILE: join(folder, 'tokens.json'),
    CONFIG_DIR: join(folder, 'config'),
    CONTROL_CONFIRM_MS: '0',
    RECORD_URL: 'https://record.example/',
    RECORD_KEY_FILE: join(folder, 'record-key.txt'),
    TRACE_URL: 'https://traces.example/trace/{traceId}',
  });
  harness = await createHarness(ConsoleModule, spec, { databaseUrl: database.url, at });
});
afterEach(async () => {
  await harness.close();
  await database.close();
  rmSync(folder, { recursive: true });
  for (const name of ['RECORD_URL', 'RECORD_KEY_FILE', 'TRACE_URL']) delete process.env[name];
});

const get = async (url: string) => {
  const response = await harness.app.inject({ url, headers: { authorization: 'Bearer ann-token' } });
  return { status: response.statusCode, body: response.json() };
};
const proposed = (more: object = {}) => {
  const { agent, play, action, rationale, evidence, confidence, taskId } = escalated();
  return {
    proposalId,
    taskId,
    agent,
    play,
    purpose: 'Stop the loss',
    kinds: [action.kind],
    action,
    rationale,
    evidence,
    confidence,
    alternatives: [],
    planner: { kind: 'rules', name: 'given' },
    proposedAt: at,
    madeFrom: {},
    ...more,
  };
};
const correlationid = 'signal-1';
const deliver = {
  task: () => harness.deliver('tasks.assigned.v1', [{ type: 'TaskAssigned', data: task(), correlationid }]),
  proposed: (more: object = {}) =>
    harness.deliver('actions.proposed.paid-media-agent.v1', [
      { type: 'ActionProposed', data: proposed(more), correlationid },
    ]),
  escalated: () =>
    harness.deliver('actions.escalated.v1', [{ type: 'ActionEscalated', data: escalated(), correlationid }]),
  refused: (more = {}) =>
    harness.deliver('actions.refused.v1', [{ type: 'ActionRefused', data: refused(more), correlationid }]),
  approved: () => harness.deliver('actions.approved.v1', [{ type: 'ActionApproved', data: approved(), correlationid }]),
  settled: (outcome: 'executed' | 'unresolved' | 'failed' | 'refused' = 'executed', more: object = {}) =>
    harness.deliver('actions.settled.action-executor.v1', [
      { type: 'ActionSettled', data: settled(outcome, more), correlationid },
    ]),
} as const;

test('a refused action is found at once, with the reason beside it', async () => {
  await deliver.task();
  await deliver.proposed();
  await deliver.refused();
  const { body } = await get('/v1/stories?outcome=refused');
  expect(body).toMatchObject({
    stories: [
      {
        id: proposalId,
        sentence: 'Move EUR 600.00 of daily budget from c-1 to c-2',
        outcome: 'refused',
        reason: 'refused by spend-cap',
        agent: 'paid-media-agent',
        play: { id: 'return-below-floor' },
        account: { id: 'acme', name: null },
        startedAt: at,
      },
    ],
    chains: [],
    next: null,
  });
  expect((await get('/v1/stories?outcome=executed')).body.stories).toEqual([]);
});

test('a refused story names each rule that refused it; another story has none', async () => {
  await deliver.proposed();
  expect((await get(`/v1/stories/${proposalId}`)).body.story.reasons).toEqual([]);
  await deliver.refused();
  expect((await get(`/v1/stories/${proposalId}`)).body.story).toMatchObject({
    outcome: 'refused',
    reasons: [{ rule: 'spend-cap', detail: 'refused by spend-cap' }],
    refusedBy: 'rule',
  });
});

const whoRefused = async () => (await get(`/v1/stories/${proposalId}`)).body.story.refusedBy;

test.each([
  ['a stop in force', { scope: 'all', by: 'lea', version: 3 }, 'stop'],
  ['a scope whose state was not known', { scope: 'all' }, 'rule'],
])('a story that was refused because of %s is about %j: by a %s', async (_what, figures, by) => {
  await deliver.proposed();
  expect(await whoRefused()).toBeNull();
  const { verdict } = refused({}, 'kill-control');
  const reasons = verdict.reasons.map((reason) => (reason.rule === 'kill-control' ? { ...reason, figures } : reason));
  await deliver.refused({ verdict: { ...verdict, reasons } });
  expect(await whoRefused()).toBe(by);
});

test.each([
  ['stopped', 'stop'],
  ['quiet-hours', 'rule'],
])('a story that its executor refused with the code %s was refused by a %s', async (code, by) => {
  await deliver.proposed();
  await deliver.approved();
  await deliver.settled('refused', { reason: { code, detail: 'it may not run' } });
  expect(await whoRefused()).toBe(by);
});

const orders: (keyof typeof deliver)[][] = [
  ['proposed', 'escalated', 'approved', 'settled'],
  ['settled', 'approved', 'escalated', 'proposed'],
  ['approved', 'proposed', 'settled', 'escalated'],
];
test.each(orders.map((order) => [order.join(', '), order] as const))(
  'a story ends the same in whatever order the topics are read: %s',
  async (_, order) => {
    for (const name of order) await deliver[name]();
    const { body } = await get('/v1/stories');
    expect(body.stories).toMatchObject([
      {
        id: proposalId,
        outcome: 'executed',
        sentence: 'Move EUR 600.00 of daily budget from c-1 to c-2',
        startedAt: at,
      },
    ]);
  },
);

test('a story ends whichever of its approval and its settlement is written first, also where both are written at one moment', async () => {
  for (let n = 0; n < 12; n++) {
    const id = derivedId('given', `at one moment ${n}`);
    const own = { proposalId: id, actionId: derivedId('action', id), permitId: derivedId('permit', id) };
    const { action, ...rest } = approved(own);
    const data = { ...rest, action: { ...action, actionId: own.actionId } };
    await Promise.all([
      harness.deliver('actions.approved.v1', [{ type: 'ActionApproved', data, correlationid }]),
      deliver.settled('executed', own),
    ]);
    expect((await get(`/v1/stories/${id}`)).body.story).toMatchObject({ id, outcome: 'executed' });
  }
});

test('nobody but the executor of the permit ends a story, and a refusal that borrows its id does not either', async () => {
  await deliver.proposed();
  await deliver.approved();
  await harness.deliver('actions.settled.downstream.v1', [
    { type: 'ActionSettled', data: settled('failed', { executor: 'downstream' }), correlationid },
  ]);
  await deliver.refused({ actionId: derivedId('action', 'another') });
  expect((await get('/v1/stories')).body.stories).toMatchObject([{ outcome: 'approved' }]);
});

test("an approval of another action than the proposal's own is in the story and found, and does not take the story over", async () => {
  await deliver.proposed();
  await deliver.approved();
  const forged = { actionId: derivedId('forged', 'action'), permitId: derivedId('forged', 'permit') };
  const action = { ...escalated().action, ...{ actionId: forged.actionId, payload: { ...payload, amountMinor: 1 } } };
  const verdict = { ...approved().verdict, at: '2026-11-21T10:05:30.000Z' };
  const data = approved({ ...forged, action, verdict });
  await harness.deliver('actions.approved.v1', [{ type: 'ActionApproved', id: 'forged', data, correlationid }]);
  await deliver.settled();
  const { body } = await get(`/v1/stories/${forged.permitId}`);
  expect(body.story).toMatchObject({
    id: proposalId,
    outcome: 'executed',
    sentence: 'Move EUR 600.00 of daily budget from c-1 to c-2',
  });
  expect(body.steps.map(({ type }: { type: string }) => type)).toEqual([
    'ActionProposed',
    'ActionApproved',
    'ActionApproved',
    'ActionSettled',
  ]);
});

test('a second proposal under an id that is in use changes no words of the first', async () => {
  await deliver.proposed();
  const action = { ...escalated().action, payload: { ...payload, amountMinor: 1 } };
  await harness.deliver('actions.proposed.sequencing-agent.v1', [
    { type: 'ActionProposed', data: proposed({ action, agent: 'sequencing-agent' }), correlationid },
  ]);
  await harness.deliver('actions.proposed.sequencing-agent.v1', [
    { type: 'ActionProposed', data: proposed({ action }), correlationid },
  ]);
  expect((await get('/v1/stories')).body.stories).toMatchObject([
    { sentence: 'Move EUR 600.00 of daily budget from c-1 to c-2', agent: 'paid-media-agent' },
  ]);
});

test('an account is told and found by its name, which the profiles say', async () => {
  await deliver.proposed();
  await harness.query(`INSERT INTO accounts (account_id, name, version) VALUES ('acme', 'Lumen Health', 1)`);
  expect((await get('/v1/stories')).body.stories).toMatchObject([{ account: { id: 'acme', name: 'Lumen Health' } }]);
  for (const search of ['Lumen Health', 'lumen h'])
    expect((await get(`/v1/stories?search=${encodeURIComponent(search)}`)).body.stories).toHaveLength(1);
  expect((await get('/v1/stories?search=umen')).body.stories).toEqual([]);
});

const campaign = (campaignId: string, name: string, version = 1, adAccountId = 'ads-1') => ({
  type: 'ProfileChanged' as const,
  key: `campaign:${adAccountId} ${campaignId}`,
  data: {
    ...{ kind: 'campaign' as const, adAccountId, campaignId, name, currency: 'EUR', status: 'active' as const },
    ...{ days: [], version, changedAt: at },
  },
});

test('a campaign is told and found by the name that it has now, and no other campaign with its id', async () => {
  await deliver.proposed();
  await harness.deliver('profiles.v1', [
    campaign('c-1', 'Retargeting'),
    campaign('c-2', 'Video', 1, 'ads-2'),
    campaign('c-3', 'Search'),
  ]);
  const named = async () => (await get('/v1/stories')).body.stories[0].campaigns;
  expect(await named()).toEqual([{ campaignId: 'c-1', name: 'Retargeting' }]);
  expect((await get(`/v1/stories/${proposalId}`)).body.story.campaigns).toEqual(await named());
  const found = async (search: string) =>
    (await get(`/v1/stories?search=${encodeURIComponent(search)}`)).body.stories.length;
  expect([await found('Retargeting'), await found('retarg'), await found('Search')]).toEqual([1, 1, 0]);

  await harness.deliver('profiles.v1', [campaign('c-1', 'Second, look', 3)]);
  await harness.deliver('profiles.v1', [campaign('c-1', 'An older name', 2)]);
  expect(await named()).toEqual([{ campaignId: 'c-1', name: 'Second, look' }]);
  expect([await found('second, look'), await found('Retargeting')]).toEqual([1, 0]);
});

test('a database of before names were kept gets them from its cards, and what a profile says stands', async () => {
  const { card } = escalated();
  const shown = (campaignId: string, name?: string) => ({ campaignId, currency: 'EUR', ...(name && { name }) });
  const campaigns = [shown('c-1', 'Retargeting'), shown('c-2', 'Old name'), shown('c-3')];
  const data = escalated({ card: { ...card, campaigns } });
  await deliver.proposed();
  await harness.deliver('actions.escalated.v1', [{ type: 'ActionEscalated', data, key: 'ads-1', correlationid }]);
  await deliver.approved();
  await harness.deliver('profiles.v1', [campaign('c-2', 'Video')]);
  await harness.query(
    `INSERT INTO agent_actions (proposal_id, agent, play_id, run_id, action_id, kind, detail, correlation_id, proposed_at, kept_at)
     VALUES ('${proposalId}', 'a', 'p', '${actionId}', '${actionId}', 'k', 'd', 'c', '${at}', '${at}') ON CONFLICT DO NOTHING`,
  );
  for (const table of ['stories', 'agent_actions', 'approvals'])
    await harness.query(`UPDATE ${table} SET campaign_keys = NULL`);
  const named = async () => (await get('/v1/stories')).body.stories[0].campaigns;
  expect(await named()).toEqual([]);

  // A card of before may have a NUL, or half of a surrogate pair. Postgres stores them and cannot read them.
  await harness.query(
    String.raw`UPDATE escalations SET card = replace(card::text, 'c-2 returns more', 'c-2 \u0000 more \ud83d')::json`,
  );
  const migration = new KnownCampaigns1764600000971();
  for (const _twice of [1, 2]) await migration.up({ query: harness.query } as never);
  expect(await named()).toEqual([
    { campaignId: 'c-1', name: 'Retargeting' },
    { campaignId: 'c-2', name: 'Video' },
  ]);
  expect(await harness.query('SELECT campaign_id, name, version::int FROM campaigns ORDER BY key')).toEqual([
    { campaign_id: 'c-1', name: 'Retargeting', version: 0 },
    { campaign_id: 'c-2', name: 'Video', version: 1 },
  ]);
  const keys = ['campaign:ads-1 c-1', 'campaign:ads-1 c-2', 'campaign:ads-1 c-3'];
  for (const table of ['stories', 'agent_actions', 'approvals'])
    expect(await harness.query(`SELECT campaign_keys AS keys FROM ${table}`), table).toEqual([{ keys }]);
  // The next report of a campaign replaces what a card said.
  await harness.deliver('profiles.v1', [campaign('c-1', 'Retargeting, DACH')]);
  expect((await named())[0]).toEqual({ campaignId: 'c-1', name: 'Retargeting, DACH' });
});

test.each([
  ['the proposal', proposalId],
  ['the action', actionId],
  ['the task', task().taskId],
  ['the permit', approved().permitId],
  ['the chain', correlationid],
  ['the first characters of an id', proposalId.slice(0, 8)],
  ['capital letters', proposalId.toUpperCase()],
  ['the account', 'acme'],
  ['a campaign', 'c-2'],
  ['the ad account', 'ads-1'],
])('a story is found by %s', async (_, search) => {
  await deliver.proposed();
  await deliver.approved();
  const { body } = await get(`/v1/stories?search=${encodeURIComponent(search)}`);
  expect(body.stories.map(({ id }: { id: string }) => id)).toEqual([proposalId]);
  expect((await get('/v1/stories?search=nothing-like-it')).body).toMatchObject({ stories: [], chains: [] });
});

test('what led to no proposal is found as a chain, by its ids and their first characters', async () => {
  await harness.deliver('orchestrator.dead-letters.v1', [
    { type: 'DeadLetter', data: deadLetter(), correlationid: 'signal-9', id: 'event-of-the-letter' },
  ]);
  for (const search of ['signal-9', 'signal', deadLetter().deadLetterId, 'event-of']) {
    const { body } = await get(`/v1/stories?search=${search}`);
    expect(body.chains).toMatchObject([{ id: 'signal-9', type: 'DeadLetter' }]);
  }
  const { body } = await get('/v1/stories/signal-9');
  expect(body).toMatchObject({ story: null, steps: [{ type: 'DeadLetter' }], more: false });
  expect((await get('/v1/stories/never-heard-of')).status).toBe(404);
});

test('a story has its own steps, in their order, with who did each and where it stands on Kafka', async () => {
  await deliver.settled();
  await deliver.approved();
  await deliver.escalated();
  await deliver.proposed();
  await deliver.task();
  // Of the same chain, and of another proposal.
  const other = derivedId('given', 'other');
  await harness.deliver('actions.refused.v1', [
    {
      type: 'ActionRefused',
      data: refused({ proposalId: other, actionId: derivedId('action', other) }),
      correlationid,
    },
  ]);
  const { body } = await get(`/v1/stories/${proposalId}`);
  expect(body.steps.map(({ type }: { type: string }) => type)).toEqual([
    'TaskAssigned',
    'ActionProposed',
    'ActionEscalated',
    'ActionApproved',
    'ActionSettled',
  ]);
  expect(body.story).toMatchObject({ id: proposalId, outcome: 'executed' });
  expect(body.steps[1]).toMatchObject({
    by: { kind: 'agent', name: 'paid-media-agent' },
    topic: 'actions.proposed.paid-media-agent.v1',
    partition: 0,
    offset: expect.stringMatching(/^\d+$/),
    traceUrl: null,
    provable: true,
  });
  // Any of its ids leads to it.
  expect((await get(`/v1/stories/${approved().permitId}`)).body.story).toMatchObject({ id: proposalId });
});

test('an event is kept byte by byte as it stands on Kafka, with its trace', async () => {
  const traceparent = `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`;
  const [record] = harness.records('actions.refused.v1', [{ type: 'ActionRefused', data: refused(), correlationid }]);
  if (!record) throw new Error('no record');
  // A header twice, one that is no text, and one without a value.
  const headers = { ...record.headers, traceparent, twice: ['a', 'b'], odd: Buffer.from([0xff, 0]), none: undefined };
  await harness.deliverRecords('actions.refused.v1', [{ ...record, headers }]);
  const { steps } = (await get(`/v1/stories/${proposalId}`)).body;
  expect(steps).toMatchObject([{ traceUrl: `https://traces.example/trace/${'ab'.repeat(16)}` }]);
  const { status, body } = await get(`/v1/events/${steps[0].id}/record`);
  expect(status).toBe(200);
  expect(body).toMatchObject({
    topic: 'actions.refused.v1',
    partition: 0,
    offset: record.offset,
    id: expect.any(String),
  });
  expect(body.bytes).toBe(Buffer.from(eventBytes({ ...record, headers })).toString('base64'));
  expect((await get('/v1/events/999999/record')).status).toBe(404);
});

test('stories are given a page at a time, each once, and read by an index whatever is asked for', async () => {
  await harness.query(`
    INSERT INTO stories (proposal_id, action_id, correlation_id, task_id, run_id, agent, play_id, play_title, account_id, sentence, outcome, rank, started_at, changed_at)
    SELECT gen_random_uuid(), gen_random_uuid(), 'chain ' || n, gen_random_uuid(), gen_random_uuid(), 'agent-' || n % 2, 'play-' || n % 5,
      'Play', 'account-' || n % 500, 'Do ' || n, CASE WHEN n % 10 = 0 THEN 'refused' ELSE 'executed' END, 4,
      timestamptz '2026-11-20T10:00:00Z' + (n / 3) * interval '1 second', now()
    FROM generate_series(1, 20000) n`);
  // A quarter of them are of one campaign: many more than one page, and more than once were looked at.
  await harness.query(
    `INSERT INTO story_names (name, proposal_id, started_at)
     SELECT unnest(ARRAY[proposal_id::text, account_id, correlation_id] || CASE WHEN right(correlation_id, 1) IN ('1', '6')
       OR correlation_id LIKE '%3_' THEN ARRAY['cmp-autumn'] ELSE '{}' END), proposal_id, started_at FROM stories`,
  );
  await harness.query(`
    INSERT INTO activities (correlation_id, topic, event_id, type, subject_id, detail, at)
    SELECT 'chain ' || n, 't', 'event ' || n, 'SignalAccepted', NULL, 'd', now() FROM generate_series(1, 20000) n`);
  await harness.query('ANALYZE');
  const asked = vi.spyOn(harness.engine, 'readForPage');
  const seen: string[] = [];
  let before = '';
  do {
    const { body } = await get(`/v1/stories?outcome=refused&agent=agent-0&limit=500${before && `&before=${before}`}`);
    seen.push(...body.stories.map(({ id }: { id: string }) => id));
    before = body.next ?? '';
  } while (before !== '');
  expect([seen.length, new Set(seen).size]).toEqual([2_000, 2_000]);
  const [autumn] = await harness.query<{ ids: string[] }>(
    `SELECT array_agg(proposal_id::text ORDER BY started_at DESC, proposal_id DESC) AS ids FROM story_names WHERE name = 'cmp-autumn'`,
  );
  expect(autumn?.ids.length).toBeGreaterThan(5_000);
  for (const search of ['cmp-autumn', 'cmp-aut']) {
    const found: string[] = [];
    for (let next: string | null = ''; next !== null; ) {
      const { body } = await get(`/v1/stories?search=${search}&limit=500${next && `&before=${next}`}`);
      found.push(...body.stories.map(({ id }: { id: string }) => id));
      expect(body.incomplete).toBe(false);
      next = body.next;
    }
    expect(found).toEqual(autumn?.ids);
  }
  // Hundreds of names begin with this.
  expect((await get('/v1/stories?search=account-')).body).toMatchObject({ incomplete: true });
  for (const query of [
    '',
    '?play=play-1',
    '?account=account-7',
    '?agent=agent-1',
    '?agent=nobody',
    '?search=account-7',
    '?search=chain%20777',
    '?search=event%2012',
  ])
    expect((await get(`/v1/stories${query}`)).body).toMatchObject({ chains: expect.any(Array) });
  expect((await get('/v1/stories?search=account-7')).body.stories).toHaveLength(40);
  const [newest] = (await get('/v1/stories')).body.stories;
  await get(`/v1/stories/${newest.id}`);
  await get('/v1/stories/event%20777');
  for (const [sql, params] of asked.mock.calls)
    expect({ sql, costly: await costlyParts(harness.query, sql, params) }).toEqual({ sql, costly: [] });
  vi.restoreAllMocks();
});

test('a story is found in its place by each of its names, whichever of its events is read first', async () => {
  const before = '2026-11-21T09:00:00.000Z';
  const reviewId = derivedId('given', 'review');
  await harness.deliver('reviews.decided.v1', [
    {
      type: 'ReviewDecided',
      data: {
        ...{ reviewId, subject: { kind: 'proposal', id: proposalId }, digest: escalated().digest },
        ...{ decision: 'approve', by: 'lea', at },
      },
      correlationid,
    },
  ]);
  await deliver.approved();
  await deliver.escalated();
  await deliver.proposed({ proposedAt: before });
  expect((await get(`/v1/stories?search=${reviewId}`)).body.stories).toMatchObject([{ startedAt: before }]);
  const times = await harness.query<{ at: Date }>('SELECT DISTINCT started_at AS at FROM story_names');
  expect(times).toEqual([{ at: new Date(before) }]);
});

test('a chain of many events hides no other, and it is said when more ids begin with what was looked for', async () => {
  await harness.query(`
    INSERT INTO activities (correlation_id, topic, event_id, type, subject_id, detail, at)
    SELECT 'order-1', 't', 'event ' || n, 'SignalAccepted', 'shop-1', 'd', now() FROM generate_series(1, 100) n
    UNION ALL SELECT 'order-2', 't', 'event of 2', 'SignalAccepted', 'shop-2', 'd', now()`);
  const found = async (search: string) => {
    const { chains, incomplete } = (await get(`/v1/stories?search=${search}`)).body;
    return [chains.map(({ id }: { id: string }) => id).toSorted(), incomplete];
  };
  for (const search of ['order-', 'shop-']) expect(await found(search)).toEqual([['order-1', 'order-2'], false]);
  await harness.query(`
    INSERT INTO activities (correlation_id, topic, event_id, type, subject_id, detail, at)
    SELECT 'order-' || n, 't', 'other ' || n, 'SignalAccepted', NULL, 'd', now() FROM generate_series(3, 40) n`);
  const [ids, incomplete] = await found('order-');
  expect([ids.length, incomplete]).toEqual([20, true]);
});

test.each(['search=ab', 'before=yesterday', 'outcome=lost', 'limit=501', 'search=%00ab'])(
  'what cannot be asked for is refused: %s',
  async (query) => {
    expect((await get(`/v1/stories?${query}`)).status).toBe(400);
  },
);

test('what is old is forgotten: stories after 30 days, their steps after seven', async () => {
  await deliver.proposed();
  await deliver.refused();
  harness.setNow('2026-11-29T12:00:00.000Z');
  await harness.runJobs();
  expect((await get(`/v1/stories/${proposalId}`)).body).toMatchObject({ story: { outcome: 'refused' }, steps: [] });
  harness.setNow('2026-12-29T12:00:00.000Z');
  await harness.runJobs();
  expect((await get(`/v1/stories/${proposalId}`)).status).toBe(404);
  expect(await harness.query('SELECT FROM story_names')).toEqual([]);
});

test('whoever reads a story is told when its first steps are forgotten, also of a chain that led to no proposal', async () => {
  const began = '2026-11-20T08:00:00.000Z';
  const signal = {
    ...{ source: '/sources/crm', signalId: correlationid, type: 'PageViewed', occurredAt: began, receivedAt: began },
    ...{ quality: { score: 90, freshness: 90, completeness: 90 }, triggers: true, facts: {}, madeFrom: {} },
  };
  const step = (id: string, causationid: string, type: string, data: object, time: string = at) => [
    { id, correlationid, causationid, type, data, time },
  ];
  await harness.deliver('signals.accepted.v1', step('e-1', correlationid, 'SignalAccepted', signal, began));
  await harness.deliver('tasks.escalated.v1', step('e-2', 'e-1', 'TaskEscalated', checkpoint(), began));
  const asked = async (id: string) => {
    const { story, steps, complete } = (await get(`/v1/stories/${id}`)).body;
    return [story === null ? 'chain' : 'story', steps.map(({ type }: { type: string }) => type), complete];
  };
  expect(await asked(correlationid)).toEqual(['chain', ['SignalAccepted', 'TaskEscalated'], true]);
  await harness.deliver('tasks.assigned.v1', step('e-3', 'e-2', 'TaskAssigned', task()));
  expect(await asked(correlationid)).toEqual(['chain', ['SignalAccepted', 'TaskEscalated', 'TaskAssigned'], true]);
  // An agent elsewhere that names no chain.
  const elsewhere = derivedId('given', 'elsewhere');
  const action = { ...escalated().action, actionId: derivedId('action', elsewhere) };
  await harness.deliver('actions.proposed.paid-media-agent.v1', [
    { type: 'ActionProposed', data: proposed({ proposalId: elsewhere, action }) },
  ]);
  const whole = ['SignalAccepted', 'TaskEscalated', 'TaskAssigned', 'ActionProposed'];
  expect(await asked(elsewhere)).toEqual(['story', whole, true]);
  // Seven days after the signal, and not yet after its task.
  harness.setNow('2026-11-27T09:00:00.000Z');
  await harness.runJobs();
  expect(await asked(correlationid)).toEqual(['chain', ['TaskAssigned'], false]);
  await harness.deliver('actions.proposed.paid-media-agent.v1', step('e-4', 'e-3', 'ActionProposed', proposed()));
  expect(await asked(proposalId)).toEqual(['story', ['TaskAssigned', 'ActionProposed'], false]);
});

test('the console keeps the checkpoints that it sees, two of one size both, and tells where they are verified', async () => {
  const checkpoint = (size: number, rootHash: string) => ({
    type: 'CheckpointPublished',
    data: { origin: 'countersign.local/record', size, rootHash, note: `note ${size} ${rootHash}`, at },
  });
  await harness.deliver('record.checkpoints.v1', [checkpoint(7, 'a'), checkpoint(12, 'b'), checkpoint(12, 'c')]);
  const { body } = await get('/v1/record/checkpoints?limit=10');
  expect(body).toMatchObject({
    checkpoints: [{ size: 12, root: 'b' }, { size: 12, root: 'c' }, { size: 7 }],
    next: null,
  });
  expect((await get('/v1/record/checkpoints?before=12')).body.checkpoints).toMatchObject([
    { size: 7, note: 'note 7 a' },
  ]);
  expect((await get('/v1/record')).body).toMatchObject({
    url: 'https://record.example',
    key,
    latest: { size: 12 },
  });
});

test('checkpoints are given spread over all that the console stored, always with the oldest and the newest, found by the index', async () => {
  await harness.query(
    `INSERT INTO checkpoints (size, root, origin, note, at, seen_at)
     SELECT n * 10, 'a', 'countersign.local/record', 'note ' || n * 10, $1::timestamptz - (20000 - n) * interval '2 s', $1
     FROM generate_series(1, 20000) AS n`,
    [at],
  );
  await harness.query(`INSERT INTO checkpoints VALUES (10, 'b', 'countersign.local/record', 'twin', $1, $1)`, [at]);
  await harness.query('ANALYZE checkpoints');
  const read = vi.spyOn(harness.engine, 'readForPage');
  const { body } = await get('/v1/record/checkpoints?spread=200');
  const sizes: number[] = body.checkpoints.map(({ size }: { size: number }) => size);
  expect(body.next).toBeNull();
  expect(new Set(sizes).size).toBe(200);
  expect(sizes[0]).toBe(200_000);
  // Two of one size are both given.
  expect(body.checkpoints.slice(-2)).toMatchObject([
    { size: 10, root: 'a', note: 'note 10' },
    { size: 10, root: 'b', note: 'twin' },
  ]);
  for (const [n, size] of sizes.slice(1, -1).entries()) {
    expect(sizes[n] as number).toBeGreaterThan(size);
    expect((sizes[n] as number) - size).toBeLessThanOrEqual(1_020);
  }
  expect(read.mock.calls.length).toBeGreaterThan(0);
  for (const [sql, params] of read.mock.calls)
    expect({ sql, costly: await costlyParts(harness.query, sql, params) }).toEqual({ sql, costly: [] });
  vi.restoreAllMocks();
  // Where there are no more than were asked for, all of them.
  await harness.query('DELETE FROM checkpoints WHERE size BETWEEN 20 AND 199970');
  const few = (await get('/v1/record/checkpoints?spread=200')).body.checkpoints;
  expect(few.map(({ size }: { size: number }) => size)).toEqual([200_000, 199_990, 199_980, 10, 10]);
  for (const query of ['spread=1', 'spread=501', 'spread=x', 'spread=200&before=12'])
    expect((await get(`/v1/record/checkpoints?${query}`)).status).toBe(400);
});
