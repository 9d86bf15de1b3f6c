import { derivedId, sourceOf, toBinary, topicNamed, topology } from '@countersign/contracts';
import { type Kafka, kafkajs } from '@countersign/kafka';
import { type SharedBroker, sharedBroker, uniqueName } from '@countersign/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { publishedCheckpoints, readAll, readToEnds } from './kafka.js';

/* Reading to the ends, against what a partition may end with beside a record. */

let broker: SharedBroker;
let kafka: Kafka;
beforeAll(async () => {
  broker = await sharedBroker();
  kafka = new kafkajs.Kafka({ ...broker.access(), logLevel: kafkajs.logLevel.NOTHING });
});
afterAll(async () => {
  await broker?.close();
});

async function topicOf(config: Record<string, string> = {}): Promise<string> {
  const name = uniqueName('ends');
  await broker.provision({ topics: [{ name, partitions: 2, config }] });
  return name;
}

async function within(end: 'commit' | 'abort', topic: string, messages: { value: string; partition: number }[]) {
  const producer = kafka.producer({ transactionalId: uniqueName('writer'), maxInFlightRequests: 1, idempotent: true });
  await producer.connect();
  const transaction = await producer.transaction();
  const [sent] = await transaction.send({ topic, messages });
  const written = Number(sent?.baseOffset);
  await transaction[end]();
  await producer.disconnect();
  // The broker answers before the marker is on the partition, and until then the partition ends before the transaction.
  const admin = kafka.admin();
  await admin.connect();
  const at = messages[0]?.partition ?? 0;
  const ends = async () =>
    Number((await admin.fetchTopicOffsets(topic)).find(({ partition }) => partition === at)?.high);
  await vi.waitFor(async () => expect(await ends()).toBeGreaterThanOrEqual(written + messages.length + 1), 20_000);
  await admin.disconnect();
}
const messagesTo = (partition: number, ...values: readonly string[]) => values.map((value) => ({ value, partition }));

async function read(topic: string) {
  const values: string[] = [];
  const ranges = await readToEnds(
    kafka,
    broker.bootstrap,
    'test',
    async () => [topic],
    (_, { value }) => {
      values.push(String(value));
    },
  );
  return { values: values.sort(), ranges };
}

test('a partition of which everything was aborted has an end, and nothing on it', async () => {
  const topic = await topicOf();
  await within('abort', topic, messagesTo(0, 'a', 'b'));
  expect((await read(topic)).values).toEqual([]);
});

test('a partition that ends with markers, or with what was aborted, is read to its end', async () => {
  const topic = await topicOf();
  await within('commit', topic, messagesTo(0, 'a', 'b'));
  await within('commit', topic, messagesTo(1, 'c'));
  await within('abort', topic, messagesTo(1, 'd'));
  await within('abort', topic, messagesTo(1, 'e'));
  expect((await read(topic)).values).toEqual(['a', 'b', 'c']);
});

test('what was read is told with where it begins and ends, also of what was deleted', async () => {
  const topic = await topicOf();
  await within('commit', topic, messagesTo(0, 'a', 'b', 'c'));
  await within('commit', topic, messagesTo(1, 'd'));
  const admin = kafka.admin();
  await admin.connect();
  // kafkajs deletes records only of a topic that it has looked up.
  await admin.fetchTopicOffsets(topic);
  await admin.deleteTopicRecords({
    topic,
    partitions: [
      { partition: 0, offset: '2' },
      { partition: 1, offset: '-1' },
    ],
  });
  await admin.disconnect();
  const { values, ranges } = await read(topic);
  expect(values).toEqual(['c']);
  expect(ranges).toEqual(
    new Map([
      [`${topic}/0`, { low: 2n, high: 4n }],
      [`${topic}/1`, { low: 2n, high: 2n }],
    ]),
  );
});

test('what is deleted while it is read keeps nobody waiting', async () => {
  const topic = await topicOf();
  await within('commit', topic, messagesTo(0, 'a'));
  const values: string[] = [];
  await readToEnds(
    {
      consumer: (config) => kafka.consumer(config),
      admin: () => {
        const admin = kafka.admin();
        let deleted = false;
        return {
          ...admin,
          // Between the look for the ends and the reading.
          fetchTopicOffsets: async (name) => {
            const found = await admin.fetchTopicOffsets(name);
            if (!deleted) await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '-1' }] });
            deleted = true;
            return found;
          },
        };
      },
    },
    broker.bootstrap,
    'test',
    async () => [topic],
    (_, { value }) => {
      values.push(String(value));
    },
  );
  expect(values).toEqual([]);
});

test('dead letters of a service that writes in transactions are read', async () => {
  const [letters] = topology().filter((topic) => topic.name === 'orchestrator.dead-letters.v1');
  if (!letters) throw new Error('there is such a topic');
  const topic = { ...letters, name: await topicOf() };
  const data = {
    deadLetterId: derivedId('dead letter', 1),
    service: 'orchestrator',
    topic: 'signals.accepted.v1',
    partition: 0,
    offset: '1',
    sha256: 'b'.repeat(64),
    fault: { code: 'contract', detail: 'data.quality: required' },
    attempts: 3,
    at: '2026-11-21T10:00:00.000Z',
  };
  const { headers, value } = toBinary({
    id: 'e',
    source: sourceOf('orchestrator'),
    type: 'DeadLetter',
    time: data.at,
    data,
  });
  await within('commit', topic.name, [{ ...messagesTo(0, value)[0], key: 'k', headers } as never]);
  await within('abort', topic.name, messagesTo(0, 'x'));
  const found = await readAll(kafka, broker.bootstrap, 'test', [topic]);
  expect(found.map((event) => event.id)).toEqual(['e']);
});

test('the notes of all checkpoints that were published are read, in their order, and nothing of another author', async () => {
  const topic = { ...topicNamed('record.checkpoints.v1', topology()), name: await topicOf() };
  const data = { origin: 'here', size: 1, rootHash: 'x', at: '2026-11-21T10:00:00.000Z' };
  const producer = kafka.producer();
  await producer.connect();
  for (const [note, service] of [
    ['one', 'audit-recorder'],
    ['forged', 'console'],
    ['two', 'audit-recorder'],
  ] as const) {
    const event = { id: derivedId(note), source: sourceOf(service), type: 'CheckpointPublished', time: data.at };
    const { headers, value } = toBinary({ ...event, data: { ...data, note } } as Parameters<typeof toBinary>[0]);
    await producer.send({ topic: topic.name, acks: -1, messages: [{ key: 'here', headers, value, partition: 0 }] });
  }
  await producer.disconnect();
  expect([...new Set(await publishedCheckpoints(kafka, broker.bootstrap, topic))]).toEqual(['one', 'two']);
});
