import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { acls, type Event, readEvent, toBinary, topicConfig, topicNamed, topology } from '@countersign/contracts';
import { type Consumer, kafkajs, type Producer } from '@countersign/kafka';
import {
  createTestDatabase,
  freePort,
  startTestBroker,
  type TestBroker,
  type TestDatabase,
} from '@countersign/testing';
import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';

/** The service as it runs: its own process, principal and database role, over a real broker with the topology's ACLs. */
const topics = topology();
const upstream = 'signals.inbound.upstream.v1';
const password = 'only-for-this-test';
const key = 'website-key';

let folder: string;
let broker: TestBroker;
let database: TestDatabase;
let service: ChildProcess;
let url: string;
let kafkaAs: (name: string) => kafkajs.Kafka;
let producer: Producer;
let consumer: Consumer;
const received: Event[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ingestion-'));
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const principals = ['signal-ingestion', 'upstream', 'console'];
  [broker, database] = await Promise.all([
    startTestBroker({
      topics: topics.map((topic) => ({ name: topic.name, partitions: topic.partitions, config: topicConfig(topic) })),
      users: principals.map((name) => ({ name, password })),
      acls: acls(topics).filter((acl) => principals.includes(acl.principal)),
    }),
    createTestDatabase(),
  ]);
  const { publicKey } = await generateKeyPair('ECDH-ES', { crv: 'X25519', extractable: true });
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  service = spawn(process.execPath, [fileURLToPath(new URL('../../dist/main.js', import.meta.url))], {
    env: {
      ...process.env,
      KAFKA_BROKERS: broker.bootstrap,
      KAFKA_USERNAME: 'signal-ingestion',
      KAFKA_PASSWORD: password,
      DATABASE_URL: database.url,
      PORT: String(port),
      COUNTERSIGN_PARENT: 'stdin',
      IDENTITY_KEY_FILE: file('identity', 'ab'.repeat(32)),
      CONTACT_POINTS_PUBLIC_KEY_FILE: file('points', JSON.stringify(await exportJWK(publicKey))),
      API_KEYS_FILE: file('keys', JSON.stringify({ website: createHash('sha256').update(key).digest('hex') })),
    },
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  await until(async () => (await fetch(`${url}/health`)).ok);

  kafkaAs = (name: string) =>
    new kafkajs.Kafka({
      ...broker.access({ name, password }),
      logLevel: kafkajs.logLevel.NOTHING,
      // The broker is away for a while in one test.
      retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 200 },
    });
  producer = kafkaAs('upstream').producer();
  consumer = kafkaAs('console').consumer({
    groupId: 'console.test',
    maxWaitTimeInMs: 100,
    sessionTimeout: 6_000,
    heartbeatInterval: 1_000,
  });
  await Promise.all([producer.connect(), consumer.connect()]);
  const read = [
    'signals.accepted.v1',
    'signals.rejected.v1',
    'signal-ingestion.dead-letters.v1',
    'profiles.v1',
    'consents.v1',
  ];
  await consumer.subscribe({ topics: read, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ topic, message }) => {
      const event = readEvent(topicNamed(topic, topics), message);
      if (event.ok) received.push(event.event as Event);
    },
  });
});

afterAll(async () => {
  await Promise.allSettled([producer?.disconnect(), consumer?.disconnect()]);
  if (service?.exitCode === null) {
    const ended = once(service, 'exit');
    service.kill('SIGTERM');
    await ended;
  }
  await Promise.allSettled([broker?.stop(), database?.drop()]);
  rmSync(folder, { recursive: true });
});

const post = (id: string): Promise<Response> =>
  fetch(`${url}/v1/signals`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/cloudevents+json' },
    body: JSON.stringify({
      specversion: '1.0',
      id,
      source: '/sources/website',
      type: 'FormSubmitted',
      time: new Date().toISOString(),
      data: {
        account: { id: 'acme' },
        contact: { email: 'jane@example.com' },
        formId: 'demo',
        consents: [{ purpose: 'sales', channel: 'email', status: 'granted' }],
      },
    }),
  });

test('a signal posted over HTTP comes out accepted, with what it made', async () => {
  const id = randomUUID();
  const answer = await post(id);
  expect([answer.status, await answer.json()]).toEqual([202, { accepted: 1, ids: [id] }]);
  const accepted = await outcome('SignalAccepted', (e) => e.data.signalId === id);
  expect(accepted).toMatchObject({ data: { accountId: 'acme', triggers: true }, correlationid: id, causationid: id });
  const contactId = accepted.data.contactId;
  expect(await outcome('ConsentsChanged', (e) => e.data.contactId === contactId)).toMatchObject({
    data: { version: accepted.data.madeFrom[`consent:${contactId}`], entries: [{ status: 'granted' }] },
  });
});

