import { sourceOf, toBinary, topicConfig, topicNamed, topics, topology } from '@countersign/contracts';
import { kafkajs } from '@countersign/kafka';
import {
  createTestDatabase,
  makeTopicAgain,
  startTestBroker,
  type TestBroker,
  type TestDatabase,
} from '@countersign/testing';
import pg from 'pg';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Batch, RecordConsumer, Records, ServiceSpec } from '../api/runtime.js';
import { Engine } from '../engine/engine.js';

/* Topics that are deleted and made again, and records that are deleted before they are read: a real broker and a real database. */

const topic = 'reviews.decided.v1';
const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

class Places implements RecordConsumer {
  async store({ tx, records }: Records): Promise<void> {
    for (const { topic, partition, offset, topicId = '', value } of records)
      if (topic === 'reviews.decided.v1')
        tx.write('INSERT INTO kept VALUES ($1, $2, $3)', [`${partition}/${offset}`, topicId, String(value)]);
  }
}
const recorder: ServiceSpec = {
  name: 'audit-recorder',
  port: 0,
  migrations: [],
  recordConsumer: Places,
  gathers: 'record',
};
const worker: ServiceSpec = { name: 'guardrail-validator', port: 0, migrations: [] };
const reader: ServiceSpec = { ...worker, state: [topics.controls] };
const writer: ServiceSpec = { ...worker, name: 'console', ownState: [topics.controls] };

let broker: TestBroker;
let database: TestDatabase;
let kafka: InstanceType<typeof kafkajs.Kafka>;
let admin: kafkajs.Admin;
let producer: kafkajs.Producer;
let client: pg.Client;
let errors: string[];
const engines: Engine[] = [];
/** What a test began and the broker must not outlive. */
const leaving: (() => Promise<void>)[] = [];

beforeEach(async () => {
  errors = [];
  const topics = topology().map((t) => ({ name: t.name, partitions: 1, config: topicConfig(t) }));
  [broker, database] = await Promise.all([startTestBroker({ topics }), createTestDatabase()]);
  kafka = new kafkajs.Kafka({ clientId: 'test', ...broker.access(), logLevel: kafkajs.logLevel.NOTHING });
  admin = kafka.admin();
  producer = kafka.producer();
  client = new pg.Client({ connectionString: database.url });
  await Promise.all([admin.connect(), producer.connect(), client.connect()]);
  await client.query('CREATE TABLE kept (place text, topic_id text, value text, PRIMARY KEY (place, topic_id))');
  await client.query('CREATE TABLE effects (review_id uuid PRIMARY KEY)');
});
afterEach(async () => {
  await Promise.allSettled(engines.splice(0).map((made) => made.drain()));
  await Promise.allSettled(leaving.splice(0).map((leave) => leave()));
  await Promise.allSettled([admin.disconnect(), producer.disconnect(), client.end()]);
  await Promise.allSettled([broker?.stop(), database?.drop()]);
});

const handled: (batch: Batch) => Promise<void> = async (batch) => {
  for (const { event } of (batch as Batch<'ReviewDecided'>).events)
    await batch.tx.query('INSERT INTO effects VALUES ($1)', [event.data.reviewId]);
};

async function start(spec: ServiceSpec, handle = handled): Promise<Engine> {
  const env = {
    ...broker.env(),
    DATABASE_URL: database.url,
    BACKOFF_MS: '50',
    BACKOFF_MAX_MS: '400',
    GATHER_MS: '20',
    COMPARE_EVERY_MS: '200',
    TOPICS_EVERY_MS: '200',
  };
  const log = { log: () => undefined, warn: () => undefined, error: (text: string) => void errors.push(text) };
  const made = new Engine(spec, log, env);
  engines.push(made);
  await made.prepare();
  if (spec.recordConsumer) await made.begin(new Map(), [], { recordConsumer: new Places() });
  else await made.begin(new Map(spec === worker ? [[topic, handle]] : []), []);
  return made;
}

/** Reviews from the nth on, one record each. */
async function send(from: number, count: number, sentAt = Date.now()): Promise<void> {
  const messages = Array.from({ length: count }, (_, i) => {
    const data = {
      reviewId: uuid(from + i),
      subject: { kind: 'proposal' as const, id: uuid(1) },
      digest: 'a'.repeat(64),
      decision: 'approve' as const,
      by: 'lea',
      at: '2026-11-21T10:00:00.000Z',
    };
    const event = { id: `review-${from + i}`, source: sourceOf('console'), type: 'ReviewDecided', time: data.at, data };
    return { key: 'k', timestamp: String(sentAt), ...toBinary(event) };
  });
  await producer.send({ topic, acks: -1, messages });
}

