import { type Acl, acls, type DataOf, sourceOf, toBinary, topicConfig, topics, topology } from '@countersign/contracts';
import { kafkajs } from '@countersign/kafka';
import { createTestDatabase, startTestBroker, type TestBroker, type TestDatabase } from '@countersign/testing';
import pg from 'pg';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Batch, causeOf, type RecordConsumer, type Records, type ServiceSpec } from '../api/runtime.js';
import { Engine } from '../engine/engine.js';
import type { Handle } from '../inbox/inbox.js';

/* Rights that are taken away and given back while a service runs: a real broker with its ACLs, and a real database. */

const reviews = 'reviews.decided.v1';
const settlements = 'actions.settled.downstream.v1';
const refused = 'actions.refused.v1';
const escalated = 'actions.escalated.v1';
const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const at = '2026-11-21T10:00:00.000Z';
const patience = { timeout: 40_000, interval: 100 };

class Places implements RecordConsumer {
  async store({ tx, records }: Records): Promise<void> {
    for (const { topic, offset } of records) tx.write('INSERT INTO effects VALUES ($1, $2)', [topic, Number(offset)]);
  }
}
const worker: ServiceSpec = { name: 'guardrail-validator', port: 0, migrations: [] };
const reader: ServiceSpec = { ...worker, state: [topics.controls, topics.policies] };
const recorder: ServiceSpec = { name: 'audit-recorder', port: 0, migrations: [], recordConsumer: Places };

let broker: TestBroker;
let database: TestDatabase;
let producer: kafkajs.Producer;
let client: pg.Client;
let logged: string[];
const engines: Engine[] = [];

beforeEach(async () => {
  logged = [];
  const topics = topology().map((t) => ({ name: t.name, partitions: 1, config: topicConfig(t) }));
  [broker, database] = await Promise.all([startTestBroker({ topics }), createTestDatabase()]);
  const kafka = new kafkajs.Kafka({ clientId: 'test', ...broker.access(), logLevel: kafkajs.logLevel.NOTHING });
  producer = kafka.producer();
  client = new pg.Client({ connectionString: database.url });
  await Promise.all([producer.connect(), client.connect()]);
  await client.query('CREATE TABLE effects (topic text, n bigint)');
});
afterEach(async () => {
  await Promise.allSettled(engines.splice(0).map((made) => made.drain()));
  await Promise.allSettled([producer.disconnect(), client.end()]);
  await Promise.allSettled([broker?.stop(), database?.drop()]);
});

/** What the topology gives a service, with what `change` makes of each of its ACLs. */
async function allow(service: string, change: (acl: Acl) => Acl['operations'] = (acl) => acl.operations) {
  const rules = acls(topology()).filter(({ principal }) => principal === service);
  const changed = rules.map((acl) => ({ ...acl, operations: change(acl) })).filter((acl) => acl.operations.length > 0);
  await broker.provision({ users: [{ name: service, password: 'a-password' }], acls: changed });
}
const without =
  (name: string, ...rights: Acl['operations'][number][]) =>
  (acl: Acl) =>
    acl.name === name ? acl.operations.filter((operation) => !rights.includes(operation)) : acl.operations;

async function start(
  spec: ServiceSpec,
  handlers: Record<string, Handle> = {},
  databaseUrl = database.url,
): Promise<Engine> {
  await allow(spec.name);
  const env = {
    KAFKA_BROKERS: broker.bootstrap,
    KAFKA_USERNAME: spec.name,
    KAFKA_PASSWORD: 'a-password',
    DATABASE_URL: databaseUrl,
    BACKOFF_MS: '50',
    BACKOFF_MAX_MS: '400',
    DENIED_BACKOFF_MAX_MS: '1000',
    COMPARE_EVERY_MS: '200',
    TOPICS_EVERY_MS: '200',
  };
  const note = (text: string) => void logged.push(text);
  const made = new Engine(spec, { log: note, warn: note, error: note }, env);
  engines.push(made);
  await made.prepare();
  await made.begin(new Map(Object.entries(handlers)), [], spec.recordConsumer ? { recordConsumer: new Places() } : {});
  await vi.waitFor(async () => expect((await made.health()).checks).toMatchObject({ consumer: 'running' }), patience);
  return made;
}
const checks = async (made: Engine) => (await made.health()).checks;
/** A fetch that was asked while the right was there may still bring what comes now: until it is over nothing is sent. */
const leftOut = (topic: string) =>
  vi.waitFor(() => expect(logged.join()).toMatch(new RegExp(`rebuilt without [^,]*${topic}`)), patience);
const rebuilds = () => logged.filter((text) => text.includes('consumer rebuilt')).length;

const notes =
  (topic: string): Handle =>
  async (batch) => {
    for (const { offset } of (batch as Batch).events)
      await batch.tx.query('INSERT INTO effects VALUES ($1, $2)', [topic, Number(offset)]);
  };