test('over Kafka: good, old, malformed and repeated signals each have their outcome, none is a dead letter', async () => {
  const signal = (id: string, data: unknown, time = new Date().toISOString()) => ({
    key: 'acme',
    ...toBinary({ id, source: '/sources/upstream/test', type: 'AccountUpserted', time, data }),
  });
  const good = signal('good', { account: { id: 'acme' }, name: 'Acme Inc' });
  const messages = [
    good,
    good,
    signal('old', { account: { id: 'acme' }, industry: 'steel' }, '2020-01-01T00:00:00.000Z'),
    signal('malformed', { account: {}, name: 'secretname' }),
    { key: 'acme', value: 'no JSON: secretname', headers: { ce_id: 'broken' } },
  ];
  await producer.send({ topic: upstream, acks: -1, messages });

  expect(await outcome('SignalAccepted', (e) => e.data.signalId === 'good')).toMatchObject({
    data: { triggers: true },
  });
  expect(await outcome('SignalAccepted', (e) => e.data.signalId === 'old')).toMatchObject({
    data: { triggers: false },
  });
  const codes = ['duplicate', 'contract', 'not-json'] as const;
  const rejected = await Promise.all(
    codes.map((code) => outcome('SignalRejected', (e) => e.data.reasons[0]?.code === code)),
  );
  expect(rejected.map((e) => e.data.signalId)).toEqual(['good', 'malformed', 'broken']);
  expect(rejected[1]?.data.reasons[0]?.field).toBe('data.account.id');
  expect(received.filter((e) => e.type === 'DeadLetter')).toEqual([]);
  expect(JSON.stringify(received)).not.toContain('secretname');
});

test('a record that bears the time of its event is taken whatever that is; one dated ahead is rejected by us, with the reason', async () => {
  // As the CloudEvents SDK for JavaScript writes it.
  const signal = (id: string, at: number) => ({
    key: 'acme',
    timestamp: String(at),
    ...toBinary({
      id,
      source: '/sources/upstream/test',
      type: 'AccountUpserted',
      time: new Date(at).toISOString(),
      data: { account: { id: 'acme' }, name: 'Acme' },
    }),
  });
  const hour = 3_600_000;
  const sent = Date.now();
  const messages = [signal('two hours ahead', sent + 2 * hour), signal('a year ago', sent - 365 * 24 * hour)];
  await producer.send({ topic: upstream, acks: -1, messages });
  expect(await outcome('SignalRejected', (e) => e.data.signalId === 'two hours ahead')).toMatchObject({
    data: { reasons: [{ code: 'future', field: 'time' }] },
  });
  await outcome('SignalAccepted', (e) => e.data.signalId === 'a year ago');
});

test('an upstream has ten consumer groups, and the broker keeps nothing of an eleventh', async () => {
  const admin = kafkaAs('upstream').admin({ retry: { retries: 0 } });
  await admin.connect();
  try {
    for (const groupId of ['upstream', 'upstream.9']) expect(await admin.fetchOffsets({ groupId })).toEqual([]);
    for (const groupId of ['upstream.10', 'upstream.x', 'upstream.9.1'])
      await expect(admin.fetchOffsets({ groupId })).rejects.toThrow();
  } finally {
    await admin.disconnect();
  }
});

test('an upstream may write in transactions under ten ids of its name, and under no others', async () => {
  const transactional = async (transactionalId: string, id: string): Promise<void> => {
    const own = kafkaAs('upstream').producer({
      transactionalId,
      ...{ maxInFlightRequests: 1, idempotent: true, retry: { retries: 3 } },
    });
    try {
      await own.connect();
      const transaction = await own.transaction();
      const time = new Date().toISOString();
      const data = { account: { id: 'acme' }, name: 'Acme Inc' };
      const event = toBinary({ id, source: '/sources/upstream/test', type: 'AccountUpserted', time, data });
      await transaction.send({ topic: upstream, acks: -1, messages: [{ key: 'acme', ...event }] });
      await transaction.commit();
    } finally {
      await own.disconnect();
    }
  };
  await transactional('upstream.9', 'in-a-transaction');
  await outcome('SignalAccepted', (e) => e.data.signalId === 'in-a-transaction');
  for (const other of ['console.1', 'upstream.10', 'upstream.loader-1'])
    await expect(transactional(other, 'as-another')).rejects.toThrow();
  expect(received.filter(({ data }) => JSON.stringify(data).includes('as-another'))).toEqual([]);
});

test('while the broker is away publishers are told when to come again, and then the same signal is taken', async () => {
  const id = randomUUID();
  await broker.kill();
  const answer = await post(id);
  expect([429, 503]).toContain(answer.status);
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  await broker.restart();
  await until(async () => (await post(id)).status === 202);
  await outcome('SignalAccepted', (e) => e.data.signalId === id);
});

test('told to end, it drains and leaves with status 0, whatever a client is still about to send', async () => {
  const slow = connect(Number(new URL(url).port), '127.0.0.1');
  slow.on('error', () => undefined);
  slow.write(
    `POST /v1/signals HTTP/1.1\r\nhost: here\r\nauthorization: Bearer ${key}\r\ncontent-length: 100000\r\n\r\n{`,
  );
  const drip = setInterval(() => slow.writable && slow.write(' '), 100);
  onTestFinished(() => clearInterval(drip));
  await until(async () => (await fetch(`${url}/health`)).ok);
  const ended = once(service, 'exit');
  service.kill('SIGTERM');
  expect((await ended)[0]).toBe(0);
});

async function outcome<T extends Event['type']>(
  type: T,
  matches: (event: Event & { type: T }) => boolean,
): Promise<Event & { type: T }> {
  let found: (Event & { type: T }) | undefined;
  await until(async () => {
    found = received.find((e): e is Event & { type: T } => e.type === type && matches(e as Event & { type: T }));
    return found !== undefined;
  });
  return found as Event & { type: T };
}

/** Asks again until the answer is yes; the test's own time-out ends it. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition().catch(() => false))) {
    if (service.exitCode !== null) throw new Error(`the service ended with status ${service.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