/** The version of a control. */
async function control(version: number, scope: string): Promise<void> {
  const at = '2026-11-21T10:00:00.000Z';
  const data = { scope, state: 'stopped' as const, reason: 'r', by: 'lea', version, changedAt: at };
  const event = { id: `${scope}-${version}`, source: sourceOf('console'), type: 'ControlChanged', time: at, data };
  await producer.send({ topic: 'controls.v1', acks: -1, messages: [{ key: scope, ...toBinary(event) }] });
}

const makeAgain = (name: string): Promise<void> =>
  makeTopicAgain(admin, { name, partitions: 1, config: topicConfig(topicNamed(name, topology())) });

/** Deletes what is before an offset, as retention would. */
async function deleteBefore(offset: number, name = topic): Promise<void> {
  // kafkajs asks for nothing that it has not met.
  await admin.fetchTopicOffsets(name);
  await admin.deleteTopicRecords({ topic: name, partitions: [{ partition: 0, offset: String(offset) }] });
}

const effects = async (): Promise<number[]> =>
  (await client.query('SELECT review_id FROM effects ORDER BY 1')).rows.map((row) => Number(row.review_id.slice(-12)));
const stored = async (): Promise<{ again: boolean; n: number }[]> =>
  (await client.query('SELECT topic_id, value FROM kept ORDER BY value')).rows.map((row) => ({
    again: row.topic_id !== '',
    n: Number(JSON.parse(row.value).reviewId.slice(-12)),
  }));
const from = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i);
const gaps = async () =>
  (await client.query('SELECT topic, partition, from_offset, to_offset, reason FROM gaps ORDER BY topic')).rows;
const patience = { timeout: 40_000, interval: 100 };
const gapOf = (name: string, at: number) => ({
  topic: name,
  partition: 0,
  from_offset: at,
  to_offset: null,
  reason: 'topic-made-again',
});
const deleted = (start: number, end: number) => ({
  ...gapOf(topic, start),
  to_offset: end,
  reason: 'records-deleted',
});

test.each([3, 30])(
  'a topic made again while a record consumer runs is kept from its beginning, apart from the old one: %i records',
  async (count) => {
    const made = await start(recorder);
    await send(100, 10);
    await vi.waitFor(async () => expect(await stored()).toHaveLength(10), patience);
    await makeAgain(topic);
    await send(200, count);
    await vi.waitFor(
      async () =>
        expect(await stored()).toEqual([
          ...from(100, 10).map((n) => ({ again: false, n })),
          ...from(200, count).map((n) => ({ again: true, n })),
        ]),
      patience,
    );
    expect(await gaps()).toEqual([gapOf(topic, 10)]);
    expect(errors.some((text) => text.startsWith(`${topic} was deleted and made again`))).toBe(true);
    const health = await made.health();
    expect(health).toMatchObject({ status: 'degraded', checks: { gaps: [{ topic, reason: 'topic-made-again' }] } });
  },
);

test.each([3, 30])(
  'a topic made again while nobody runs is kept and handled from its beginning: %i records',
  async (count) => {
    const first = [await start(recorder), await start(worker)];
    await send(100, 10);
    await vi.waitFor(
      async () => expect([await stored(), await effects()].map((a) => a.length)).toEqual([10, 10]),
      patience,
    );
    await Promise.all(first.map((made) => made.drain()));
    await makeAgain(topic);
    await send(200, count);
    await start(recorder);
    await start(worker);
    await vi.waitFor(async () => {
      expect((await stored()).map(({ n }) => n)).toEqual([...from(100, 10), ...from(200, count)]);
      expect(await effects()).toEqual([...from(100, 10), ...from(200, count)]);
    }, patience);
    expect(await gaps()).toEqual([gapOf(topic, 10)]);
  },
);

test('a topic made again while work runs is handled from its beginning, however far it has grown, and so it is by the next start', async () => {
  const made = await start(worker);
  await send(100, 10);
  await vi.waitFor(async () => expect(await effects()).toHaveLength(10), patience);
  await makeAgain(topic);
  await send(200, 30);
  await vi.waitFor(async () => expect(await effects()).toEqual([...from(100, 10), ...from(200, 30)]), patience);
  await made.drain();
  await send(300, 30);
  await start(worker);
  await vi.waitFor(async () => expect(await effects()).toHaveLength(70), patience);
});

