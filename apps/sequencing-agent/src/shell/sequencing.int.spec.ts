import { aTask, at, contact, emptied, nurture, profilesWith } from '@countersign/agent/testing';
import {
  type ActionProposed,
  derivedId,
  digestOf,
  policyDigests,
  proposalIdOf,
  type TaskAssigned,
  type TaskSettled,
} from '@countersign/contracts';
import { createHarness, type Harness, type Published, readingToken, tablesOf } from '@countersign/runtime/harness';
import { copyTestDatabase, costlyParts, type TestDatabase } from '@countersign/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { SequencingModule, spec } from '../module.js';

const { headers, remove } = readingToken();
let database: TestDatabase;
let service: Harness;

beforeAll(async () => {
  database = await copyTestDatabase(tablesOf(spec));
});
beforeEach(async () => {
  for (const name of ['OPENAI_BASE_URL', 'OPENAI_API_KEY', 'OPENAI_MODEL']) vi.stubEnv(name, '');
  service = await createHarness(SequencingModule, spec, { databaseUrl: database.url, at });
  for (const [key, { data }] of profilesWith([])) await service.putState('profiles.v1', key, data);
  await publishPolicy(1);
});
afterEach(async () => {
  await service?.query(emptied('enrolments'));
  await service?.close();
  vi.unstubAllEnvs();
});
afterAll(async () => {
  remove();
  await database?.close();
});

function publishPolicy(version: number, sequences: object[] = [nurture]): Promise<void> {
  const content = {
    charters: [],
    plays: [],
    sequences: sequences as (typeof nurture)[],
    rules: {
      permitSeconds: 60,
      contactFrequency: { touches: 1, days: 1 },
      firstTouchNeedsPerson: [],
      prohibitedKinds: [],
      creativeNeedsPerson: true,
      maxProposalBytes: 10_000,
    },
    routes: [
      { kinds: ['email.send' as const], executor: 'action-executor', connector: 'mailer' },
      { kinds: ['sequence.enroll' as const, 'sequence.stop' as const], executor: 'action-executor', connector: 'crm' },
    ],
  };
  const policy = { version, changedAt: at, bundle: 'main', ...policyDigests(content), by: 'dana', content };
  return service.putState('policies.v1', 'main', policy);
}

const task = (more: Partial<TaskAssigned> = {}): TaskAssigned =>
  aTask({
    agent: 'sequencing-agent',
    kinds: ['sequence.enroll', 'email.send'],
    settings: { sequence: 'nurture', sendAheadSeconds: 6 },
    contactIds: [contact(1), contact(2)],
    ...more,
  });
const assign = (given: TaskAssigned): Promise<Published[]> =>
  service.deliver('tasks.assigned.v1', [{ type: 'TaskAssigned', data: given, correlationid: 'signal-3' }]);
const proposedOf = (events: readonly Published[]): ActionProposed[] =>
  events.filter((e) => e.type === 'ActionProposed').map((e) => e.data as ActionProposed);
/** Settles a proposal as its executor does, which has its approval. */
const settle = async (
  { proposalId, action, taskId, play }: ActionProposed,
  more: object = {},
): Promise<Published[]> => {
  const permit = {
    permitId: derivedId('permit', proposalId),
    actionId: action.actionId,
    proposalId,
    digest: digestOf(action),
    executor: 'action-executor',
    connector: 'crm',
  };
  const verdict = { outcome: 'approved', reasons: [], tier: 'auto', policy: { version: 1, digest: null }, at };
  const given = { ...permit, taskId, agent: 'sequencing-agent', play, verdict, action, permit: 'a.b.c' };
  await service.deliver('actions.approved.v1', [
    { type: 'ActionApproved', data: { ...given, notBefore: at, expiresAt: at, reservations: [] } },
  ]);
  return service.deliver('actions.settled.action-executor.v1', [
    {
      type: 'ActionSettled',
      correlationid: 'signal-3',
      data: { ...permit, outcome: 'executed', at, ...more },
    },
  ]);
};
const refuse = ({ proposalId, action, taskId, play }: ActionProposed, rule: string, figures?: object) =>
  service.deliver('actions.refused.v1', [
    {
      type: 'ActionRefused',
      data: {
        proposalId,
        actionId: action.actionId,
        taskId,
        agent: 'sequencing-agent',
        play,
        digest: digestOf(action),
        kind: action.kind,
        verdict: {
          outcome: 'refused',
          reasons: [{ rule, outcome: 'refuse', detail: `refused by ${rule}`, ...(figures && { figures }) }],
          tier: null,
          policy: { version: 1, digest: null },
          at,
        },
      },
    },
  ]);
