import { randomUUID } from 'node:crypto';
import { type Event, readEvent, type Topic, toBinary } from '@countersign/contracts';
import kafkajs, { type Admin, type Kafka, type KafkaMessage, type SASLOptions } from 'kafkajs';
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
    // A broker that has just started, or is busy, names no leader or coordinator for a moment; one that is away is told of within seconds.
    retry: { retries: 5, initialRetryTime: 100, maxRetryTime: 1_000 },
  });
}

/** Everything that is on these topics now, read under a group of its own that commits nothing. */
export async function readAll(
  kafka: Kafka,
  bootstrap: string,
  group: string,
  topics: readonly Topic[],
): Promise<Event[]> {
  const found: Event[] = [];
  const named = new Map(topics.map((topic) => [topic.name, topic]));
  await readToEnds(
    kafka,
    bootstrap,
    group,
    async () => [...named.keys()],
    (place, message) => {
      const topic = named.get(place.topic);
      const read = topic && readEvent(topic, message);
      if (read?.ok) found.push(read.event as Event);
    },
  );
  return found;
}

/**
 * Hands over every record of the topics that `choose` names, once each, up to the ends that they have at the call; under a group of
 * its own that commits nothing. Throws a `Failure` where the broker is out of reach.
 */
export async function readToEnds(
  kafka: Kafka,
  bootstrap: string,
  group: string,
  choose: (admin: Admin) => Promise<readonly string[]>,
  take: (place: { readonly topic: string; readonly partition: number }, message: KafkaMessage) => void,
): Promise<void> {
  const admin = kafka.admin();
  const consumer = kafka.consumer({ groupId: `${group}.cli.${randomUUID()}`, maxWaitTimeInMs: 100 });
  try {
    await admin.connect();
    const filled = new Set<string>();
    const awaited = new Map<string, bigint>();
    for (const topic of await choose(admin)) {
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
        if (BigInt(high) <= BigInt(low)) continue;
        filled.add(topic);
        awaited.set(`${topic}/${partition}`, BigInt(high));
      }
    }
    if (awaited.size === 0) return;
    await consumer.connect();
    await consumer.subscribe({ topics: [...filled], fromBeginning: true });
    const next = new Map<string, bigint>();
    await new Promise<void>((resolve, reject) => {
      let crashes = 0;
      consumer.on('consumer.crash', ({ payload }) => {
        // kafkajs begins again by itself where that may help.
        if (!payload.restart || ++crashes === 3) reject(payload.error);
      });
      consumer
        .run({
          autoCommit: false,
          partitionsConsumedConcurrently: 4,
          eachBatch: async ({ batch, heartbeat, resolveOffset }) => {
            const { topic, partition } = batch;
            const name = `${topic}/${partition}`;
            const end = awaited.get(name);
            for (const message of batch.messages) {
              const offset = BigInt(message.offset);
              // After a rebalance a batch may come again.
              if (end === undefined || offset >= end || offset < (next.get(name) ?? 0n)) continue;
              take({ topic, partition }, message);
              next.set(name, offset + 1n);
              resolveOffset(message.offset);
            }
            await heartbeat();
            if (end !== undefined && BigInt(batch.lastOffset()) + 1n >= end) awaited.delete(name);
            if (awaited.size === 0) resolve();
          },
        })
        .catch(reject);
    });
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
