import { randomUUID } from 'node:crypto';
import { endsOf } from '@countersign/client';
import { type Event, readEvent, type Topic, toBinary, topicNamed } from '@countersign/contracts';
import type { Kafka } from '@countersign/kafka';
import { keyOf } from './mapping.js';
import type { Outcome, Wire } from './replay.js';

const outcomes = ['signals.accepted.v1', 'signals.rejected.v1', 'signal-ingestion.dead-letters.v1'];

/**
 * A wire over Kafka: publishes as the source of this name, hears as `console`. It listens from the ends that the topics
 * have when it opens, so no outcome of what is published later is missed, and tells each event once, however often it is read.
 */
export async function kafkaWire(
  source: string,
  topics: readonly Topic[],
  upstream: Kafka,
  console: Kafka,
): Promise<Wire & { close(): Promise<void> }> {
  const inbound = topicNamed(`signals.inbound.${source}.v1`, topics).name;
  const readTopics = outcomes.map((name) => topicNamed(name, topics));
  const producer = upstream.producer({ allowAutoTopicCreation: false });
  const consumer = console.consumer({ groupId: `console.replay.${randomUUID()}`, maxWaitTimeInMs: 100 });
  const listeners: ((outcome: Outcome) => void)[] = [];
  const seen = new Set<string>();
  const close = async (): Promise<void> => {
    await Promise.allSettled([producer.disconnect(), consumer.disconnect()]);
  };
  try {
    const ends = await endsOf(console, readTopics);
    await Promise.all([producer.connect(), consumer.connect()]);
    await consumer.subscribe({ topics: readTopics.map(({ name }) => name) });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        const topic = topicNamed(batch.topic, topics);
        for (const message of batch.messages) {
          const read = readEvent(topic, message);
          if (!read.ok || seen.has(read.event.id)) continue;
          seen.add(read.event.id);
          const outcome = outcomeOf(read.event as Event, inbound);
          if (outcome) for (const listen of listeners) listen(outcome);
        }
      },
    });
    for (const end of ends) consumer.seek(end);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    publish: async (signals) => {
      await producer.send({
        topic: inbound,
        acks: -1,
        messages: signals.map((s) => ({ key: keyOf(s), ...toBinary(s) })),
      });
    },
    onOutcome: (listen) => {
      listeners.push(listen);
    },
    close,
  };
}

function outcomeOf(event: Event, inbound: string): Outcome | undefined {
  switch (event.type) {
    case 'SignalAccepted':
      return { as: 'accepted', id: event.data.signalId, triggers: event.data.triggers };
    case 'SignalRejected':
      return event.data.signalId === undefined
        ? undefined
        : { as: 'rejected', id: event.data.signalId, code: event.data.reasons[0]?.code ?? 'unknown' };
    case 'DeadLetter':
      return event.data.topic === inbound && event.data.id !== undefined
        ? { as: 'dead-letter', id: event.data.id }
        : undefined;
    default:
      return undefined;
  }
}