const enrolments = async (): Promise<
  { enrolmentId: string; state: string; reason: string | null; stepsProposed: number }[]
> => (await service.app.inject({ url: '/enrolments', headers })).json().enrolments;

/** Assigns a task and settles its first enrolment as carried out. */
async function enrolled(): Promise<ActionProposed> {
  const [first] = proposedOf(await assign(task()));
  if (!first) throw new Error('no proposal');
  expect(await settle(first)).toEqual([]);
  return first;
}
const nextDay = '2026-11-22T10:00:00.000Z';

test('a surge task becomes an enrolment for each contact and nothing is sent by it', async () => {
  const out = await assign(task());
  expect(out.map((e) => e.type)).toEqual(['ActionProposed', 'ActionProposed', 'TaskSettled']);
  expect(out[2]?.data as TaskSettled | undefined).toMatchObject({ reason: 'proposed 2 × sequence.enroll' });
  expect(await service.runJobs()).toEqual([]);
});

test('after an enrolment was carried out each step is proposed when it is due, once, in the chain of the signal', async () => {
  const enrolment = await enrolled();
  await settle(enrolment);
  const [first, ...more] = await service.runJobs();
  expect(more).toEqual([]);
  expect(first).toMatchObject({
    topic: 'actions.proposed.sequencing-agent.v1',
    key: 'acme',
    correlationid: 'signal-3',
    data: {
      taskId: enrolment.taskId,
      proposalId: proposalIdOf('sequencing-agent', enrolment.taskId, `${enrolment.action.actionId}/0`),
      action: {
        kind: 'email.send',
        payload: {
          contactId: contact(1),
          template: 'guide',
          sendAt: '2026-11-21T10:00:06.000Z',
          sequence: { id: 'nurture', enrolment: enrolment.action.actionId, step: 0 },
        },
      },
    },
  });
  expect(await service.runJobs()).toEqual([]);
  service.setNow(nextDay);
  expect(proposedOf(await service.runJobs())[0]?.action.payload).toMatchObject({ template: 'story' });
  expect(await enrolments()).toMatchObject([{ state: 'finished', stepsProposed: 2 }]);
});

test.each([
  ['long ago', '1970-01-01T00:00:00.000Z'],
  ['in the far future', '9999-12-31T23:59:59.999Z'],
])(
  'an enrolment whose executor says that it was carried out %s has its steps one after the other all the same',
  async (_when, at) => {
    const [first] = proposedOf(await assign(task()));
    if (!first) throw new Error('no proposal');
    await settle(first, { at });
    expect(proposedOf(await service.runJobs()).map((p) => p.action.payload)).toMatchObject([{ template: 'guide' }]);
    service.setNow(nextDay);
    expect(proposedOf(await service.runJobs()).map((p) => p.action.payload)).toMatchObject([{ template: 'story' }]);
  },
);

test('the end of an enrolment that failed stands: what its executor says later sends no message', async () => {
  const [first] = proposedOf(await assign(task()));
  if (!first) throw new Error('no proposal');
  await settle(first, { outcome: 'failed' });
  await settle(first);
  expect(await service.runJobs()).toEqual([]);
  expect(await enrolments()).toEqual([]);
});

test('an enrolment that was not carried out has no steps', async () => {
  const [first, second] = proposedOf(await assign(task()));
  if (!first || !second) throw new Error('no proposals');
  await settle(first, { outcome: 'failed' });
  await refuse(second, 'consent');
  expect(await service.runJobs()).toEqual([]);
  expect(await enrolments()).toEqual([]);
});

test('a message refused for want of consent closes the enrolment, and no later step is proposed', async () => {
  await enrolled();
  const [message] = proposedOf(await service.runJobs());
  if (!message) throw new Error('no message');
  await refuse(message, 'consent');
  expect(await enrolments()).toMatchObject([{ state: 'closed', reason: 'refused by consent', stepsProposed: 1 }]);
  service.setNow(nextDay);
  expect(await service.runJobs()).toEqual([]);
});

