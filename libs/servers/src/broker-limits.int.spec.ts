import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { kafkajs } from '@countersign/kafka';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Broker, removeBroker, startBroker } from './broker.js';
import { brokerHeapMiB, brokerLimits } from './broker-limits.js';
import { boundsJar } from './kafka-jars.js';
import { checkLogin } from './kafka-wire.js';
import { freePort } from './ports.js';
import { provision } from './provision.js';

const user = { name: 'writer', password: 'writes' };
const topic = 'things.v1';
const opened: Socket[] = [];
afterEach(() => {
  for (const socket of opened.splice(0)) socket.destroy();
});

function ofBroker(limits = brokerLimits): { broker(): Broker } {
  const dir = mkdtempSync(join(tmpdir(), 'countersign-test-limits-'));
  let broker: Broker;
  beforeAll(async () => {
    const ports = { client: await freePort(), controller: await freePort() };
    broker = await startBroker({ dir, ports, limits, shortLived: true });
    await provision({
      ...broker,
      topics: [{ name: topic, partitions: 4, config: {} }],
      users: [user],
      acls: [
        { principal: 'writer', resource: 'topic', name: topic, pattern: 'literal', operations: ['write', 'describe'] },
      ],
    });
  });
  afterAll(async () => {
    await broker?.stop();
    await removeBroker(dir);
  });
  return { broker: () => broker };
}

/** A connection that has not logged in. */
async function stranger({ bootstrap }: Broker): Promise<Socket> {
  const [host = '', port] = bootstrap.split(':');
  const socket = connect(Number(port), host);
  socket.on('error', () => undefined);
  opened.push(socket);
  await once(socket, 'connect');
  return socket;
}
const strangers = async (broker: Broker, count: number): Promise<Socket[]> => {
  const all: Socket[] = [];
  for (let n = 0; n < count; n++) all.push(await stranger(broker));
  return all;
};

async function write({ bootstrap }: Broker, messages: kafkajs.Message[]): Promise<void> {
  const producer = new kafkajs.Kafka({
    brokers: [bootstrap],
    sasl: { mechanism: 'scram-sha-256', username: user.name, password: user.password },
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 0 },
  }).producer();
  await producer.connect();
  try {
    await producer.send({ topic, acks: -1, messages });
  } finally {
    await producer.disconnect();
  }
}
const parts = (bytes: number): kafkajs.Message[] =>
  [0, 1, 2, 3].map((partition) => ({ partition, value: Buffer.alloc(bytes) }));
const alive = (broker: Broker): true => process.kill(broker.pid, 0);

describe('a broker of the shipped limits', () => {
  const { broker } = ofBroker();

  test.each([2 * brokerLimits.loginBytes, 400_000, 100_000_000, 2 ** 31 - 1])(
    'closes a connection that has not logged in and announces %i bytes',
    async (size) => {
      const socket = await stranger(broker());
      const closed = once(socket, 'close');
      const announced = Buffer.alloc(4);
      announced.writeInt32BE(size);
      socket.write(announced);
      socket.resume();
      await closed;
      await write(broker(), [{ value: 'still here' }]);
    },
  );

  test('has room for a login beside hundreds of connections that have not logged in, each with the most that it may announce', async () => {
    const announced = Buffer.alloc(4);
    announced.writeInt32BE(brokerLimits.loginBytes);
    for (const socket of await strangers(broker(), 600)) socket.write(announced);
    await write(broker(), [{ value: 'let in' }]);
    expect(alive(broker())).toBe(true);
  });

  test('takes a full batch for each of four partitions in one request, and closes the connection of one above its limit', async () => {
    await write(broker(), parts(1_000_000));
    await expect(write(broker(), parts(1_100_000))).rejects.toThrow();
    await write(broker(), [{ value: 'still here' }]);
    expect(alive(broker())).toBe(true);
  });

  test('tells its limits to who may ask', async () => {
    const admin = new kafkajs.Kafka({
      brokers: [broker().bootstrap],
      sasl: { mechanism: 'scram-sha-256', ...broker().admin },
      logLevel: kafkajs.logLevel.NOTHING,
    }).admin();
    await admin.connect();
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.BROKER, name: '1' }],
    });
    await admin.disconnect();
    const found = Object.fromEntries(resources[0]?.configEntries.map((e) => [e.configName, e.configValue]) ?? []);
    expect(found).toMatchObject({
      'socket.request.max.bytes': String(brokerLimits.requestBytes),
      'queued.max.request.bytes': String(brokerLimits.queuedBytes),
      'sasl.server.max.receive.size': String(brokerLimits.loginBytes),
      'max.connections': String(brokerLimits.connections),
      'connections.max.idle.ms': String(brokerLimits.idleMs),
      'max.incremental.fetch.session.cache.slots': '0',
      'producer.id.expiration.ms': String(brokerLimits.producerIdsMs),
      'offset.metadata.max.bytes': '256',
    });
  });
});

describe('a broker whose connections are all taken by strangers', () => {
  const { broker } = ofBroker({ ...brokerLimits, connections: 30, idleMs: 3_000 });

  test('goes on serving who is in, and lets others in again when the strangers have been idle for long enough', async () => {
    const [host = '', port] = broker().bootstrap.split(':');
    const taken = await strangers(broker(), 60);
    const closed = taken.map((socket) => once(socket.resume(), 'close'));
    const login = { mechanism: 'scram-sha-256', username: user.name, password: user.password } as const;
    for (let tries = 30; ; tries--) {
      const error = await checkLogin(`${host}:${port}`, login).then(
        () => undefined,
        (failed: unknown) => failed,
      );
      if (error === undefined) break;
      if (tries === 0) throw error;
      await sleep(500);
    }
    await Promise.all(closed);
    await write(broker(), [{ value: 'let in' }]);
  });
});

test('the worst that clients can take leaves the broker what it needs of the shipped heap', () => {
  const { connections, controllerConnections, loginBytes, queuedBytes, requestBytes } = brokerLimits;
  const all = connections + controllerConnections;
  const worst = queuedBytes + requestBytes + all * (loginBytes + 32_768) + 8 * (4_194_304 + 8_388_608 + 20_000 * 160);
  expect(worst / 1_048_576 + 130).toBeLessThan(0.85 * brokerHeapMiB);
});

test('the jar that bounds batches was made of the source that is beside it', () => {
  const source = join(dirname(boundsJar), 'src/org/apache/kafka/common/utils/ChunkedBytesStream.java');
  const digest = createHash('sha256').update(readFileSync(source)).digest('base64');
  expect(readFileSync(boundsJar, 'latin1')).toContain(`Source-SHA-256: ${digest}`);
});
