import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kafkajs } from '@countersign/kafka';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Broker, removeBroker, startBroker } from './broker.js';
import { alterQuotas, describeQuotas } from './kafka-wire.js';
import { freePort, localPorts } from './ports.js';
import { AlreadyRunning } from './process-record.js';
import { provision, type QuotaWish } from './provision.js';

const dir = mkdtempSync(join(tmpdir(), 'countersign-test-broker-'));
const writer = { name: 'writer', password: 'writes' };
const reader = { name: 'reader', password: 'reads' };
const topic = 'things.v1';
let ports: { client: number; controller: number };
let broker: Broker;

const wishes = {
  topics: [{ name: topic, partitions: 2, config: { 'retention.ms': '86400000' } }],
  users: [writer, reader],
  acls: [
    { principal: 'writer', resource: 'topic', name: topic, pattern: 'literal', operations: ['write', 'describe'] },
    { principal: 'reader', resource: 'topic', name: topic, pattern: 'literal', operations: ['read', 'describe'] },
    { principal: 'writer', resource: 'group', name: 'writer', pattern: 'prefixed', operations: ['read'] },
    { principal: 'reader', resource: 'group', name: 'reader', pattern: 'prefixed', operations: ['read', 'describe'] },
  ],
} as const;

beforeAll(async () => {
  ports = { client: await freePort(), controller: await freePort() };
  broker = await startBroker({ dir, ports, shortLived: true });
  await provision({ ...broker, ...wishes });
});

afterAll(async () => {
  await broker?.stop();
  await removeBroker(dir);
});

function clientOf(user: { name: string; password: string }, retries = 0) {
  return new kafkajs.Kafka({
    brokers: [broker.bootstrap],
    sasl: { mechanism: 'scram-sha-256', username: user.name, password: user.password },
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries },
  });
}

async function write(user: { name: string; password: string }, value: string, to = topic): Promise<void> {
  const producer = clientOf(user).producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  try {
    await producer.connect();
    await producer.send({ topic: to, acks: -1, messages: [{ key: 'k', value }] });
  } finally {
    await producer.disconnect();
  }
}

async function readAll(user: { name: string; password: string }, count: number): Promise<string[]> {
  const consumer = clientOf(user, 20).consumer({ groupId: user.name });
  const values: string[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  try {
    await new Promise<void>((resolve, reject) => {
      consumer.on('consumer.crash', ({ payload }) => {
        if (!payload.restart) reject(payload.error);
      });
      void consumer.run({
        autoCommit: false,
        async eachMessage({ message }) {
          values.push(String(message.value));
          if (values.length === count) resolve();
        },
      });
    });
  } finally {
    await consumer.disconnect();
  }
  return values;
}

test('a principal that an ACL lets write is let through, and another is refused by the broker', async () => {
  await write(writer, 'first');
  await expect(write(reader, 'forged')).rejects.toThrow('Topic authorization failed');
});

test('a principal that no ACL lets read is refused', async () => {
  await expect(readAll(writer, 1)).rejects.toThrow('Not authorized to access');
});

test('a wrong password is refused', async () => {
  await expect(write({ name: 'writer', password: 'guessed' }, 'forged')).rejects.toMatchObject({
    name: 'KafkaJSSASLAuthenticationError',
  });
});

test('the listener of the controller refuses the passwords of clients', async () => {
  const atController = new kafkajs.Kafka({
    brokers: [`127.0.0.1:${ports.controller}`],
    sasl: { mechanism: 'plain', username: 'writer', password: 'writes' },
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 0 },
  });
  await expect(atController.admin().connect()).rejects.toThrow(/authentication/i);
});

test('a topic is not made by writing to it', async () => {
  const root = { name: broker.admin.username, password: broker.admin.password };
  await expect(write(root, 'lost', 'misspelt.v1')).rejects.toThrow('does not host this topic-partition');
});