const both = { [reviews]: notes(reviews), [settlements]: notes(settlements) };
const effects = async (topic: string): Promise<number[]> =>
  (await client.query('SELECT n FROM effects WHERE topic = $1 ORDER BY n', [topic])).rows.map(({ n }) => Number(n));

let sent = 0;
async function send(topic: string): Promise<void> {
  const n = ++sent;
  const subject = { kind: 'proposal' as const, id: uuid(1) };
  const [type, source, data] =
    topic === reviews
      ? ([
          'ReviewDecided',
          'console',
          { reviewId: uuid(n), subject, digest: 'a'.repeat(64), decision: 'approve', by: 'lea', at },
        ] as const)
      : ([
          'PermitRejected',
          'downstream',
          {
            ...{ permitId: uuid(n), executor: 'downstream', reason: { code: 'expired', detail: 'late' } },
            ...{ topic: 'actions.approved.v1', partition: 0, offset: String(n), at },
          },
        ] as const);
  const event = { id: `e-${n}`, source: sourceOf(source), type, time: at, data };
  await producer.send({ topic, acks: -1, messages: [{ key: 'k', ...toBinary(event) }] });
}
async function control(version: number): Promise<void> {
  const data = { scope: 'all', state: 'stopped' as const, reason: 'r', by: 'lea', version, changedAt: at };
  const event = { id: `c-${version}`, source: sourceOf('console'), type: 'ControlChanged', time: at, data } as const;
  await producer.send({ topic: 'controls.v1', acks: -1, messages: [{ key: 'all', ...toBinary(event) }] });
}

test.each([
  ['to read it', ['read']],
  ['to it altogether', ['read', 'describe', 'describe-configs']],
] as const)(
  'where the right to one topic is taken away, %s, the others go on, health names it, and it is taken up again by itself',
  async (_what, rights) => {
    const made = await start(worker, both);
    await send(reviews);
    await send(settlements);
    await vi.waitFor(
      async () => expect([await effects(reviews), await effects(settlements)]).toEqual([[0], [0]]),
      patience,
    );
    await allow(worker.name, without(reviews, ...rights));
    await leftOut(reviews);
    await send(reviews);
    for (let n = 1; n <= 10; n++) {
      await send(settlements);
      await vi.waitFor(async () => expect((await effects(settlements)).at(-1)).toBe(n), patience);
    }
    const named = (await checks(made)).rightsMissing as Record<string, string>;
    expect(Object.keys(named)).toEqual([reviews]);
    expect(named[reviews]).toContain('read');
    expect((await made.health()).status).toBe('degraded');
    // Once for what was taken away: what crashed and what the look found may fall together.
    expect(rebuilds()).toBeLessThanOrEqual(2);
    expect(await effects(reviews)).toEqual([0]);
    await allow(worker.name);
    await vi.waitFor(async () => expect(await effects(reviews)).toEqual([0, 1]), patience);
    await vi.waitFor(async () => expect((await made.health()).status).toBe('ok'), patience);
  },
);

test.each([
  ['to read it', ['read']],
  ['to it altogether', ['read', 'describe', 'describe-configs']],
] as const)(
  'of state topics one whose right is taken away, %s, is not found read to its end, the others are',
  async (_what, rights) => {
    const made = await start(reader, both);
    const age = (topic: string) => made.comparedAgo()[topic]?.() ?? Number.POSITIVE_INFINITY;
    await allow(worker.name, without('controls.v1', ...rights));
    await leftOut('controls.v1');
    await control(1);
    await vi.waitFor(() => expect(age('controls.v1')).toBeGreaterThan(2_000), patience);
    await vi.waitFor(() => expect(age('policies.v1')).toBeLessThan(1_500), patience);
    expect((await checks(made)).rightsMissing).toHaveProperty(['controls.v1']);
    const versions = async () =>
      (await client.query("SELECT version FROM state_rows WHERE topic = 'controls.v1' AND key = 'all'")).rows.map(
        ({ version }) => Number(version),
      );
    expect(await versions()).toEqual([]);
    await allow(worker.name);
    await vi.waitFor(async () => expect(await versions()).toEqual([1]), patience);
    await vi.waitFor(() => expect(age('controls.v1')).toBeLessThan(1_500), patience);
  },
);

test('a record consumer goes on with the topics that it may read, and keeps the rest when it may', async () => {
  await start(recorder);
  await allow(recorder.name, without(reviews, 'read'));
  await leftOut(reviews);
  await send(reviews);
  for (let n = 0; n < 5; n++) {
    await send(settlements);
    await vi.waitFor(async () => expect((await effects(settlements)).at(-1)).toBe(n), patience);
  }
  expect(rebuilds()).toBeLessThanOrEqual(2);
  expect(await effects(reviews)).toEqual([]);
  await allow(recorder.name);
  await vi.waitFor(async () => expect(await effects(reviews)).toEqual([0]), patience);
});

