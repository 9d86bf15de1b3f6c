import { sourceOf, toBinary, topicConfig, topology } from '@countersign/contracts';
import { createTestDatabase, startTestBroker, type TestBroker, type TestDatabase } from '@countersign/testing';
import kafkajs, { type Kafka } from 'kafkajs';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { type ConsumerOptions, consume, type RunningConsumer } from './consumer.js';
import { type Database, migrate, openDatabase } from './database.js';
import type { Keeper, ServiceSpec } from './door.js';
import { Engine } from './engine.js';
import { defaults } from './limits.js';
import { readPositions } from './state.js';

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
  broker = await startTestBroker();
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

/** An engine on this broker and database. */
function engineOf(spec: ServiceSpec): Engine {
  const { brokers, sasl } = broker.access();
  const { username, password } = sasl as { username: string; password: string };
  const made = new Engine(spec, log, {
    KAFKA_BROKERS: (brokers as string[])[0],
    KAFKA_USERNAME: username,
    KAFKA_PASSWORD: password,
    DATABASE_URL: database.url,
    SESSION_MS: '6000',
    COMMIT_EVERY_MS: '50',
    COMPARE_EVERY_MS: '100',
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
/** All topics anew, one partition each. */
async function freshTopics(): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  const wanted = topology().map((t) => ({ name: t.name, partitions: 1, config: topicConfig(t) }));
  const there = new Set(await admin.listTopics());
  const old = wanted.filter(({ name }) => there.has(name)).map(({ name }) => name);
  if (old.length > 0) await admin.deleteTopics({ topics: old });
  await vi.waitFor(async () => {
    const left = new Set(await admin.listTopics());
    expect(old.filter((name) => left.has(name))).toEqual([]);
  }, patience);
  await admin.disconnect();
  await broker.provision({ topics: wanted });
}

const stateTails: readonly (readonly [string, () => Promise<void>, number])[] = [
  ['holds only what was aborted', () => within('abort', controls, control(1)), 0],
  ['ends with a marker', () => within('commit', controls, control(1)), 1],
  [
    'ends with what was aborted',
    async () => {
      await within('commit', controls, control(1));
      await within('abort', controls, control(2));
      await within('abort', controls, control(3));
    },
    1,
  ],
];
test.each(stateTails)(
  'a service whose state topic %s starts, and goes on finding its tables read to the end',
  async (_, fill, version) => {
    await freshTopics();
    await fill();
    const engine = engineOf({ name: 'guardrail-validator', port: 0, migrations: [], state: [controls] });
    let prepared = false;
    const preparing = engine.prepare().then(() => {
      prepared = true;
    });
    await vi.waitFor(() => expect(prepared).toBe(true), patience);
    await preparing;
    const rows = await db.read<{ version: number }>('SELECT version FROM state_rows');
    expect(rows.map((row) => row.version)).toEqual(version === 0 ? [] : [version]);
    // What is aborted while it runs does not hold it up either, and what comes after is read.
    await within('abort', controls, control(8));
    await within('abort', controls, control(9));
    const from = performance.now();
    const comparedSince = () =>
      (engine.comparedAgo()[controls]?.() ?? Number.POSITIVE_INFINITY) < performance.now() - from;
    await vi.waitFor(() => expect(comparedSince()).toBe(true), patience);
    await within('commit', controls, control(4));
    await vi.waitFor(async () => {
      const [row] = await db.read<{ version: number }>('SELECT version FROM state_rows');
      expect(row?.version).toBe(4);
    }, patience);
  },
);

test('a keeper keeps what was committed, and stands at the end of what was aborted, also after a start on it', async () => {
  await freshTopics();
  await migrate(database.url, []);
  const kept: string[] = [];
  const keeper: Keeper = { keep: async ({ records }) => void kept.push(...records.map(({ cause }) => cause.id)) };
  const begin = async (): Promise<Engine> => {
    class Unused implements Keeper {
      keep = keeper.keep;
    }
    const engine = engineOf({ name: 'audit-recorder', port: 0, migrations: [], keeper: Unused });
    await engine.prepare();
    await engine.begin(new Map(), [], keeper);
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
  expect(kept.map((place) => place.split('/').at(-1))).toEqual(['2', '3', '9']);
});