test('provisioning again changes nothing, and changes only what differs', async () => {
  const nothing = {
    topicsCreated: 0,
    topicsChanged: 0,
    aclsCreated: 0,
    aclsRemoved: 0,
    usersChanged: 0,
    quotasChanged: 0,
  };
  expect(await provision({ ...broker, ...wishes })).toEqual(nothing);
  const other = {
    topics: [{ name: topic, partitions: 4, config: { 'retention.ms': '3600000' } }],
    users: [writer, { name: 'reader', password: 'renewed' }],
    acls: wishes.acls.slice(1),
  };
  expect(await provision({ ...broker, ...other })).toEqual({
    ...nothing,
    topicsChanged: 1,
    aclsRemoved: 2,
    usersChanged: 1,
  });
  await expect(write(writer, 'no more')).rejects.toThrow('Topic authorization failed');
  expect(await provision({ ...broker, ...wishes })).toEqual({
    ...nothing,
    topicsChanged: 1,
    aclsCreated: 2,
    usersChanged: 1,
  });
});

test('quotas are set, corrected and taken away, and those of others are left alone', async () => {
  const address = broker.bootstrap;
  const root = { mechanism: 'scram-sha-256', ...broker.admin } as const;
  const quota = { principal: 'writer', producer_byte_rate: 8e6, consumer_byte_rate: 16e6, request_percentage: 50 };
  await alterQuotas(address, root, new Map([['stranger', { producer_byte_rate: 1_000 }]]));
  const wish = (quotas: readonly QuotaWish[]) => provision({ ...broker, users: wishes.users, quotas });
  const { principal: _, ...values } = quota;
  expect(await wish([quota])).toMatchObject({ quotasChanged: 1 });
  expect(await wish([quota])).toMatchObject({ quotasChanged: 0 });
  await alterQuotas(address, root, new Map([['writer', { producer_byte_rate: 1, controller_mutation_rate: 5 }]]));
  expect(await wish([quota])).toMatchObject({ quotasChanged: 1 });
  const stranger = { producer_byte_rate: 1_000 };
  expect(Object.fromEntries(await describeQuotas(address, root))).toEqual({ writer: values, stranger });
  expect(await wish([])).toMatchObject({ quotasChanged: 1 });
  expect(Object.fromEntries(await describeQuotas(address, root))).toEqual({ stranger });
});

test('who is named no more may do nothing, though the login is there', async () => {
  const acls = wishes.acls.filter(({ principal }) => principal !== 'writer');
  const left = { ...wishes, users: [reader], acls };
  expect(await provision({ ...broker, ...left })).toMatchObject({ aclsRemoved: 0 });
  expect(await provision({ ...broker, ...left, former: ['writer'] })).toMatchObject({
    aclsRemoved: 3,
    usersChanged: 0,
  });
  await expect(write(writer, 'no more')).rejects.toThrow('Topic authorization failed');
  expect(await provision({ ...broker, ...wishes })).toMatchObject({ aclsCreated: 3 });
});

test('what was acknowledged, and who may log in, outlives a kill -9 of the broker', async () => {
  await write(writer, 'second');
  await broker.kill();
  await expect(write(writer, 'nobody listens')).rejects.toThrow();
  broker = await startBroker({ dir, ports, shortLived: true });
  expect((await readAll(reader, 2)).sort()).toEqual(['first', 'second']);
});

test('a second start on the same directory is refused while the first one lives', async () => {
  await expect(startBroker({ dir, ports })).rejects.toThrow(AlreadyRunning);
  await write(writer, 'still here');
});

test('a taken port is named, with the variable that moves it', async () => {
  const elsewhere = mkdtempSync(join(tmpdir(), 'countersign-test-broker-'));
  const holder = createServer();
  const taken = await freePort();
  await new Promise<void>((resolve) => holder.listen(taken, '127.0.0.1', resolve));
  try {
    const start = startBroker({ dir: elsewhere, ports: { client: taken, controller: await freePort() } });
    await expect(start).rejects.toThrow(`port ${taken}`);
    await expect(start).rejects.toThrow(localPorts.kafka.variable);
  } finally {
    holder.close();
    await removeBroker(elsewhere);
  }
});
