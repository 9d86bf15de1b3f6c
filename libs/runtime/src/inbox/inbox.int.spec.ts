import { type DataOf, outputId, toBinary, topicNamed, topics, topology } from '@countersign/contracts';
import { createTestDatabase, type TestDatabase } from '@countersign/testing';
import { Controller, Inject, Injectable, Module } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  type Batch,
  causeOf,
  type Job,
  type JobContext,
  type JobKind,
  jobName,
  RUNTIME,
  type Runtime,
  type ServiceSpec,
  type Work,
} from '../api/runtime.js';
import { migrate } from '../database/database.js';
import { Engine } from '../engine/engine.js';
import { createHarness, type Harness, type Published } from '../harness.js';
import { RuntimeModule } from '../nest/serve.js';

class Effects1763700000000 implements MigrationInterface {
  async up(db: QueryRunner) {
    await db.query('CREATE TABLE effects (proposal_id text PRIMARY KEY, times int NOT NULL)');
  }
  async down() {}
}

/** Counts each proposal's effect and announces it; `poison` in the rationale breaks it. */
const later = jobName<{ proposalId: string }>('later');

@Controller()
class Handlers {
  static broken = new Set<string>();
  static before: ((batch: Batch<'ActionProposed'>) => Promise<void>) | undefined;
  constructor(@Inject(RUNTIME) readonly runtime: Runtime) {}

  @EventPattern<string[]>(['actions.proposed.paid-media-agent.v1'])
  async onProposed(@Payload() batch: Batch<'ActionProposed'>): Promise<void> {
    await Handlers.before?.(batch);
    for (const received of batch.events) {
      const { proposalId, rationale } = received.event.data;
      await batch.tx.query(
        'INSERT INTO effects VALUES ($1, 1) ON CONFLICT (proposal_id) DO UPDATE SET times = effects.times + 1',
        [proposalId],
      );
      if (Handlers.broken.has(rationale)) throw new Error(`cannot handle ${rationale}`);
      batch.emit(causeOf(received), topics.actionsRefused, {
        key: received.key ?? '',
        data: refused(received.event.data, batch.at),
      });
      batch.schedule(causeOf(received), { kind: later, id: proposalId, dueAt: batch.at, payload: { proposalId } });
    }
  }
}

@Injectable()
class Later implements JobKind<{ proposalId: string }> {
  readonly kind = later;
  readonly leaseMs = 60_000;
  readonly batch = 10;
  static answers: string[] = [];
  static before: ((context: JobContext, jobs: readonly Job<{ proposalId: string }>[]) => Promise<void>) | undefined;
  static end: NonNullable<JobKind<{ proposalId: string }>['giveUp']> | undefined;
  giveUp: NonNullable<typeof Later.end> = async (...args) => (await Later.end?.(...args)) ?? false;
  async work(jobs: readonly Job<{ proposalId: string }>[], context: JobContext): Promise<void> {
    await Later.before?.(context, jobs);
    await context.finish(jobs, async (owned, work) => {
      for (const job of owned) {
        const rationale = Later.answers.shift() ?? 'no answer';
        work.emit(job.cause, topics.actionsRefused, {
          key: 'k',
          data: refused(proposal({ proposalId: job.payload.proposalId, rationale }), work.at, rationale),
        });
      }
    });
  }
}

const spec: ServiceSpec = {
  name: 'guardrail-validator',
  port: 0,
  migrations: [Effects1763700000000],
  jobs: [Later],
  state: [topics.profiles, topics.controls],
  concerns: ({ event }) => event.type !== 'ActionProposed' || event.data.rationale !== 'of another',
};

@Module({ imports: [RuntimeModule.of(spec)], controllers: [Handlers], providers: [Later] })
class ServiceModule {}

const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const proposal = (over: Partial<DataOf<'ActionProposed'>>): DataOf<'ActionProposed'> => ({
  proposalId: uuid(1),
  taskId: uuid(2),
  agent: 'paid-media-agent',
  play: { id: 'a-play', runId: uuid(3), title: 'A play' },
  purpose: 'testing',
  kinds: ['ads.set_bid'],
  action: { actionId: uuid(4), kind: 'ads.set_bid', payload: {} },
  rationale: 'because',
  evidence: [],
  confidence: 1,
  alternatives: [],
  planner: { kind: 'rules', name: 'rules' },
  proposedAt: '2026-11-21T10:00:00.000Z',
  madeFrom: {},
  ...over,
});
const refused = (p: DataOf<'ActionProposed'>, at: string, detail = 'always'): DataOf<'ActionRefused'> => ({
  proposalId: p.proposalId,
  actionId: p.action.actionId,
  taskId: p.taskId,
  agent: p.agent,
  play: p.play,
  digest: 'a'.repeat(64),
  kind: p.action.kind,
  verdict: {
    outcome: 'refused',
    reasons: [{ rule: 'test', outcome: 'refuse', detail }],
    tier: null,
    policy: { version: 0, digest: null },
    at,
  },
});

