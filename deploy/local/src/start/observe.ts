import { type Envelope, fromKafka, type Topic } from '@countersign/contracts';
import kafkajs, { type KafkaConfig } from 'kafkajs';

/** An event as somebody who only reads the topics sees it. */
export interface Observed extends Envelope<string, Record<string, unknown>> {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
}

export interface Observation {
  /** Everything read so far, earlier starts included. */
  readonly events: readonly Observed[];
  /** Called at each event read from now on. */
  onEvent(listener: (event: Observed) => void): void;
  stop(): Promise<void>;
}

/** Reads topics from their beginning in a consumer group of its own, as the console's principal may. */
export async function observe(
  kafka: Pick<KafkaConfig, 'brokers' | 'sasl'>,
  group: string,
  topics: readonly Topic[],
): Promise<Observation> {
  const client = new kafkajs.Kafka({ clientId: 'start', ...kafka, logLevel: kafkajs.logLevel.NOTHING });
  const consumer = client.consumer({ groupId: group, maxWaitTimeInMs: 100, allowAutoTopicCreation: false });
  const events: Observed[] = [];
  const listeners: ((event: Observed) => void)[] = [];
  await consumer.connect();
  await consumer.subscribe({ topics: topics.map((t) => t.name), fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    partitionsConsumedConcurrently: 8,
    eachBatch: async ({ batch, resolveOffset, heartbeat }) => {
      for (const message of batch.messages) {
        const read = fromKafka(message);
        if (!read.ok) continue;
        const event = {
          ...(read.event as Envelope<string, Record<string, unknown>>),
          topic: batch.topic,
          partition: batch.partition,
          offset: message.offset,
        };
        events.push(event);
        for (const listener of listeners) listener(event);
        resolveOffset(message.offset);
      }
      await heartbeat();
    },
  });
  return {
    events,
    onEvent: (listener) => {
      listeners.push(listener);
    },
    stop: () => consumer.disconnect(),
  };
}
