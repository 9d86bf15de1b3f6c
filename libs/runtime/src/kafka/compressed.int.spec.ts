import { gzipSync, zstdCompressSync } from 'node:zlib';
import { sourceOf, toBinary, topicConfig, topology } from '@countersign/contracts';
import { kafkajs } from '@countersign/kafka';
import { createTestDatabase, startTestBroker, type TestBroker, type TestDatabase } from '@countersign/testing';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Batch } from '../api/runtime.js';
import { Engine } from '../engine/engine.js';
import type { Handle } from '../inbox/inbox.js';

/* What an outsider may compress, on a real broker of the shipped size: the executor `downstream` writes, the validator reads. */

const topic = 'actions.settled.downstream.v1';
const user = { name: 'downstream', password: 'settles' };

/** Kafka's LZ4: a frame of blocks, here none of them compressed. */
function lz4(bytes: Uint8Array): Buffer {
  const parts: Uint8Array[] = [Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82])];
  for (let at = 0; at < bytes.length; at += 65_536) {
    const block = bytes.subarray(at, at + 65_536);
    const size = Buffer.alloc(4);
    size.writeUInt32LE((block.length | 0x80000000) >>> 0);
    parts.push(size, block);
  }
  return Buffer.concat([...parts, Buffer.alloc(4)]);
}
const { CompressionCodecs, CompressionTypes } = kafkajs;
const codec = (compress: (bytes: Buffer) => Uint8Array) => () => ({
  compress: async ({ buffer }: { buffer: Buffer }) => Buffer.from(compress(buffer)),
  decompress: async () => {
    throw new Error('the client is not asked to unpack');
  },
});
CompressionCodecs[CompressionTypes.GZIP] = codec(gzipSync);
CompressionCodecs[CompressionTypes.LZ4] = codec(lz4);
CompressionCodecs[CompressionTypes.ZSTD] = codec(zstdCompressSync);
CompressionCodecs[CompressionTypes.Snappy] = codec((bytes) => bytes);

let broker: TestBroker;
let database: TestDatabase;
let engine: Engine;
const seen: string[] = [];
const handle: Handle = async (batch) => {
  for (const { event } of (batch as Batch<'PermitRejected'>).events) seen.push(event.id);
};

beforeAll(async () => {
  broker = await startTestBroker({
    topics: topology().map((t) => ({ name: t.name, partitions: 1, config: topicConfig(t) })),
    users: [user],
    acls: [
      { principal: user.name, resource: 'topic', name: topic, pattern: 'literal', operations: ['write', 'describe'] },
    ],
  });
  database = await createTestDatabase();
  const env = {
    ...broker.env(),
    DATABASE_URL: database.url,
    BACKOFF_MS: '50',
  };
  const silent = { log: () => undefined, warn: () => undefined, error: () => undefined };
  engine = new Engine({ name: 'guardrail-validator', port: 0, migrations: [] }, silent, env, () =>
    new Date().toISOString(),
  );
  await engine.prepare();
  await engine.begin(new Map([[topic, handle]]), []);
});
afterAll(async () => {
  await engine?.drain();
  await Promise.allSettled([broker?.stop(), database?.drop()]);
});
/** Each test looks at what comes after the earlier ones. */
beforeEach(async () => {
  seen.length = 0;
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query('DELETE FROM dead_letters');
  await client.end();
});

/** Writes messages in one batch, as the outsider. */
async function send(compression: kafkajs.CompressionTypes, messages: kafkajs.Message[]): Promise<void> {
  const producer = new kafkajs.Kafka({
    ...broker.access(user),
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 0 },
  }).producer();
  await producer.connect();
  try {
    await producer.send({ topic, acks: -1, compression, messages });
  } finally {
    await producer.disconnect();
  }
}
const event = (id: string): kafkajs.Message => {
  const { headers, value } = toBinary({
    id,
    source: sourceOf('downstream'),
    type: 'PermitRejected',
    time: '2026-11-21T10:00:00.000Z',
    data: {
      permitId: '00000000-0000-4000-8000-000000000002',
      proposalId: '00000000-0000-4000-8000-000000000003',
      executor: 'downstream',
      reason: { code: 'signature', detail: 'the signature does not fit' },
      topic: 'actions.approved.v1',
      partition: 0,
      offset: '41',
      at: '2026-11-21T10:00:00.000Z',
    },
  });
  return { key: 'k', headers, value };
};
/** What the dead letters say. */
const letters = async (): Promise<string[]> => {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    const { rows } = await client.query<{ fault: { code: string; detail: string } }>('SELECT fault FROM dead_letters');
    return rows.map(({ fault }) => `${fault.code}: ${fault.detail}`);
  } finally {
    await client.end();
  }
};
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await holds()); tries++) {
    if (tries > 600) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test.each([
  ['gzip', CompressionTypes.GZIP],
  ['lz4', CompressionTypes.LZ4],
  ['zstd', CompressionTypes.ZSTD],
])('every event of a batch in %s arrives once and in order', async (name, compression) => {
  const ids = Array.from({ length: 300 }, (_, n) => `${name}-${n}`);
  await send(compression, ids.map(event));
  await until(() => seen.length >= ids.length || letters().then((rows) => rows.length > 0));
  expect(await letters()).toEqual([]);
  expect(seen).toEqual(ids);
});

/** The broker is there, and looks into what is on the topic. */
async function alive(): Promise<void> {
  const admin = new kafkajs.Kafka({ ...broker.access(), logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.fetchTopicOffsetsByTimestamp(topic, 0);
  await admin.disconnect();
  process.kill(broker.pid(), 0);
}

test.each([
  ['gzip', CompressionTypes.GZIP],
  ['lz4', CompressionTypes.LZ4],
  ['zstd', CompressionTypes.ZSTD],
])(
  'a batch in %s of as much as the broker unpacks is taken, and one of more is refused by its size',
  async (name, compression) => {
    // LZ4 is not made smaller here, and the broker takes no more than 1 MiB of a batch.
    const [value, most] = name === 'lz4' ? [Buffer.alloc(900), 1_000] : [Buffer.alloc(100_000), 80];
    const bodies = (count: number) => Array.from({ length: count }, () => ({ key: 'k', value }));
    await send(compression, bodies(most));
    await expect(send(compression, bodies(most * 4))).rejects.toThrow(/larger than the max message size/);
    await alive();
    await until(async () => (await letters()).length === most);
  },
);

test('a batch that unpacks to as much as the whole heap of the broker is refused, and ends nobody', async () => {
  const pid = broker.pid();
  const large = { key: 'k', value: Buffer.alloc(1_000_000) };
  await expect(
    send(
      CompressionTypes.GZIP,
      Array.from({ length: 400 }, () => large),
    ),
  ).rejects.toThrow(/larger than the max/);
  await alive();
  await send(CompressionTypes.GZIP, [event('after it')]);
  await until(() => seen.length > 0);
  expect([seen, broker.pid()]).toEqual([['after it'], pid]);
});

test('snappy is refused by the broker at once, and whoever writes in another codec is not held up', async () => {
  await expect(send(CompressionTypes.Snappy, [event('snappy')])).rejects.toThrow();
  await send(CompressionTypes.None, [event('plain')]);
  await until(() => seen.length > 0);
  expect(seen).toEqual(['plain']);
});
