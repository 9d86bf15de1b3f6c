import { sourceOf, toBinary, topicConfig, topics, topology } from '@countersign/contracts';
import { type Kafka, kafkajs } from '@countersign/kafka';
import { createTestDatabase, startTestBroker, type TestBroker, type TestDatabase } from '@countersign/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { defaults } from '../api/limits.js';
import type { RecordConsumer, ServiceSpec } from '../api/runtime.js';
import { type Database, migrate, openDatabase } from '../database/database.js';
import { Engine } from '../engine/engine.js';
import { readPositions } from '../state/state.js';
import { consume } from './consumer.js';
import type { ConsumerOptions, RunningConsumer } from './consumer-options.js';

/* Writers outside use transactions: markers and what was aborted have offsets, and no reader is given them. */

const proposed = 'actions.proposed.paid-media-agent.v1';
const controls = 'controls.v1';
const log = { log: () => undefined, warn: () => undefined, error: () => undefined };
const limits = { ...defaults, sessionMs: 6_000, commitEveryMs: 50, fetchWaitMs: 50 };
const patience = { timeout: 20_000, interval: 50 };

let broker: TestBroker;
let kafka: Kafka;
let database: TestDatabase;
let db: Database;
const cleanups: (() => Promise<unknown>)[] = [];
let names = 0;
const unique = (): string => `transactions-${++names}`;

beforeAll(async () => {
  broker = await startTestBroker({
    topics: topology().map((t) => ({ name: t.name, partitions: 1, config: topicConfig(t) })),
  });
  kafka = new kafkajs.Kafka({ clientId: 'test', ...broker.access(), logLevel: kafkajs.logLevel.NOTHING });
});
afterAll(async () => {
  await broker?.stop();
});
beforeEach(async () => {
  database = await createTestDatabase();
  db = openDatabase(database.url, 'test', defaults);
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await db?.close();
  await database?.close();
});

/** Writes to partition 0 in a transaction of its own, and ends it so. */
async function within(end: 'commit' | 'abort', topic: string, values: readonly Parameters<typeof toBinary>[0][]) {
  const producer = kafka.producer({ transactionalId: unique(), maxInFlightRequests: 1, idempotent: true });
  await producer.connect();
  const transaction = await producer.transaction();
  const messages = values.map((event) => ({ key: 'k', partition: 0, ...toBinary(event) }));
  await transaction.send({ topic, messages });
  const before = await endOf(topic);
  await transaction[end]();
  await producer.disconnect();
  // The broker answers before the marker is on the partition.
  await vi.waitFor(async () => expect(await endOf(topic)).toBeGreaterThan(before), patience);
}
const events = (...ids: readonly string[]) =>
  ids.map((id) => ({
    id,
    source: sourceOf('paid-media-agent'),
    type: 'ActionProposed' as const,
    time: '2026-11-21T10:00:00.000Z',
    data: {},
  })) as Parameters<typeof toBinary>[0][];

/** A topic of one partition, and where it ends. */
async function topicOf(fill: (name: string) => Promise<void>): Promise<{ name: string; end: number }> {
  const name = unique();
  await broker.provision({ topics: [{ name, partitions: 1, config: {} }] });
  await fill(name);
  return { name, end: await endOf(name) };
}
async function endOf(name: string): Promise<number> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return Number((await admin.fetchTopicOffsets(name))[0]?.high);
  } finally {
    await admin.disconnect();
  }
}
/** How many markers of transactions a partition has: offsets that are no record's. Reads everything, whatever became of it. */
async function markers(name: string): Promise<number> {
  const consumer = kafka.consumer({ groupId: unique(), readUncommitted: true });
  await consumer.connect();
  await consumer.subscribe({ topics: [name], fromBeginning: true });
  let records = 0;
  const reached = Promise.withResolvers<number>();
  consumer.on('consumer.end_batch_process', ({ payload: { lastOffset, highWatermark, batchSize } }) => {
    records += batchSize;
    if (BigInt(lastOffset) + 1n >= BigInt(highWatermark)) reached.resolve(Number(highWatermark) - records);
  });
  await consumer.run({ autoCommit: false, eachBatch: async () => undefined });
  const found = await reached.promise;
  await consumer.disconnect();
  return found;
}
async function committedOf(groupId: string, topic: string): Promise<string | undefined> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return (await admin.fetchOffsets({ groupId, topics: [topic] }))[0]?.partitions[0]?.offset;
  } finally {
    await admin.disconnect();
  }
}
async function read(name: string, more: Partial<ConsumerOptions> = {}) {
  const handled: string[] = [];
  const groupId = unique();
  const consumer: RunningConsumer = await consume({
    kafka,
    groupId,
    topics: [name],
    limits,
    log,
    handle: async (_topic, _partition, records) => {
      handled.push(...records.map(({ headers }) => String(headers?.ce_id)));
    },
    ...more,
  });
  cleanups.push(() => consumer.stop());
  return { consumer, handled, groupId };
}

const tails: readonly (readonly [string, (name: string) => Promise<void>, readonly string[]])[] = [
  ['holds only what was aborted', (name) => within('abort', name, events('a', 'b')), []],
  ['ends with a marker', (name) => within('commit', name, events('a', 'b')), ['a', 'b']],
  [
    'ends with what was aborted',
    async (name) => {
      await within('commit', name, events('a'));
      await within('abort', name, events('b'));
      await within('abort', name, events('c'));
    },
    ['a'],
  ],
];

test.each(tails)(
  'of a partition that %s a consumer has no lag, and its group is committed to the end',
  async (_, fill, ids) => {
    const { name, end } = await topicOf(fill);
    const { consumer, handled, groupId } = await read(name);
    await vi.waitFor(() => expect(consumer.lag()).toEqual({ [`${name}/0`]: 0 }), patience);
    expect(handled).toEqual(ids);
    await vi.waitFor(async () => expect(await committedOf(groupId, name)).toBe(String(end)), patience);
  },
);