const topic = 'actions.proposed.paid-media-agent.v1';
const start = '2026-11-21T10:00:00.000Z';
const given = (n: number, over: Partial<DataOf<'ActionProposed'>> = {}) => ({
  type: 'ActionProposed',
  id: `event-${n}`,
  data: proposal({ proposalId: uuid(n), ...over }),
});
const effects = async () =>
  Object.fromEntries(
    (await harness.query<{ proposal_id: string; times: number }>('SELECT * FROM effects')).map((r) => [
      r.proposal_id,
      r.times,
    ]),
  );

let database: TestDatabase;
let harness: Harness;
beforeEach(async () => {
  Handlers.broken = new Set();
  Handlers.before = undefined;
  Later.answers = [];
  Later.before = undefined;
  Later.end = undefined;
  database = await createTestDatabase();
  harness = await createHarness(ServiceModule, spec, {
    databaseUrl: database.url,
    at: '2026-11-21T10:00:00.000Z',
    env: { POISON_TRIES: '2', BACKOFF_MS: '1', EVENT_BYTES: '20000', LEASE_MS: '3000', JOB_TRIES: '4' },
  });
});
afterEach(async () => {
  await harness?.close();
  await database?.drop();
});

test('what does not concern the service is passed over, and nothing remembers it', async () => {
  const others = { rationale: 'of another' };
  expect(await harness.deliver(topic, [given(1, others)])).toEqual([]);
  expect(await harness.deliver(topic, [given(2, others), given(3)])).toHaveLength(1);
  expect(await effects()).toEqual({ [uuid(3)]: 1 });
  expect(await harness.query('SELECT id FROM inbox')).toEqual([{ id: 'event-3' }]);
});

test('events of several partitions are one batch, the outputs of each in its order, however they came', async () => {
  const at = (record: ReturnType<typeof harness.records>[number], partition: number, offset: string) => ({
    ...record,
    partition,
    offset,
  });
  const [a, b, c, d] = harness.records(topic, [given(1), given(2), given(3), given(4)]);
  const batches: number[] = [];
  Handlers.before = async ({ events }) => void batches.push(events.length);
  const records = [at(a as never, 1, '7'), at(b as never, 0, '9'), at(c as never, 1, '8'), at(d as never, 0, '10')];
  const published = await harness.deliverRecords(topic, records);
  expect(batches).toEqual([4]);
  expect(published.map(({ causationid }) => causationid)).toEqual(['event-2', 'event-4', 'event-1', 'event-3']);
  expect(await harness.deliverRecords(topic, records)).toEqual(published);
});

test('a redelivered batch has no second effect and publishes the same bytes again', async () => {
  const records = harness.records(topic, [given(1), given(2)]);
  const first = await harness.deliverRecords(topic, records);
  harness.setNow('2026-11-21T11:00:00.000Z');
  const again = await harness.deliverRecords(topic, records);
  expect(await effects()).toEqual({ [uuid(1)]: 1, [uuid(2)]: 1 });
  expect(again).toEqual(first);
  expect(first.map((e) => e.id)).toEqual(
    [1, 2].map((n) =>
      outputId('guardrail-validator', { source: '/countersign/paid-media-agent', id: `event-${n}` }, 0),
    ),
  );
});

test('rule 2: an id twice in one batch is handled once, at its lowest offset', async () => {
  const [a] = harness.records(topic, [given(1)]);
  const [b] = harness.records(topic, [given(1)]);
  const published = await harness.deliverRecords(topic, [a, b] as never);
  expect(published).toHaveLength(1);
  expect(await harness.query(`SELECT "offset" FROM inbox WHERE topic = $1`, [topic])).toEqual([
    { offset: Number(a?.offset) },
  ]);
  // The same coordinates are a redelivery: its outputs go out again. The duplicate's coordinates are not.
  expect(await harness.deliverRecords(topic, [b] as never)).toHaveLength(0);
  expect(await harness.deliverRecords(topic, [a] as never)).toEqual(published);
});

