import { randomUUID } from 'node:crypto';
import { type Event, readEvent, type Topic, toBinary } from '@countersign/contracts';
import kafkajs, { type Kafka, type SASLOptions } from 'kafkajs';
import type { Installation } from '../core/installation.js';
import { codeOf, Failure } from './failure.js';

/** The broker under one principal of run.json. Throws a `Failure` where there is none. */
export function brokerOf({ kafka, from }: Installation, principal: string): Kafka {
  const account = kafka?.principals[principal];
  if (!kafka || !account) {
    const where = from
      ? `${from} has no Kafka credentials of ${principal}`
      : 'there is no .countersign/run.json here or above';
    throw new Failure(2, `${where}: call this in the folder where \`npm start\` runs`);
  }
  return new kafkajs.Kafka({
    clientId: 'countersign-cli',
    brokers: kafka.bootstrap.split(','),
    sasl: { mechanism: kafka.mechanism, username: account.username, password: account.password } as SASLOptions,
    logLevel: kafkajs.logLevel.NOTHING,
    connectionTimeout: 3_000,
    retry: { retries: 1 },
  });
}

/** Everything that is on these topics now, read under a group of its own that commits nothing. */
export async function readAll(
  kafka: Kafka,
  bootstrap: string,
  group: string,
  topics: readonly Topic[],
): Promise<Event[]> {
  const admin = kafka.admin();
  const consumer = kafka.consumer({ groupId: `${group}.cli.${randomUUID()}`, maxWaitTimeInMs: 100 });
  const found: Event[] = [];
  try {
    await admin.connect();
    const awaited = new Map<string, bigint>();
    for (const { name } of topics) {
      for (const { partition, low, high } of await admin.fetchTopicOffsets(name)) {
        if (BigInt(high) > BigInt(low)) awaited.set(`${name}/${partition}`, BigInt(high));
      }
    }
    if (awaited.size === 0) return found;
    const named = new Map(topics.map((topic) => [topic.name, topic]));
    await consumer.connect();
    const wanted = topics.filter(({ name }) => [...awaited.keys()].some((place) => place.startsWith(`${name}/`)));
    await consumer.subscribe({ topics: wanted.map(({ name }) => name), fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      consumer.on('consumer.crash', ({ payload }) => reject(payload.error));
      consumer
        .run({
          autoCommit: false,
          eachBatch: async ({ batch }) => {
            const place = `${batch.topic}/${batch.partition}`;
            const end = awaited.get(place);
            for (const message of batch.messages) {
              const topic = named.get(batch.topic);
              if (!topic || end === undefined || BigInt(message.offset) >= end) continue;
              const read = readEvent(topic, message);
              if (read.ok) found.push(read.event as Event);
            }
            if (end !== undefined && BigInt(batch.lastOffset()) + 1n >= end) awaited.delete(place);
            if (awaited.size === 0) resolve();
          },
        })
        .catch(reject);
    });
    return found;
  } catch (error) {
    throw outOfReach(bootstrap, error);
  } finally {
    await Promise.allSettled([consumer.disconnect(), admin.disconnect()]);
  }
}

/** Writes events to a topic; resolves at the broker's acknowledgement. */
export async function write(
  kafka: Kafka,
  bootstrap: string,
  topic: string,
  events: readonly { readonly key: string; readonly event: Event }[],
): Promise<void> {
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  try {
    await producer.connect();
    await producer.send({ topic, acks: -1, messages: events.map(({ key, event }) => ({ key, ...toBinary(event) })) });
  } catch (error) {
    throw outOfReach(bootstrap, error);
  } finally {
    await producer.disconnect().catch(() => undefined);
  }
}

const outOfReach = (bootstrap: string, error: unknown): Failure =>
  error instanceof Failure
    ? error
    : new Failure(2, `Kafka at ${bootstrap}: ${codeOf(error)}: is \`npm start\` running?`);