test('of transactions that overlap nothing aborted is handled, nor what comes behind a key of four zero bytes', async () => {
  const { name } = await topicOf(async (topic) => {
    const open = async () => {
      const producer = kafka.producer({ transactionalId: unique(), maxInFlightRequests: 1, idempotent: true });
      await producer.connect();
      const transaction = await producer.transaction();
      return {
        send: (id: string, key: string | Buffer = 'k') => {
          const messages = events(id).map((event) => ({ key, partition: 0, ...toBinary(event) }));
          return transaction.send({ topic, messages });
        },
        end: async (how: 'commit' | 'abort') => {
          const before = await markers(topic);
          await transaction[how]();
          await producer.disconnect();
          // The next one ends after this one's marker is there.
          await vi.waitFor(async () => expect(await markers(topic)).toBe(before + 1), patience);
        },
      };
    };
    const [a, b, c] = [await open(), await open(), await open()];
    await a.send('a1');
    await c.send('c1');
    await b.send('b1');
    await a.send('a2', Buffer.alloc(4));
    await a.send('a3');
    await b.end('abort');
    await a.send('a4');
    await c.send('c2');
    await a.end('abort');
    await c.end('commit');
  });
  const { consumer, handled } = await read(name);
  await vi.waitFor(() => expect(consumer.lag()).toEqual({ [`${name}/0`]: 0 }), patience);
  expect(handled).toEqual(['c1', 'c2']);
});

/** An engine on this broker and database. */
function engineOf(spec: ServiceSpec, url: string): Engine {
  const made = new Engine(spec, log, {
    ...broker.env(),
    DATABASE_URL: url,
    SESSION_MS: '6000',
    COMMIT_EVERY_MS: '50',
    COMPARE_EVERY_MS: '100',
    TOPICS_EVERY_MS: '100',
  });
  cleanups.push(() => made.drain());
  return made;
}
const control = (version: number) => [
  {
    id: `control-${version}`,
    source: sourceOf('console'),
    type: 'ControlChanged' as const,
    time: '2026-11-21T10:00:00.000Z',
    data: {
      scope: 'all',
      version,
      changedAt: '2026-11-21T10:00:00.000Z',
      state: 'stopped',
      by: 'lea',
      reason: 'r',
    },
  },
];
/** Starts a service on a new database and the topic as it is, and goes on with it: the version that its table has at first. */
async function started(): Promise<{ engine: Engine; versions: () => Promise<readonly number[]> }> {
  const own = await createTestDatabase();
  const db = openDatabase(own.url, 'test', defaults);
  cleanups.push(async () => {
    await db.close();
    await own.close();
  });
  const engine = engineOf({ name: 'guardrail-validator', port: 0, migrations: [], state: [topics.controls] }, own.url);
  let prepared = false;
  const preparing = engine.prepare().then(() => {
    prepared = true;
  });
  await vi.waitFor(() => expect(prepared).toBe(true), patience);
  await preparing;
  const versions = async () =>
    (await db.read<{ version: number }>('SELECT version FROM state_rows')).map((row) => row.version);
  return { engine, versions };
}

test('a service starts on a state topic whatever it ends with, and goes on finding its tables read to the end', async () => {
  await within('abort', controls, control(1));
  const onNothing = await started();
  expect(await onNothing.versions()).toEqual([]);
  // What is aborted while it runs does not hold it up either, and what comes after is read.
  await within('abort', controls, control(2));
  await within('abort', controls, control(3));
  const from = performance.now();
  const age = () => onNothing.engine.comparedAgo()[controls]?.() ?? Number.POSITIVE_INFINITY;
  await vi.waitFor(() => expect(age()).toBeLessThan(performance.now() - from), patience);
  await within('commit', controls, control(4));
  await vi.waitFor(async () => expect(await onNothing.versions()).toEqual([4]), patience);

  const onMarker = await started();
  expect(await onMarker.versions()).toEqual([4]);
  await within('abort', controls, control(5));
  await within('abort', controls, control(6));
  const onAborted = await started();
  expect(await onAborted.versions()).toEqual([4]);
});

test('a record consumer keeps what was committed, and stands at the end of what was aborted, also after a start on it', async () => {
  await migrate(database.url, []);
  const stored: string[] = [];
  const recordConsumer: RecordConsumer = {
    store: async ({ records }) => void stored.push(...records.map(({ cause }) => cause.id)),
  };
  const begin = async (): Promise<Engine> => {
    class Unused implements RecordConsumer {
      store = recordConsumer.store;
    }
    const engine = engineOf({ name: 'audit-recorder', port: 0, migrations: [], recordConsumer: Unused }, database.url);
    await engine.prepare();
    await engine.begin(new Map(), [], { recordConsumer });
    return engine;
  };
  await within('abort', proposed, events('a'));
  const first = await begin();
  const at = async () => (await readPositions(db, 'record_positions')).get(`${proposed}/0`);
  await vi.waitFor(async () => expect(await at()).toBe(await endOf(proposed)), patience);
  await within('commit', proposed, events('b', 'c'));
  await within('abort', proposed, events('d'));
  await vi.waitFor(async () => expect(await at()).toBe(await endOf(proposed)), patience);
  await first.drain();
  await within('abort', proposed, events('e'));
  await within('commit', proposed, events('f'));
  await begin();
  await vi.waitFor(async () => expect(await at()).toBe(await endOf(proposed)), patience);
  const ours = stored.filter((place) => place.startsWith(proposed));
  expect(ours.map((place) => place.split('/').at(-1))).toEqual(['2', '3', '9']);
});