test('other bytes under a known id are a dead letter, never an effect', async () => {
  await harness.deliver(topic, [given(1)]);
  const published = await harness.deliver(topic, [given(1, { rationale: 'something else' })]);
  expect(published).toMatchObject([
    { topic: 'guardrail-validator.dead-letters.v1', data: { fault: { code: 'id-reused' } } },
  ]);
  expect(await effects()).toEqual({ [uuid(1)]: 1 });
});

test('the same offset of another partition is no redelivery: the same event says nothing again, other bytes are a dead letter', async () => {
  const [first, other] = harness.records(topic, [given(1), { ...given(1), data: proposal({ rationale: 'other' }) }]);
  const { offset } = first as NonNullable<typeof first>;
  expect(await harness.deliverRecords(topic, [first] as never)).toHaveLength(1);
  expect(await harness.deliverRecords(topic, [{ ...first, partition: 1 }] as never)).toEqual([]);
  expect(await harness.deliverRecords(topic, [{ ...other, partition: 2, offset }] as never)).toMatchObject([
    { topic: 'guardrail-validator.dead-letters.v1', data: { fault: { code: 'id-reused' } } },
  ]);
});

test('a poison event becomes a dead letter after its tries and the others of its batch go on', async () => {
  Handlers.broken.add('poison');
  const published = await harness.deliver(topic, [given(1), given(2, { rationale: 'poison' }), given(3)]);
  expect(published.map((e) => e.topic)).toEqual([
    'actions.refused.v1',
    'guardrail-validator.dead-letters.v1',
    'actions.refused.v1',
  ]);
  expect(published[1]?.data).toMatchObject({
    id: 'event-2',
    topic,
    attempts: 2,
    fault: { code: 'handler', detail: 'cannot handle poison' },
  });
  expect(await effects()).toEqual({ [uuid(1)]: 1, [uuid(3)]: 1 });
});

test('a dead letter is handled again on order, once, with the outputs it would have had', async () => {
  Handlers.broken.add('poison');
  const [letter] = await harness.deliver(topic, [given(2, { rationale: 'poison' })]);
  const deadLetterId = (letter?.data as unknown as DataOf<'DeadLetter'> | undefined)?.deadLetterId ?? '';
  const order = {
    type: 'DeadLetterReplayed',
    data: { deadLetterId, service: 'guardrail-validator', by: 'sam', at: '2026-11-21T10:00:00.000Z' },
  };
  const ended = { topic: 'guardrail-validator.dead-letters.v1', type: 'ReplayEnded', key: deadLetterId };
  expect(await harness.deliver('dead-letters.replayed.v1', [order])).toMatchObject([
    {
      ...ended,
      data: {
        outcome: 'failed',
        attempts: 3,
        orderedAt: order.data.at,
        fault: { code: 'replay', detail: 'cannot handle poison' },
      },
    },
  ]);
  expect(await harness.query('SELECT status, attempts FROM dead_letters')).toEqual([{ status: 'dead', attempts: 3 }]);
  Handlers.broken.clear();
  const mended = harness.records('dead-letters.replayed.v1', [order]);
  const published = await harness.deliverRecords('dead-letters.replayed.v1', mended);
  const handled = { ...ended, data: { outcome: 'handled', service: 'guardrail-validator' } };
  expect(published).toMatchObject([{ topic: 'actions.refused.v1', causationid: 'event-2' }, handled]);
  expect(await harness.deliverRecords('dead-letters.replayed.v1', mended)).toEqual(published);
  // It is told once more that it was handled, since somebody asked once more; it is not handled again.
  expect(await harness.deliver('dead-letters.replayed.v1', [order])).toMatchObject([handled]);
  expect(await effects()).toEqual({ [uuid(2)]: 1 });
});

test('a handler is told when the broker took an event, and of one that is handled again on order when that was', async () => {
  const times: (string | undefined)[] = [];
  Handlers.before = async ({ events }) => void times.push(...events.map(({ takenAt }) => takenAt));
  Handlers.broken.add('poison');
  const taken = '2026-10-01T08:00:00.250Z';
  const records = harness.records(topic, [given(2, { rationale: 'poison' })]);
  const [letter] = await harness.deliverRecords(
    topic,
    records.map((record) => ({ ...record, timestamp: String(Date.parse(taken)) })),
  );
  Handlers.broken.clear();
  await harness.deliver('dead-letters.replayed.v1', [replayOf(letter)]);
  expect(new Set(times)).toEqual(new Set([taken]));
  expect(await effects()).toEqual({ [uuid(2)]: 1 });
  // Where nobody knows any more: a record without a time, and a letter of before it was kept.
  await harness.deliver(topic, [given(3)]);
  await harness.deliverRecords(
    topic,
    harness.records(topic, [given(4)]).map((record) => ({ ...record, timestamp: '-1' })),
  );
  expect(times.slice(-2)).toEqual([undefined, undefined]);
});

