import { randomUUID } from 'node:crypto';
import { auditPrincipal, type Event, readEvent, type Topic, toBinary } from '@countersign/contracts';
import {
  type Admin,
  boundFetches,
  type Consumer,
  type Kafka,
  type KafkaMessage,
  kafkajs,
  type SASLOptions,
} from '@countersign/kafka';
import type { Installation } from './core/installation.js';
import { credentialOf } from './credentials.js';
import { codeOf, Failure } from './failure.js';

boundFetches();

/** The broker as one principal, whose own file has the login. Throws a `Failure` if there is no broker, or no login for this principal. */
export function brokerOf(installation: Installation, principal: string): Kafka {
  const { kafka, from } = installation;
  if (!kafka) {
    const lacking = from ? `${from} names no broker` : 'there is no .countersign/run.json here or above';
    throw new Failure(2, `${lacking}: call this in the folder where \`npm start\` runs`);
  }
  const account = credentialOf(installation, 'broker', principal);
  return new kafkajs.Kafka({
    clientId: 'countersign-cli',
    brokers: kafka.bootstrap.split(','),
    sasl: { mechanism: kafka.mechanism, username: account.username, password: account.password } as SASLOptions,
    logLevel: kafkajs.logLevel.NOTHING,
    connectionTimeout: 3_000,
    // A broker that has just started, or is busy, names no leader or coordinator for a moment. A broker that is away is reported
    // within seconds.
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

/** The signed notes of all checkpoints that are on their topic now. */
export async function publishedCheckpoints(kafka: Kafka, bootstrap: string, topic: Topic): Promise<readonly string[]> {
  const events = await readAll(kafka, bootstrap, auditPrincipal, [topic]);
  return events.flatMap(({ type, data }) => (type === 'CheckpointPublished' ? [data.note] : []));
}

/** Where a partition begins and ends. Some offsets from `low` to before `high` may have no record. */
export interface Range {
  readonly low: bigint;
  readonly high: bigint;
}

/**
 * Passes on every record of the topics that `choose` names, once each, up to the ends at the time of the call. It uses a group of
 * its own that commits nothing. Resolves to what was read of each partition (`topic/partition`): records before `low` that were
 * deleted in the meantime may be missing. Throws a `Failure` if the broker cannot be reached.
 */
export async function readToEnds(
  kafka: Pick<Kafka, 'admin' | 'consumer'>,
  bootstrap: string,
  group: string,
  choose: (admin: Admin) => Promise<readonly string[]>,
  take: (place: { readonly topic: string; readonly partition: number }, message: KafkaMessage) => void,
): Promise<ReadonlyMap<string, Range>> {
  const admin = kafka.admin();
  const consumer = kafka.consumer({ groupId: `${group}.cli.${randomUUID()}`, maxWaitTimeInMs: 100 });
  try {
    await admin.connect();
    const topics = await choose(admin);
    const ranges = await rangesOf(admin, topics);
    await readWithin(admin, consumer, ranges, take);
    const now = await rangesOf(admin, topics);
    return new Map([...ranges].map(([name, { low, high }]) => [name, { low: now.get(name)?.low ?? low, high }]));
  } catch (error) {
    throw outOfReach(bootstrap, error);
  } finally {
    await Promise.allSettled([consumer.disconnect(), admin.disconnect()]);
  }
}

async function rangesOf(admin: Admin, topics: readonly string[]): Promise<Map<string, Range>> {
  const found = new Map<string, Range>();
  for (const topic of topics)
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic))
      found.set(`${topic}/${partition}`, { low: BigInt(low), high: BigInt(high) });
  return found;
}

const topicIn = (name: string): string => name.slice(0, name.lastIndexOf('/'));

async function readWithin(
  admin: Admin,
  consumer: Consumer,
  ranges: ReadonlyMap<string, Range>,
  take: (place: { readonly topic: string; readonly partition: number }, message: KafkaMessage) => void,
): Promise<void> {
  const awaited = new Map(
    [...ranges].filter(([, { low, high }]) => low < high).map(([name, { high }]) => [name, high]),
  );
  if (awaited.size === 0) return;
  await consumer.connect();
  await consumer.subscribe({ topics: [...new Set([...awaited.keys()].map(topicIn))], fromBeginning: true });
  const next = new Map<string, bigint>();
  const ended = Promise.withResolvers<void>();
  const reached = (name: string, at: bigint): void => {
    if (at >= (awaited.get(name) ?? 0n)) awaited.delete(name);
    if (awaited.size === 0) ended.resolve();
  };
  let crashes = 0;
  consumer.on('consumer.crash', ({ payload }) => {
    // kafkajs restarts by itself if that may help.
    if (!payload.restart || ++crashes === 3) ended.reject(payload.error);
  });
  // It comes after every batch, even if a batch has nothing to pass on (markers of transactions, aborted records).
  consumer.on('consumer.end_batch_process', ({ payload: { topic, partition, lastOffset } }) =>
    reached(`${topic}/${partition}`, BigInt(lastOffset) + 1n),
  );
  // Records that are deleted in the meantime come in no batch.
  const looking = setInterval(() => {
    rangesOf(admin, [...new Set([...awaited.keys()].map(topicIn))]).then((now) => {
      for (const [name, { low }] of now) reached(name, low);
    }, ended.reject);
  }, 1_000);
  try {
    await Promise.all([
      ended.promise,
      consumer.run({
        autoCommit: false,
        partitionsConsumedConcurrently: 4,
        eachBatch: async ({ batch: { topic, partition, messages }, heartbeat, resolveOffset }) => {
          const name = `${topic}/${partition}`;
          const end = ranges.get(name)?.high ?? 0n;
          for (const message of messages) {
            const offset = BigInt(message.offset);
            // After a rebalance a batch may come again.
            if (offset >= end || offset < (next.get(name) ?? 0n)) continue;
            take({ topic, partition }, message);
            next.set(name, offset + 1n);
            resolveOffset(message.offset);
          }
          await heartbeat();
        },
      }),
    ]);
  } finally {
    clearInterval(looking);
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