test('a step of which nothing is heard closes its enrolment, when its send time and the life of a permit are over', async () => {
  await enrolled();
  const [message] = proposedOf(await service.runJobs());
  if (!message) throw new Error('no message');
  const look = async (now: string) => {
    service.setNow(now);
    await service.query(
      `INSERT INTO jobs (kind, id, due_at, payload, cause, created_at)
       VALUES ('unsettled-proposals', 'first', '1970-01-01Z', '{}', '{}', now()) ON CONFLICT DO NOTHING`,
    );
    await service.query(`DELETE FROM jobs WHERE kind = 'step'`);
    await service.runJobs();
  };
  await look('2026-11-29T10:00:00.000Z');
  expect(await enrolments()).toMatchObject([{ state: 'running' }]);
  await look('2026-11-29T11:00:07.000Z');
  expect(await enrolments()).toMatchObject([{ state: 'closed', reason: 'step 1 was never refused or settled' }]);
});

test('a message refused by a limit leaves the later steps to be judged on their own', async () => {
  await enrolled();
  const [message] = proposedOf(await service.runJobs());
  if (!message) throw new Error('no message');
  await refuse(message, 'contact-frequency');
  service.setNow(nextDay);
  expect(proposedOf(await service.runJobs())).toHaveLength(1);
});

test('a step that quiet hours refused comes again once when they are over, however often the refusal is told', async () => {
  await enrolled();
  const [message] = proposedOf(await service.runJobs());
  if (!message) throw new Error('no message');
  const opens = '2026-11-21T18:00:00.000Z';
  await refuse(message, 'quiet-hours', { opens });
  await refuse(message, 'quiet-hours', { opens });
  service.setNow('2026-11-21T17:59:59.000Z');
  expect(await service.runJobs()).toEqual([]);
  service.setNow(opens);
  const again = proposedOf(await service.runJobs());
  expect(again).toMatchObject([
    {
      proposalId: proposalIdOf('sequencing-agent', message.taskId, `${message.item}/1`),
      action: { payload: { template: 'guide', sendAt: '2026-11-21T18:00:06.000Z', sequence: { step: 0 } } },
    },
  ]);
  await refuse(message, 'quiet-hours', { opens });
  expect(await service.runJobs()).toEqual([]);
  expect(await enrolments()).toMatchObject([{ state: 'running', stepsProposed: 1 }]);
});

test('the last step that quiet hours refused, or that came to its executor in them, comes again after the sequence is finished', async () => {
  await enrolled();
  await service.runJobs();
  service.setNow(nextDay);
  const [last] = proposedOf(await service.runJobs());
  if (!last) throw new Error('no message');
  expect(await enrolments()).toMatchObject([{ state: 'finished', stepsProposed: 2 }]);
  await settle(last, { outcome: 'refused', reason: { code: 'quiet-hours', detail: 'it is quiet' } });
  const [again] = proposedOf(await service.runJobs());
  expect(again?.action.payload).toMatchObject({ template: 'story', sequence: { step: 1 } });
  if (!again) throw new Error('not again');
  await refuse(again, 'quiet-hours', { opens: '2026-11-23T07:00:00.000Z' });
  service.setNow('2026-11-23T07:00:00.000Z');
  expect(proposedOf(await service.runJobs())).toMatchObject([{ item: `${last.item}/2` }]);
  expect(await enrolments()).toMatchObject([{ state: 'finished', stepsProposed: 2 }]);
});

test('a withdrawal between approval and sending closes the enrolment', async () => {
  await enrolled();
  const [message] = proposedOf(await service.runJobs());
  if (!message) throw new Error('no message');
  await settle(message, { outcome: 'refused', reason: { code: 'consent-changed', detail: 'consent changed' } });
  expect(await enrolments()).toMatchObject([{ state: 'closed', reason: 'consent changed' }]);
});

test('an enrolment that was undone, or whose sequence was stopped, proposes nothing more', async () => {
  const [first, second] = proposedOf(await assign(task()));
  if (!first || !second) throw new Error('no proposals');
  await settle(first);
  await settle(second);
  await settle(first, { outcome: 'undone' });
  const [stop] = proposedOf(await assign(task({ kinds: ['sequence.stop'], contactIds: [contact(2)] })));
  if (!stop) throw new Error('no stop');
  await settle(stop);
  expect((await enrolments()).map((e) => [e.state, e.reason]).sort()).toEqual([
    ['stopped', 'the enrolment was undone'],
    ['stopped', 'the sequence was stopped for this contact'],
  ]);
  expect(await service.runJobs()).toEqual([]);
});