test('state on a topic made again is read from its beginning while its reader runs, and its writer publishes all of it again', async () => {
  const own = await start(writer);
  const act = (n: number) =>
    own.transact({ source: 'test', id: `act-${n}` }, async (work) => {
      await work.ownState(topics.controls, [`agent:a-${n}`]);
      const data = { scope: `agent:a-${n}`, state: 'stopped' as const, reason: 'r', by: 'lea' };
      work.putState({ source: 'test', id: `act-${n}` }, topics.controls, { key: data.scope, data });
    });
  for (const n of [1, 2, 3]) await act(n);
  await vi.waitFor(async () => expect((await admin.fetchTopicOffsets('controls.v1'))[0]?.high).toBe('3'), patience);
  await own.drain();
  const other = await createTestDatabase();
  await makeAgain('controls.v1');
  await start(writer);
  await vi.waitFor(async () => expect((await admin.fetchTopicOffsets('controls.v1'))[0]?.high).toBe('3'), patience);
  await other.drop();
});

test.each([1, 8])(
  'a stop on a topic of state that was made again reaches a reader that runs: the last of %i',
  async (count) => {
    const made = await start(reader);
    for (const n of from(1, 5)) await control(n, 'all');
    const version = async (scope: string) =>
      (await client.query('SELECT version FROM state_rows WHERE key = $1', [scope])).rows[0]?.version;
    await vi.waitFor(async () => expect(await version('all')).toBe(5), patience);
    await makeAgain('controls.v1');
    for (const n of from(1, count)) await control(1, `agent:a-${n}`);
    await vi.waitFor(async () => {
      for (const n of from(1, count)) expect(await version(`agent:a-${n}`)).toBe(1);
    }, patience);
    expect(await version('all')).toBe(5);
    await made.drain();
    // The positions are those of the new topic.
    await start(reader);
  },
);

test('state of which records were deleted unread counts as never compared until a person acknowledges it: a stop may be among them', async () => {
  const controls = { type: kafkajs.ConfigResourceTypes.TOPIC, name: 'controls.v1' };
  const policy = (value: string) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [{ ...controls, configEntries: [{ name: 'cleanup.policy', value }] }],
    });
  await control(1, 'all');
  const made = await start(reader);
  await vi.waitFor(() => expect(made.comparedAgo()['controls.v1']).not.toBeNull(), patience);
  await made.drain();
  await control(2, 'agent:a-1');
  await control(1, 'agent:a-2');
  // The broker deletes no records of a topic that is only compacted.
  await policy('compact,delete');
  await deleteBefore(2, 'controls.v1');
  const again = await start(reader);
  await vi.waitFor(async () => expect((await again.health()).checks).toHaveProperty('gaps'), patience);
  expect(again.comparedAgo()).toEqual({ 'controls.v1': null });
  await again.drain();
  const third = await start(reader);
  const version = async () => (await client.query(`SELECT version FROM state_rows WHERE key = 'agent:a-2'`)).rows;
  await vi.waitFor(async () => expect(await version()).toHaveLength(1), patience);
  expect(third.comparedAgo()).toEqual({ 'controls.v1': null });
  await client.query(`UPDATE gaps SET acknowledged_at = now(), acknowledged_by = 'lea', note = 'n'`);
  await vi.waitFor(() => expect(third.comparedAgo()['controls.v1']).not.toBeNull(), patience);
});

test('records deleted before a record consumer read them, while it was stopped, are a gap that the next start does not forget', async () => {
  const made = await start(recorder);
  await send(100, 10);
  await vi.waitFor(async () => expect(await stored()).toHaveLength(10), patience);
  await made.drain();
  await send(200, 10);
  await deleteBefore(15);
  const again = await start(recorder);
  await vi.waitFor(
    async () => expect((await stored()).map(({ n }) => n)).toEqual([...from(100, 10), ...from(205, 5)]),
    patience,
  );
  await vi.waitFor(async () => expect(await gaps()).toEqual([deleted(10, 15)]), patience);
  await again.drain();
  const last = await start(recorder);
  // It works, or nobody could acknowledge it.
  expect(await last.health()).toMatchObject({
    status: 'degraded',
    ready: true,
    well: false,
    checks: { gaps: [{ topic, from: 10, to: 15 }] },
  });
  // As docs/sre.md says.
  await client.query(
    `UPDATE gaps SET acknowledged_at = now(), acknowledged_by = 'lea', note = 'resent' WHERE topic = $1 AND acknowledged_at IS NULL`,
    [topic],
  );
  await vi.waitFor(async () => expect((await last.health()).status).toBe('ok'), patience);
});

