import { topicConfig, topicNamed, topology } from '@countersign/contracts';
import { type Admin, type Kafka, kafkajs } from '@countersign/kafka';
import { startTestBroker, type TestBroker } from '@countersign/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { checkSettings } from './topic-settings.js';

/* A record's age, and what a broker of one's own may be set to. */

const inbound = topicNamed('signals.inbound.upstream.v1', topology());
const day = 86_400_000;
const user = { name: 'upstream', password: 'only-for-this-test' };

let broker: TestBroker;
let kafka: Kafka;
let admin: Admin;

beforeAll(async () => {
  broker = await startTestBroker();
  kafka = new kafkajs.Kafka({ ...broker.access(), logLevel: kafkajs.logLevel.NOTHING, retry: { retries: 5 } });
  admin = kafka.admin();
  await admin.connect();
});
afterAll(async () => {
  await admin?.disconnect();
  await broker?.stop();
});

async function send(topic: string, at: number): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  try {
    await producer.send({ topic, acks: -1, messages: [{ key: 'k', value: 'v', timestamp: String(at) }] });
  } finally {
    await producer.disconnect();
  }
}
const firstOffset = async (topic: string): Promise<string | undefined> =>
  (await admin.fetchTopicOffsets(topic))[0]?.low;

test('retention does not take a record for old because its writer says so, and the broker refuses none for its time', async () => {
  // As the topology asks, and as a topic was before: the second one shows that retention has been there.
  const settings = { ...topicConfig(inbound), 'retention.ms': String(10 * day) };
  const asBefore = { ...settings, 'message.timestamp.type': 'CreateTime' };
  await broker.provision({
    topics: [
      { name: 'ours', partitions: 1, config: settings },
      { name: 'as-before', partitions: 1, config: asBefore },
    ],
  });
  for (const topic of ['ours', 'as-before']) await send(topic, Date.now() - 31 * day);
  await vi.waitFor(async () => expect(await firstOffset('as-before')).toBe('1'), { timeout: 60_000, interval: 200 });
  expect(await firstOffset('ours')).toBe('0');
  const ahead = Date.now() + 2 * 3_600_000;
  await expect(send('as-before', ahead)).rejects.toThrow(/timestamp/i);
  await send('ours', ahead);
});

test('a topic of an older installation is moved when it is provisioned again, and then differs in nothing', async () => {
  const logged: string[] = [];
  const log = { error: (text: string) => void logged.push(text), warn: (text: string) => void logged.push(text) };
  const { 'message.timestamp.type': _, ...asBefore } = topicConfig(inbound);
  await broker.provision({ topics: [{ name: inbound.name, partitions: 1, config: asBefore }] });
  expect((await checkSettings(admin, [inbound], log)).wrong).toEqual([
    { topic: inbound.name, setting: 'message.timestamp.type', is: 'CreateTime', wanted: 'LogAppendTime' },
  ]);
  expect(logged).toEqual([
    expect.stringMatching(
      /deleted by age before they are read.*--entity-name signals\.inbound\.upstream\.v1 --add-config message\.timestamp\.type=LogAppendTime/,
    ),
  ]);
  await broker.provision({ topics: [{ name: inbound.name, partitions: 1, config: topicConfig(inbound) }] });
  logged.length = 0;
  expect((await checkSettings(admin, [inbound], log)).wrong).toEqual([]);
  expect(logged).toEqual([]);
});

test('a principal that may not look at settings is told which right it lacks, and is not stopped', async () => {
  await broker.provision({
    topics: [{ name: inbound.name, partitions: 1, config: topicConfig(inbound) }],
    users: [user],
    acls: [
      { principal: user.name, resource: 'topic', name: inbound.name, pattern: 'literal', operations: ['describe'] },
    ],
  });
  const own = new kafkajs.Kafka({ ...broker.access(user), logLevel: kafkajs.logLevel.NOTHING }).admin();
  await own.connect();
  const logged: string[] = [];
  try {
    const log = { error: (text: string) => void logged.push(text), warn: (text: string) => void logged.push(text) };
    expect(await checkSettings(own, [inbound], log)).toEqual({ found: new Map(), wrong: [] });
  } finally {
    await own.disconnect();
  }
  expect(logged).toEqual([expect.stringContaining('needs DescribeConfigs')]);
});