test('where the right to the group is taken away the pauses grow, health names the group, and it is joined again by itself', async () => {
  const made = await start(worker, both);
  await allow(worker.name, (acl) => (acl.resource === 'group' ? [] : acl.operations));
  const pauses = () => logged.flatMap((text) => /built anew in (\d+) ms/.exec(text)?.[1] ?? []).map(Number);
  await vi.waitFor(() => expect(pauses()).toContain(1_000), patience);
  expect(pauses()).toEqual(pauses().toSorted((a, b) => a - b));
  expect(await checks(made)).toMatchObject({ crashed: { [worker.name]: expect.stringContaining('group') } });
  await send(reviews);
  await allow(worker.name);
  await vi.waitFor(async () => expect(await effects(reviews)).toEqual([0]), patience);
  await vi.waitFor(async () => expect((await made.health()).status).toBe('ok'), patience);
});

test.each([
  ['to write it', ['write']],
  ['to it altogether', ['write', 'describe', 'describe-configs']],
] as const)(
  'where the right to a topic is taken away, %s, what is stored for it waits, health names it, and what goes elsewhere goes on',
  async (_what, rights) => {
    const verdict = { outcome: 'refused' as const, reasons: [], tier: null, policy: { version: 0, digest: null }, at };
    const about = (n: number): Omit<DataOf<'ActionRefused'>, 'verdict'> => ({
      ...{ proposalId: uuid(n), actionId: uuid(n), taskId: uuid(n), agent: 'paid-media-agent', kind: 'ads.set_bid' },
      ...{ play: { id: 'a-play', runId: uuid(2), title: 'A play' }, digest: 'a'.repeat(64) },
    });
    const made = await start(worker, {
      [reviews]: async (batch) => {
        for (const received of (batch as Batch).events)
          batch.emit(causeOf(received), topics.actionsRefused, { key: 'k', data: { ...about(1), verdict } });
      },
      [settlements]: async (batch) => {
        for (const received of (batch as Batch).events)
          batch.emit(causeOf(received), topics.actionsEscalated, {
            key: 'k',
            type: 'ReviewSetAside',
            data: { reviewId: uuid(1), proposalId: uuid(1), by: 'lea', reason: { code: 'late', detail: 'late' }, at },
          });
      },
    });
    const kafka = new kafkajs.Kafka({ clientId: 'test', ...broker.access(), logLevel: kafkajs.logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    const end = async (topic: string) => Number((await admin.fetchTopicOffsets(topic))[0]?.high);
    try {
      await send(reviews);
      await send(settlements);
      await vi.waitFor(async () => expect([await end(refused), await end(escalated)]).toEqual([1, 1]), patience);
      await allow(worker.name, without(refused, ...rights));
      await vi.waitFor(async () => expect((await checks(made)).rightsMissing).toHaveProperty([refused]), patience);
      await send(reviews);
      await vi.waitFor(async () => expect(JSON.stringify((await checks(made)).paused)).toContain(refused), patience);
      // Metadata that is asked for anew must not hold up what goes elsewhere.
      await broker.kill();
      await broker.restart();
      await send(settlements);
      await vi.waitFor(async () => expect(await end(escalated)).toBeGreaterThanOrEqual(2), patience);
      expect(await end(refused)).toBe(1);
      await allow(worker.name);
      await vi.waitFor(async () => expect(await end(refused)).toBeGreaterThanOrEqual(2), patience);
      await vi.waitFor(async () => expect((await made.health()).status).toBe('ok'), patience);
    } finally {
      await admin.disconnect();
    }
  },
);

test('the console learns from the broker how many instances of a service run, and may not read in its group', async () => {
  const others = await createTestDatabase();
  try {
    const first = await start(worker, both);
    const asking = await start({ name: 'console', port: 0, migrations: [], anyClock: true }, {}, others.url);
    const members = async () => Object.fromEntries(await asking.membersOf(['guardrail-validator', 'orchestrator']));
    expect(await members()).toEqual({ 'guardrail-validator': 1, orchestrator: 0 });
    const second = await start(worker, both);
    await vi.waitFor(async () => expect(await members()).toMatchObject({ 'guardrail-validator': 2 }), patience);
    await Promise.all([first.drain(), second.drain()]);
    await vi.waitFor(async () => expect(await members()).toMatchObject({ 'guardrail-validator': 0 }), patience);
    await expect(first.membersOf(['console'])).rejects.toThrow();

    const access = { name: 'console', password: 'a-password' };
    const kafka = new kafkajs.Kafka({ ...broker.access(access), logLevel: kafkajs.logLevel.NOTHING });
    const reading = kafka.consumer({ groupId: 'guardrail-validator', retry: { retries: 0 } });
    await reading.connect();
    await reading.subscribe({ topic: reviews });
    const crash = new Promise<Error>((resolve) =>
      reading.on('consumer.crash', ({ payload }) => resolve(payload.error)),
    );
    await reading.run({ eachMessage: async () => undefined });
    expect((await crash).message).toMatch(/not authorized/i);
    await reading.disconnect();
  } finally {
    await Promise.allSettled(engines.splice(0).map((made) => made.drain()));
    await others.drop();
  }
});