test.each(['some', 'all'])(
  'records deleted while work was stopped are a gap, even where nothing comes after them: %s',
  async (which) => {
    const made = await start(worker);
    await send(100, 10);
    await vi.waitFor(async () => expect(await effects()).toHaveLength(10), patience);
    await made.drain();
    await send(200, 10);
    const offset = which === 'some' ? 15 : 20;
    await deleteBefore(offset);
    const again = await start(worker);
    await vi.waitFor(async () => expect(await gaps()).toEqual([deleted(10, offset)]), patience);
    expect(await again.health()).toMatchObject({
      status: 'degraded',
      checks: { gaps: [{ topic, from: 10, to: offset }] },
    });
    expect(errors.some((text) => text.includes(`offset 10 to ${offset - 1} were deleted before they were read`))).toBe(
      true,
    );
  },
);

test('records deleted while a partition stands are a gap, found before anything moves past them', async () => {
  let away = false;
  const made = await start(worker, async (batch) => {
    if (away) throw Object.assign(new Error('away'), { code: 'ECONNREFUSED' });
    await handled(batch);
  });
  await send(100, 10);
  await vi.waitFor(async () => expect(await effects()).toHaveLength(10), patience);
  away = true;
  await send(200, 10);
  await vi.waitFor(async () => expect((await made.health()).checks.paused).toBeDefined(), patience);
  await deleteBefore(15);
  away = false;
  await vi.waitFor(async () => expect(await effects()).toEqual(expect.arrayContaining(from(205, 5))), patience);
  // What was fetched already may have been handled; what was not is a gap.
  if ((await effects()).length < 20) expect(await gaps()).toEqual([deleted(10, 15)]);
  else expect(await gaps()).toEqual([]);
});

/** Sets the topic otherwise than the topology asks; the broker takes the time that the producer says, for once. */
async function setTopic(retentionMs: number): Promise<void> {
  const own = topicConfig(topicNamed(topic, topology()));
  const settings = { ...own, 'message.timestamp.type': 'CreateTime', 'retention.ms': String(retentionMs) };
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
  await admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: topic, configEntries }] });
}
const hour = 3_600_000;
const awayFor: typeof handled = async () => {
  throw Object.assign(new Error('away'), { code: 'ECONNREFUSED' });
};

test('what is unread and older than half of its retention is told before it is deleted', async () => {
  const made = await start(worker, awayFor);
  expect((await made.health()).checks.expiring).toBeUndefined();
  const { retentionDays } = topicNamed(topic, topology()) as { retentionDays: number };
  await setTopic(retentionDays * 24 * hour);
  await send(100, 2, Date.now() - retentionDays * 0.6 * 24 * hour);
  await vi.waitFor(async () => expect((await made.health()).checks.expiring).toEqual([`${topic}/0`]), patience);
  expect(errors.some((text) => text.includes('older than half of its retention'))).toBe(true);
});

test('the retention that counts is the one that the topic has now: what is unread is told, and no more once it is raised', async () => {
  const made = await start(worker, awayFor);
  await setTopic(2 * hour);
  await send(100, 2, Date.now() - 1.2 * hour);
  await vi.waitFor(async () => expect((await made.health()).checks.expiring).toEqual([`${topic}/0`]), patience);
  await setTopic(24 * hour);
  await vi.waitFor(async () => expect((await made.health()).checks.expiring).toBeUndefined(), patience);
});

test('what was unread is told neither as about to be deleted nor as paused once it is deleted: it is a gap', async () => {
  const made = await start(worker, awayFor);
  const { retentionDays } = topicNamed(topic, topology()) as { retentionDays: number };
  await setTopic(retentionDays * 24 * hour);
  await send(100, 2, Date.now() - retentionDays * 0.6 * 24 * hour);
  await vi.waitFor(async () => expect((await made.health()).checks.expiring).toEqual([`${topic}/0`]), patience);
  await deleteBefore(2);
  await vi.waitFor(async () => {
    const { expiring, paused } = (await made.health()).checks;
    expect({ expiring, paused }).toEqual({ expiring: undefined, paused: undefined });
  }, patience);
});

