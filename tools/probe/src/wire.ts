import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { endsOf } from '@countersign/client';
import {
  type DataOf,
  type Event,
  type EventType,
  readEvent,
  type Topic,
  toBinary,
  topicNamed,
} from '@countersign/contracts';
import type { Kafka, Producer } from '@countersign/kafka';

/** The topics on which the console sees what comes of a write. */
const heardOf = (topics: readonly Topic[]): readonly Topic[] =>
  topics.filter(
    ({ name, readers }) =>
      readers.includes('console') && /^(signals\.(accepted|rejected)|actions\.|.*\.dead-letters\.v1$)/.test(name),
  );

/** Where a record was written, or the broker's refusal. */
export type Sent =
  | { readonly topic: string; readonly partition: number; readonly offset: string }
  | { readonly refused: string };

export interface Heard<T extends EventType = EventType> {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly key: string;
  readonly event: Event<T>;
}

/** Writes as any principal, and hears as the console what comes of it. */
export interface Wire {
  send(principal: string, topic: string, key: string, event: Parameters<typeof toBinary>[0]): Promise<Sent>;
  /** The events of a type since the wire opened, each id once. */
  eventsOf<T extends EventType>(type: T, pick: (data: DataOf<T>) => boolean): Heard<T>[];
  /** Looks until something is found; undefined when the patience is over. */
  until<T>(find: () => T | undefined, patienceMs: number): Promise<T | undefined>;
  close(): Promise<void>;
}

/** kafkajs wraps what the broker answered. */
interface Caused {
  readonly type?: string;
  readonly cause?: Caused;
}

export async function probeWire(as: (principal: string) => Kafka, topics: readonly Topic[]): Promise<Wire> {
  const readTopics = heardOf(topics);
  const kafka = as('console');
  const consumer = kafka.consumer({ groupId: `console.probe.${randomUUID()}`, maxWaitTimeInMs: 100 });
  const producers = new Map<string, Promise<Producer>>();
  const events = new Map<string, Heard>();
  const close = async (): Promise<void> => {
    const made = await Promise.allSettled(producers.values());
    await Promise.allSettled([
      consumer.disconnect(),
      ...made.flatMap((p) => (p.status === 'fulfilled' ? [p.value.disconnect()] : [])),
    ]);
  };
  const producerOf = async (principal: string): Promise<Producer> => {
    const producer = as(principal).producer({ allowAutoTopicCreation: false });
    await producer.connect();
    return producer;
  };
  try {
    const ends = await endsOf(kafka, readTopics);
    await consumer.connect();
    await consumer.subscribe({ topics: readTopics.map(({ name }) => name) });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch: { topic, partition, messages } }) => {
        for (const message of messages) {
          const read = readEvent(topicNamed(topic, topics), message);
          if (!read.ok) continue;
          const name = `${topic} ${read.event.source} ${read.event.id}`;
          if (events.has(name)) continue;
          const key = message.key?.toString() ?? '';
          events.set(name, { topic, partition, offset: message.offset, key, event: read.event as Event });
        }
      },
    });
    for (const end of ends) consumer.seek(end);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    send: async (principal, topic, key, event) => {
      // One for each topic: a producer that once asked for a topic it may not see fails for those that it may, too.
      const name = `${principal} ${topic}`;
      const producer = producers.get(name) ?? producerOf(principal);
      producers.set(name, producer);
      try {
        const [sent] = await (await producer).send({ topic, acks: -1, messages: [{ key, ...toBinary(event) }] });
        return { topic, partition: sent?.partition ?? 0, offset: sent?.baseOffset ?? '' };
      } catch (error) {
        for (let cause = error as Caused | undefined; cause; cause = cause.cause) {
          if (cause.type?.endsWith('AUTHORIZATION_FAILED') || cause.type === 'MESSAGE_TOO_LARGE')
            return { refused: cause.type };
        }
        throw error;
      }
    },
    eventsOf: <T extends EventType>(type: T, pick: (data: DataOf<T>) => boolean) =>
      [...events.values()].filter(
        (h) => h.event.type === type && pick(h.event.data as DataOf<T>),
      ) as unknown as Heard<T>[],
    until: async (find, patienceMs) => {
      const end = Date.now() + patienceMs;
      for (;;) {
        const found = find();
        if (found !== undefined || Date.now() > end) return found;
        await sleep(50);
      }
    },
    close,
  };
}