test('a sequence that left the policy closes its enrolments at their next step', async () => {
  await enrolled();
  await publishPolicy(2, []);
  expect(await service.runJobs()).toEqual([]);
  expect(await enrolments()).toMatchObject([
    { state: 'closed', reason: 'the policy in force has no step 1 of nurture' },
  ]);
});

test('a contact who is in a sequence already gets its messages once', async () => {
  await enrolled();
  const [again] = proposedOf(await assign(task({ purpose: 'a second surge' })));
  if (!again) throw new Error('no proposal');
  await settle(again);
  expect(proposedOf(await service.runJobs())).toHaveLength(1);
  expect((await enrolments()).map((e) => [e.state, e.reason]).sort()).toEqual([
    ['closed', 'the contact is in this sequence already'],
    ['running', null],
  ]);
});

test('each page reads about as many rows as it shows, however many there are', async () => {
  await service.query(`
    INSERT INTO tasks (task_id, task, received_at, due_at)
    SELECT gen_random_uuid(), '{}', '2026-01-01Z'::timestamptz + n * interval '1 second', '2026-01-01Z' FROM generate_series(1, 20000) AS n`);
  await service.query(`
    INSERT INTO enrolments (enrolment_id, task_id, contact_id, sequence_id, state, started_at)
    SELECT gen_random_uuid(), task_id, gen_random_uuid(), 'nurture', 'finished', received_at FROM tasks`);
  await service.query(`
    INSERT INTO proposals (proposal_id, task_id, kind, action, planner, state, proposed_at, changed_at)
    SELECT gen_random_uuid(), task_id, 'email.send',
           jsonb_build_object('actionId', task_id, 'kind', 'email.send', 'payload', '{}'::jsonb), '{"kind": "rules", "name": "r"}',
           CASE WHEN row_number() OVER () % 1000 = 0 THEN 'expired' ELSE 'executed' END, received_at, received_at FROM tasks`);
  await service.query('ANALYZE');
  const [{ task_id: taskId }] = (await service.query('SELECT task_id FROM tasks LIMIT 1')) as [{ task_id: string }];
  const asked = vi.spyOn(service.engine, 'readForPage');
  expect(await enrolments()).toHaveLength(500);
  for (const query of ['', '?state=expired', `?task=${taskId}`, `?state=executed&task=${taskId}`])
    expect((await service.app.inject({ url: `/proposals${query}`, headers })).statusCode).toBe(200);
  expect(asked).toHaveBeenCalledTimes(5);
  for (const [sql, params] of asked.mock.calls)
    expect({ sql, costly: await costlyParts(service.query, sql, params) }).toEqual({ sql, costly: [] });
});

test('however many pages are asked for, and however long they take, work goes on and health is answered', async () => {
  const locked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const holding = service.transaction(async (tx) => {
    await tx.query('LOCK TABLE enrolments IN ACCESS EXCLUSIVE MODE');
    locked.resolve();
    await release.promise;
  });
  try {
    await locked.promise;
    const answers: { statusCode: number; headers: object; json(): unknown }[] = [];
    const pages = Array.from({ length: 60 }, async () => {
      answers.push(await service.app.inject({ url: '/enrolments', headers }));
    });
    // Two read, ten wait, and the others are told at once.
    await expect.poll(() => answers.length).toBe(48);
    for (const refused of answers) {
      expect(refused).toMatchObject({ statusCode: 503, headers: { 'retry-after': '2' } });
      expect(refused.json()).toMatchObject({ status: 503, detail: expect.stringContaining('ask again') });
    }
    expect(proposedOf(await assign(task()))).not.toHaveLength(0);
    expect((await service.app.inject({ url: '/health', headers })).json()).toMatchObject({
      checks: { database: 'ok' },
    });
    release.resolve();
    await Promise.all(pages);
    expect(answers.filter(({ statusCode }) => statusCode === 200)).toHaveLength(12);
  } finally {
    release.resolve();
    await holding;
  }
});
