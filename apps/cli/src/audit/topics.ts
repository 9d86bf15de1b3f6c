import { randomUUID } from 'node:crypto';
import { type Event, fromKafka, readEvent, sha256, shippedDeployment, topology } from '@countersign/contracts';
import { eventBytes } from '@countersign/record';
import type { Kafka, KafkaMessage } from 'kafkajs';
import { codeOf, Failure } from '../shell/failure.js';
import type { Inbound, Observed, Place, Seen, Written } from './observed.js';

type Read = Pick<Observed, 'seen' | 'inbound' | 'unreadable' | 'written'>;

const inboundTopic = /^signals\.inbound\./;
/** Nobody but the executors may read it, and the recorder for its commitment: looked at for its place only. */
const sealedTopic = 'contact-points.v1';

/** Reads every topic that the recorder may read, up to the ends that they have at the call. Keeps nothing of what is personal. */
export async function readTopics(kafka: Kafka, bootstrap: string): Promise<Read> {
  const named = new Map(topology(shippedDeployment).map((topic) => [topic.name, topic]));
  const admin = kafka.admin();
  const consumer = kafka.consumer({ groupId: `audit-recorder.cli.${randomUUID()}`, maxWaitTimeInMs: 100 });
  const seen: Seen[] = [];
  const inbound: Inbound[] = [];
  const unreadable: { place: Place; fault: { code: string; says: string } }[] = [];
  const written: Written[] = [];

  const take = (place: Place, message: KafkaMessage): void => {
    const record = { key: message.key, headers: message.headers ?? {}, value: message.value };
    written.push({ place, sha256: sha256(eventBytes(record)) });
    if (inboundTopic.test(place.topic)) {
      const read = fromKafka(message);
      inbound.push({ place, source: read.ok ? read.event.source : null, id: read.ok ? read.event.id : null });
      return;
    }
    const topic = named.get(place.topic);
    // A state that was taken away has no value.
    if (!topic || place.topic === sealedTopic || (topic.kind === 'state' && message.value === null)) return;
    const read = readEvent(topic, message);
    if (read.ok) seen.push({ place, event: read.event as Event });
    else unreadable.push({ place, fault: read.fault });
  };

  try {
    await admin.connect();
    // The broker names the topics that this principal may see: sources of this installation are among them.
    const topics = (await admin.listTopics()).filter(
      (name) => !name.startsWith('__') && name !== 'record.checkpoints.v1',
    );
    const awaited = new Map<string, bigint>();
    for (const topic of topics) {
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
        if (BigInt(high) > BigInt(low)) awaited.set(`${topic}/${partition}`, BigInt(high));
      }
    }
    if (awaited.size > 0) {
      await consumer.connect();
      const filled = topics.filter((name) => [...awaited.keys()].some((place) => place.startsWith(`${name}/`)));
      await consumer.subscribe({ topics: filled, fromBeginning: true });
      const next = new Map<string, bigint>();
      await new Promise<void>((resolve, reject) => {
        consumer.on('consumer.crash', ({ payload }) => reject(payload.error));
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
                const at = new Date(Number(message.timestamp)).toISOString();
                take({ topic, partition, offset: message.offset, at }, message);
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
    }
    return { seen, inbound, unreadable, written };
  } catch (error) {
    throw error instanceof Failure
      ? error
      : new Failure(2, `Kafka at ${bootstrap}: ${codeOf(error)}: is \`npm start\` running?`);
  } finally {
    await Promise.allSettled([consumer.disconnect(), admin.disconnect()]);
  }
}