test('holes that are no loss are no gap: compaction, marks of transactions, and what was deleted after it was read', async () => {
  const made = await start(worker);
  const transactional = kafka.producer({ transactionalId: 'marks', maxInFlightRequests: 1, idempotent: true });
  await transactional.connect();
  for (let n = 0; n < 3; n++) {
    const open = await transactional.transaction();
    await open.send({ topic, messages: [{ key: 'k', value: 'aborted' }] });
    await open.abort();
  }
  await transactional.disconnect();
  await send(100, 10);
  await vi.waitFor(async () => expect(await effects()).toHaveLength(10), patience);
  await deleteBefore(10);
  await made.drain();
  await start(worker);
  await send(200, 1);
  await vi.waitFor(async () => expect(await effects()).toHaveLength(11), patience);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(await gaps()).toEqual([]);
});

/** What a service publishes on its topic of dead letters, as it comes. */
async function publishedBy(service: string): Promise<readonly Published[]> {
  const found: Published[] = [];
  const consumer = kafka.consumer({ groupId: `test-${service}` });
  leaving.push(() => consumer.disconnect());
  await consumer.connect();
  await consumer.subscribe({ topic: topics.deadLetters(service).name, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message: { headers, value } }) =>
      void found.push({ type: String(headers?.ce_type), data: JSON.parse(String(value)) }),
  });
  return found;
}
interface Published {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

async function acknowledge(gap: object, at: string): Promise<void> {
  const data = { ...gap, by: 'lea', note: 'known', at };
  const event = { id: `word-${at}`, source: sourceOf('console'), type: 'GapAcknowledged', time: at, data };
  await producer.send({ topic: 'gaps.acknowledged.v1', acks: -1, messages: [{ key: 'k', ...toBinary(event) }] });
}

test.each([worker, recorder])(
  'a gap of $name is reported when it is noticed and at each start while it is open, and each acknowledgement is answered',
  async (spec) => {
    const published = await publishedBy(spec.name);
    const made = await start(spec);
    await send(100, 10);
    const arrived = spec === recorder ? stored : effects;
    await vi.waitFor(async () => expect(await arrived()).toHaveLength(10), patience);
    await makeAgain(topic);
    const named = { service: spec.name, topic, partition: 0, from: 10, to: null, reason: 'topic-made-again' };
    const report = { type: 'GapReported', data: { ...named, topicId: expect.any(String) } };
    await vi.waitFor(() => expect(published).toMatchObject([report]), patience);
    await made.drain();
    const again = await start(spec);
    await vi.waitFor(() => expect(published).toMatchObject([report, report]), patience);
    const { topicId, noticedAt } = published[0]?.data ?? {};
    expect(published[1]?.data).toMatchObject({ topicId, noticedAt });

    const at = (second: number) => `2026-11-21T10:00:0${second}.000Z`;
    const gap = { ...named, topicId };
    await acknowledge({ ...gap, from: 9 }, at(1));
    await acknowledge(gap, at(2));
    await acknowledge(gap, at(3));
    await vi.waitFor(() => expect(published).toHaveLength(5), patience);
    const ends = published
      .slice(2)
      .sort((a, b) => String(a.data.acknowledgedAt).localeCompare(`${b.data.acknowledgedAt}`));
    expect(ends).toMatchObject([
      { type: 'AcknowledgementEnded', data: { ...gap, from: 9, outcome: 'not-open', acknowledgedAt: at(1) } },
      { type: 'AcknowledgementEnded', data: { ...gap, outcome: 'closed', acknowledgedAt: at(2) } },
      { type: 'AcknowledgementEnded', data: { ...gap, outcome: 'not-open', acknowledgedAt: at(3) } },
    ]);
    expect(await again.health()).toMatchObject({ status: 'ok' });
    await again.drain();

    // A closed gap is not reported again: the next report is of the next gap.
    await makeAgain(topic);
    await start(spec);
    await vi.waitFor(() => expect(published.length).toBeGreaterThan(5), patience);
    expect(published[5]).toMatchObject({ type: 'GapReported', data: { topic } });
    expect(published[5]?.data.topicId).not.toBe(topicId);
  },
);