test('an unreadable record is a dead letter whose bytes stay in the database', async () => {
  const [record] = harness.records(topic, [given(1)]);
  const bad = { ...record, value: Buffer.from('{"not": "a proposal"') };
  const [letter] = await harness.deliverRecords(topic, [bad] as never);
  expect(letter?.data).toMatchObject({ topic, fault: { code: 'not-json' } });
  expect(JSON.stringify(letter)).not.toContain('a proposal');
  expect(await harness.query<{ value: Buffer }>('SELECT value FROM dead_letters')).toEqual([{ value: bad.value }]);
});

test('an event in structured mode that breaks its contract is named by its own attributes', async () => {
  const named = { id: 'event-1', source: '/countersign/paid-media-agent', type: 'ActionProposed' };
  const structured = {
    specversion: '1.0',
    ...named,
    time: '2026-11-21T10:00:00.000Z',
    data: { proposalId: 'no uuid' },
  };
  const record = {
    ...harness.records(topic, [given(1)])[0],
    headers: { 'content-type': 'application/cloudevents+json' },
    value: Buffer.from(JSON.stringify(structured)),
  };
  const [letter] = await harness.deliverRecords(topic, [record] as never);
  expect(letter?.data).toMatchObject({ ...named, fault: { code: 'contract' } });
});

test('an event whose source is not the writer of its topic is refused', async () => {
  const [letter] = await harness.deliver(topic, [{ ...given(1), source: '/countersign/sequencing-agent' }]);
  expect(letter?.data).toMatchObject({ fault: { code: 'wrong-author' } });
  expect(await effects()).toEqual({});
});

