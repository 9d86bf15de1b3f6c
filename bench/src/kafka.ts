import {
  type Consumer,
  type EachBatchPayload,
  type Kafka,
  type KafkaMessage,
  kafkajs,
  type Producer,
} from '@countersign/kafka';
import type { KafkaAccess } from '@countersign/testing';

/** Events handled, and published, together. */
export const together = 500;

/** A client with the settings that plain programs of the benchmark share. */
export const kafkaOf = (access: KafkaAccess): Kafka =>
  new kafkajs.Kafka({ ...access, logLevel: kafkajs.logLevel.NOTHING });

/** A connected producer, to be used with `acks: -1`. Between two tries it waits for a second at most. */
export async function producerOf(kafka: Kafka): Promise<Producer> {
  const producer = kafka.producer({
    retry: { maxRetryTime: 1_000 },
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    allowAutoTopicCreation: false,
    maxInFlightRequests: 5,
  });
  await producer.connect();
  return producer;
}

export interface Reading {
  /** Stops reading, until `resume`. */
  pause(): void;
  resume(): void;
}

/**
 * Reads a topic from its beginning as the only member of a group: at most `slice` messages of one partition at a time, four
 * partitions in parallel, offsets committed once a second. Fulfilled when partitions are assigned. An error from which kafkajs does
 * not recover ends the process.
 */
export async function read(options: {
  readonly kafka: Kafka;
  readonly topic: string;
  readonly group: string;
  readonly slice?: number;
  readonly handle: (messages: readonly KafkaMessage[], partition: number) => Promise<void> | void;
}): Promise<Reading> {
  const { kafka, topic, group, slice = together, handle } = options;
  const consumer = kafka.consumer({
    groupId: group,
    maxWaitTimeInMs: 50,
    minBytes: 1,
    allowAutoTopicCreation: false,
    // Kafka's own default is 1 MB: less than a slice of 1,000 events.
    maxBytesPerPartition: 2 * 2 ** 20,
  });
  const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    // A new broker needs a moment until it coordinates groups. kafkajs asks again.
    if (!payload.restart) fail(payload.error);
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const handled = new Map<number, string>();
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    partitionsConsumedConcurrently: 4,
    async eachBatch({ batch, resolveOffset, heartbeat, isRunning, isStale }: EachBatchPayload) {
      for (let from = 0; from < batch.messages.length && isRunning() && !isStale(); from += slice) {
        const messages = batch.messages.slice(from, from + slice);
        await handle(messages, batch.partition);
        const last = messages.at(-1)?.offset ?? '0';
        resolveOffset(last);
        handled.set(batch.partition, String(BigInt(last) + 1n));
        await heartbeat();
      }
    },
  });
  await joined;
  setInterval(() => void commit(consumer, topic, handled), 1_000);
  return { pause: () => consumer.pause([{ topic }]), resume: () => consumer.resume([{ topic }]) };
}

async function commit(consumer: Consumer, topic: string, handled: Map<number, string>): Promise<void> {
  const offsets = [...handled].map(([partition, offset]) => ({ topic, partition, offset }));
  handled.clear();
  if (offsets.length > 0) await consumer.commitOffsets(offsets).catch(fail);
}

function fail(error: Error): never {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