test('rule 1: outputs that another instance commits meanwhile are published by the one that was blocked on it', async () => {
  const records = harness.records(topic, [given(1)]);
  let handled = 0;
  let other: Promise<unknown> | undefined;
  // The first transaction stays open until the other waits for it; were that handled too, nothing would be waited for.
  Handlers.before = async () => {
    handled++;
    if (other) return;
    other = harness.deliverRecords(topic, records);
    const waiting = () =>
      harness.query(`SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`);
    while (handled === 1 && (await waiting()).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  await harness.deliverRecords(topic, records);
  await other;
  expect(await effects()).toEqual({ [uuid(1)]: 1 });
  expect(harness.published).toHaveLength(2);
  expect(harness.published[0]).toEqual(harness.published[1]);
});

test('rule 3: a job ends once; a latecomer publishes the stored result', async () => {
  await harness.deliver(topic, [given(1)]);
  Later.answers = ['first', 'second'];
  let context: JobContext | undefined;
  let held: readonly Job<{ proposalId: string }>[] = [];
  Later.before = async (c, jobs) => {
    context = c;
    held = jobs;
  };
  const details = (events: readonly { data: unknown }[]) =>
    events.map((e) => (e.data as DataOf<'ActionRefused'>).verdict.reasons[0]?.detail);
  // The first holder is slow and its publish is lost: its row stays with a result.
  const [first] = await Promise.all([harness.runJobs()]);
  expect(details(first)).toEqual(['first']);
  expect(await harness.query('SELECT * FROM jobs')).toEqual([]);
  // A zombie that still holds the claim comes late: the row is gone, nothing is said twice.
  await new Later().work(held, { ...(context as JobContext) });
  expect(details(harness.published.slice(1))).toEqual(['first']);
});

test('a job known by its kind and id is scheduled once', async () => {
  await harness.deliver(topic, [given(1), { ...given(1), id: 'event-1b' }]);
  expect(await harness.query('SELECT kind, id FROM jobs')).toEqual([{ kind: 'later', id: uuid(1) }]);
});

test('a statement that failed unnoticed makes its event a dead letter; it never passes for handled', async () => {
  // Postgres answers the COMMIT of a failed transaction with ROLLBACK and no error.
  Handlers.before = async (batch) => {
    for (const { event } of batch.events)
      if (event.data.rationale === 'swallow') {
        await batch.tx.query('SELECT 1 / 0').catch(() => undefined);
        (batch.events as unknown[]).length = 0;
      }
  };
  const published = await harness.deliver(topic, [given(1), given(2, { rationale: 'swallow' })]);
  expect(published.map((e) => e.topic)).toEqual(['actions.refused.v1', 'guardrail-validator.dead-letters.v1']);
  expect(await effects()).toEqual({ [uuid(1)]: 1 });
});

test('an event is buried whatever its headers, its fault and the message of the error hold', async () => {
  Handlers.before = async (batch) => {
    throw new Error(`cannot handle \u0000 \ud800 ${batch.events[0]?.event.data.rationale}`);
  };
  const [record] = harness.records(topic, [given(1)]);
  const strange = { ...record?.headers, 'na\u0000me': 'va\u0000lue', 'na\ud800me': `${'x'.repeat(999)}\ud83d\ude00` };
  const [letter] = await harness.deliverRecords(topic, [{ ...record, headers: strange }] as never);
  expect(letter?.data).toMatchObject({ id: 'event-1', fault: { code: 'handler' } });

  const unknown = JSON.stringify({ ...proposal({ proposalId: uuid(2) }), 'a\u0000': 1, price: 'x\u0000' });
  const [bad] = harness.records(topic, [given(2)]);
  const key = Buffer.from('ke\u0000y');
  const [unreadable] = await harness.deliverRecords(topic, [
    { ...bad, key, value: Buffer.from(`[${unknown}]`) },
  ] as never);
  expect(unreadable?.data).toMatchObject({ id: 'event-2', fault: { code: 'contract' } });
  expect(await harness.query('SELECT 1 FROM dead_letters')).toHaveLength(2);
});

test('an event too large for the broker fails its handler; nothing waits for ever to be published', async () => {
  Handlers.before = async (batch) => {
    for (const received of batch.events) {
      const data = { ...refused(received.event.data, batch.at), kind: 'x'.repeat(30_000) };
      if (received.event.data.rationale === 'large')
        batch.emit(causeOf(received), topics.actionsRefused, { key: 'k', data });
    }
  };
  const published = await harness.deliver(topic, [given(1, { rationale: 'large' }), given(2)]);
  expect(published.map((e) => e.topic)).toEqual(['guardrail-validator.dead-letters.v1', 'actions.refused.v1']);
  expect(published[0]?.data).toMatchObject({ fault: { detail: expect.stringMatching(/at most 20000 are published/) } });
});

test('a lost race is run again in every kind of transaction, without a trace in what is said', async () => {
  const lost = Object.assign(new Error('deadlock'), { code: '40P01' });
  const twice = (): (() => void) => {
    let losses = 2;
    return () => {
      if (losses-- > 0) throw lost;
    };
  };
  const inBatch = twice();
  Handlers.before = async () => inBatch();
  expect(await harness.deliver(topic, [given(1)])).toHaveLength(1);
  const inJob = twice();
  Later.before = async (context) => context.transaction(async () => inJob());
  expect(await harness.runJobs()).toHaveLength(1);
  const inAct = twice();
  expect(await harness.engine.transact({ source: 'test', id: '1' }, async () => inAct())).toMatchObject({
    repeated: false,
  });
  expect(await effects()).toEqual({ [uuid(1)]: 1 });
});

test('a job that fails by itself does not hold up those it was claimed with', async () => {
  await harness.deliver(topic, [given(1), given(2), given(3)]);
  Later.before = async (_context, jobs) => {
    if (jobs.some((job) => job.id === uuid(2))) throw new Error('cannot work this');
  };
  expect(await harness.runJobs()).toHaveLength(2);
  expect(await harness.query('SELECT id FROM jobs')).toEqual([{ id: uuid(2) }]);
});

/** Looks for due jobs once a minute. */
const minutes = async (count: number): Promise<Published[]> => {
  const published: Published[] = [];
  for (let n = 1; n <= count; n++) {
    harness.setNow(new Date(Date.parse(start) + n * 60_000).toISOString());
    published.push(...(await harness.runJobs()));
  }
  return published;
};
const replayOf = (letter: Published | undefined) => {
  const { deadLetterId } = (letter as Published).data as unknown as DataOf<'DeadLetter'>;
  return { type: 'DeadLetterReplayed', data: { deadLetterId, service: 'guardrail-validator', by: 'sam', at: start } };
};

test('a job that always fails is tried a few times with a growing pause, then it is a dead letter that keeps its payload', async () => {
  await harness.deliver(topic, [{ ...given(1), correlationid: 'chain' }, given(2)]);
  let tries = 0;
  Later.before = async (_context, jobs) => {
    if (!jobs.some((job) => job.id === uuid(1))) return;
    if (jobs.length === 1) tries++;
    throw new Error('cannot work this');
  };
  const due = async () => (await harness.query<{ due_at: Date }>('SELECT due_at FROM jobs'))[0]?.due_at.getTime();
  expect(await harness.runJobs()).toHaveLength(1);
  const first = Number(await due()) - Date.parse(start);
  expect(first).toBeGreaterThan(0);
  expect(await minutes(1)).toEqual([]);
  expect(Number(await due()) - Date.parse(start) - 60_000).toBeGreaterThan(first);
  const published = await minutes(10);
  expect(tries).toBe(4);
  expect(published).toMatchObject([
    {
      topic: 'guardrail-validator.dead-letters.v1',
      correlationid: 'chain',
      data: { topic: '~jobs', job: { kind: 'later', id: uuid(1) }, attempts: 4, fault: { detail: 'cannot work this' } },
    },
  ]);
  expect(JSON.stringify(published)).not.toContain('proposalId');
  expect(await harness.query('SELECT 1 FROM jobs')).toEqual([]);
  const [stored] = await harness.query<{ value: Buffer }>('SELECT value FROM dead_letters');
  expect(JSON.parse(String(stored?.value))).toMatchObject({ payload: { proposalId: uuid(1) } });

  Later.before = undefined;
  await harness.deliver('dead-letters.replayed.v1', [replayOf(published[0])]);
  expect(await harness.runJobs()).toMatchObject([
    { topic: 'actions.refused.v1', correlationid: 'chain', data: { proposalId: uuid(1) } },
  ]);
  await harness.deliver('dead-letters.replayed.v1', [replayOf(published[0])]);
  expect(await harness.runJobs()).toEqual([]);
});

test('a job that dies again after its replay is another dead letter', async () => {
  await harness.deliver(topic, [given(1)]);
  Later.before = async () => {
    throw new Error('cannot work this');
  };
  const [letter] = await minutes(5);
  await harness.deliver('dead-letters.replayed.v1', [replayOf(letter)]);
  const [again] = await minutes(10);
  expect(again).toMatchObject({ type: 'DeadLetter', data: { job: { id: uuid(1) } } });
  expect(again?.id).not.toBe(letter?.id);
});

test('what is the world’s fault uses up no try of a job', async () => {
  await harness.deliver(topic, [given(1)]);
  let away = 12;
  Later.before = async () => {
    if (away-- > 0) throw Object.assign(new Error('away'), { code: 'ECONNREFUSED', syscall: 'connect' });
  };
  const published: Published[] = [];
  for (let n = 0; n < 13; n++) {
    await harness.query(`UPDATE jobs SET lease_until = now() - interval '1 second'`);
    published.push(...(await minutes(1)));
  }
  expect(published).toMatchObject([{ topic: 'actions.refused.v1' }]);
  expect(await harness.query('SELECT 1 FROM dead_letters')).toEqual([]);
});

test('a kind tells what must be told in place of a dead job, once; where that fails too, the job can be replayed', async () => {
  const refuse: NonNullable<typeof Later.end> = async (job, work) => {
    const data = refused(proposal({ proposalId: job.payload.proposalId }), work.at, 'given up');
    work.emit(job.cause, topics.actionsRefused, { key: 'k', data });
    if (job.id === uuid(2)) throw new Error('nor this');
    return true;
  };
  Later.end = refuse;
  await harness.deliver(topic, [given(1), given(2)]);
  Later.before = async () => {
    throw new Error('cannot work this');
  };
  const published = await minutes(5);
  expect(published.map(({ type, topic: to }) => [type, to])).toEqual([
    ['ActionRefused', 'actions.refused.v1'],
    ['DeadLetter', 'guardrail-validator.dead-letters.v1'],
    ['DeadLetter', 'guardrail-validator.dead-letters.v1'],
  ]);
  Later.before = undefined;
  const letters = published.filter(({ type }) => type === 'DeadLetter');
  await harness.deliver('dead-letters.replayed.v1', letters.map(replayOf));
  expect(await harness.runJobs()).toMatchObject([{ type: 'ActionRefused', data: { proposalId: uuid(2) } }]);
});

test('a lease is short, and prolonged for as long as its job is worked', async () => {
  await harness.deliver(topic, [given(1)]);
  const lease = async () =>
    (await harness.query<{ lease_until: Date }>('SELECT lease_until FROM jobs'))[0]?.lease_until;
  Later.before = async () => {
    const first = await lease();
    await vi.waitUntil(async () => Number(await lease()) > Number(first), { timeout: 20_000 });
  };
  expect(await harness.runJobs()).toHaveLength(1);
});

test('a claim that another instance took over is not prolonged by the one that lost it', async () => {
  await harness.deliver(topic, [given(1)]);
  Later.before = async () => {
    await harness.query(`UPDATE jobs SET claims = claims + 1, lease_until = now() + interval '2 seconds'`);
    const free = () => harness.query('SELECT 1 FROM jobs WHERE lease_until < now()');
    await vi.waitUntil(async () => (await free()).length > 0, { timeout: 20_000 });
  };
  expect(await harness.runJobs()).toHaveLength(1);
});

test('what was claimed and not ended is taken up when the short lease has run out, not the longest that its kind allows', async () => {
  await harness.deliver(topic, [given(1)]);
  Later.before = async () => {
    throw Object.assign(new Error('ended before it could say so'), { code: 'ECONNRESET' });
  };
  expect(await harness.runJobs()).toEqual([]);
  Later.before = undefined;
  await vi.waitUntil(async () => (await harness.runJobs()).length === 1, { timeout: 20_000, interval: 200 });
});

test('outputs under a cause that nobody stores are a bug of their transaction, never lost in silence', async () => {
  const lose = async (work: Pick<Work, 'emit' | 'at'>) => {
    const data = refused(proposal({}), work.at);
    work.emit({ source: 'test', id: 'another' }, topics.actionsRefused, { key: 'k', data });
  };
  const bug = /the cause test another/;
  await expect(harness.engine.transact({ source: 'test', id: '1' }, lose)).rejects.toThrow(bug);
  await harness.deliver(topic, [given(1)]);
  Later.before = async (context, jobs) => {
    await expect(context.transaction(lose)).rejects.toThrow(bug);
    await expect(context.finish(jobs, (_owned, work) => lose(work))).rejects.toThrow(bug);
  };
  expect(await harness.runJobs()).toHaveLength(1);
});

test('replays never handle one id twice, nor other bytes under it', async () => {
  Handlers.broken.add('poison');
  const letterOf = async (events: readonly ReturnType<typeof given>[]) => {
    const [letter] = await harness.deliver(topic, events);
    return (letter?.data as unknown as DataOf<'DeadLetter'> | undefined)?.deadLetterId ?? '';
  };
  const poison = await letterOf([given(1, { rationale: 'poison' })]);
  const reused = await letterOf([{ ...given(1), data: proposal({ proposalId: uuid(1), rationale: 'other bytes' }) }]);
  Handlers.broken.clear();
  const order = (deadLetterId: string) => ({
    type: 'DeadLetterReplayed',
    data: { deadLetterId, service: 'guardrail-validator', by: 'sam', at: '2026-11-21T10:00:00.000Z' },
  });
  const outcomes = async (...ids: string[]) =>
    (await harness.deliver('dead-letters.replayed.v1', ids.map(order))).map(({ type, data }) =>
      type === 'ReplayEnded' ? (data as unknown as DataOf<'ReplayEnded'>).outcome : type,
    );
  expect(await outcomes(reused)).toEqual(['failed']);
  expect(await outcomes(poison, poison, reused)).toEqual(['ActionRefused', 'handled', 'handled', 'failed']);
  expect(await outcomes(uuid(77))).toEqual(['failed']);
  expect(await effects()).toEqual({ [uuid(1)]: 1 });
});

test('the dead letter of an inbound signal does not carry its key, which may be an address', async () => {
  const inbound = topicNamed('signals.inbound.upstream.v1', topology());
  const published: { topic: string; key: string; value: string }[] = [];
  const own = await createTestDatabase();
  try {
    const settings = { KAFKA_BROKERS: '127.0.0.1:1', DATABASE_URL: own.url };
    const silent = { log: () => undefined, warn: () => undefined, error: () => undefined };
    await migrate(own.url, []);
    const engine = new Engine(
      { name: 'signal-ingestion', port: 0, migrations: [] },
      silent,
      settings,
      () => '2026-11-21T10:00:00.000Z',
      async (messages) => {
        published.push(...messages);
      },
    );
    const record = { partition: 0, offset: '7', key: Buffer.from('kim@example.test'), value: Buffer.from('{') };
    const hand = engine.byHand(new Map());
    await hand.inbox(inbound.name, [record]);
    expect(published).toMatchObject([{ topic: 'signal-ingestion.dead-letters.v1' }]);
    expect(JSON.stringify(published)).not.toContain('kim@');
    expect(await hand.db.read('SELECT key FROM dead_letters')).toEqual([{ key: 'kim@example.test' }]);
    await hand.db.close();
  } finally {
    await own.drop();
  }
});

test('a state record that the database cannot hold is passed over; what comes after it is read', async () => {
  const controls = (scope: string, reason: string) => ({
    scope,
    version: 1,
    changedAt: '2026-11-21T10:00:00.000Z',
    state: 'stopped',
    by: 'lea',
    reason,
  });
  await harness.putState('controls.v1', 'all', controls('all', 'bro\u0000ken'));
  await harness.putState('controls.v1', 'a\u0000ll', controls('all', 'broken'));
  await harness.putState('controls.v1', 'all', controls('all', 'stop \\u0000'));
  expect(await harness.query('SELECT key, version FROM state_rows')).toEqual([{ key: 'all', version: 1 }]);
});

test('a state that no reader could read is not published: what caused it is a dead letter, and the others go on', async () => {
  const own = await createTestDatabase();
  const published: { topic: string; value: string }[] = [];
  try {
    await migrate(own.url, []);
    const silent = { log: () => undefined, warn: () => undefined, error: () => undefined };
    const engine = new Engine(
      { name: 'signal-ingestion', port: 0, migrations: [], ownState: [topics.profiles] },
      silent,
      { KAFKA_BROKERS: '127.0.0.1:1', DATABASE_URL: own.url, BACKOFF_MS: '1' },
      () => '2026-11-21T10:00:00.000Z',
      async (messages) => void published.push(...messages),
    );
    const inbound = 'signals.inbound.upstream.v1';
    const key = 'account:acme';
    const count = async (batch: Batch) => {
      for (const received of batch.events) {
        await batch.ownState(topics.profiles, [key]);
        const tier = (received.event.data as unknown as { tier: number }).tier;
        const data = { kind: 'account', accountId: 'acme', tier, deals: [], signals: 1, provenance: {} };
        batch.putState(causeOf(received), topics.profiles, {
          key,
          data: { ...data, ...(tier !== 2 && { lastSignalAt: batch.at }) } as unknown as DataOf<'ProfileChanged'>,
        });
      }
    };
    const hand = engine.byHand(new Map([[inbound, count]]));
    const records = [1, 2, 3].map((tier) => {
      const { headers, value } = toBinary({
        id: `signal-${tier}`,
        source: '/sources/upstream',
        type: 'AccountUpserted',
        time: '2026-11-21T10:00:00.000Z',
        data: { account: { id: 'acme' }, name: 'Acme', tier },
      });
      return { partition: 0, offset: String(tier), key: null, headers, value: Buffer.from(value) };
    });
    await hand.inbox(inbound, records);
    const parsed = published.map(({ topic, value }) => ({ topic, data: JSON.parse(value) }));
    expect(parsed).toMatchObject([
      { topic: 'profiles.v1', data: { version: 1, tier: 1 } },
      {
        topic: 'signal-ingestion.dead-letters.v1',
        data: {
          offset: '2',
          fault: { detail: expect.stringMatching(/^profiles\.v1 account:acme: .*data\.lastSignalAt/) },
        },
      },
      { topic: 'profiles.v1', data: { version: 2, tier: 3 } },
    ]);
    expect(await hand.db.read('SELECT version FROM own_state')).toEqual([{ version: 2 }]);
    await hand.db.close();
  } finally {
    await own.drop();
  }
});

test('a record handed on as a fact of its own is forgotten with its topic; only what is buried is kept as dead', async () => {
  const own = await createTestDatabase();
  try {
    await migrate(own.url, []);
    const silent = { log: () => undefined, warn: () => undefined, error: () => undefined };
    const engine = new Engine(
      { name: 'signal-ingestion', port: 0, migrations: [], unreadable: () => true },
      silent,
      { KAFKA_BROKERS: '127.0.0.1:1', DATABASE_URL: own.url },
      () => '2026-11-21T10:00:00.000Z',
      async () => undefined,
    );
    const seen: string[] = [];
    const inbound = 'signals.inbound.upstream.v1';
    const note = async (batch: Batch) => void seen.push(...batch.setAside.map(({ reason }) => reason));
    const hand = engine.byHand(new Map([[inbound, note]]));
    await hand.inbox(inbound, [{ partition: 0, offset: '7', key: null, value: Buffer.from('{') }]);
    expect(seen).toEqual(['unreadable']);
    expect(await hand.db.read('SELECT status FROM inbox')).toEqual([{ status: 'done' }]);
    await hand.db.close();
  } finally {
    await own.drop();
  }
});
