import { type Envelope, fromKafka, schemaOf, type Topic } from '@countersign/contracts';
import { boundFetches, type KafkaConfig, kafkajs, untilLed } from '@countersign/kafka';

/** An event as a program sees it that only reads the topics. */
export interface Observed extends Envelope<string, Record<string, unknown>> {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  /** When its writer sent it, by the writer's clock, in milliseconds. */
  readonly sentAt: number;
}

export interface Observation {
  /** Everything that was read so far, including events of earlier starts. */
  readonly events: readonly Observed[];
  /** Called at each event read from now on. */
  onEvent(listener: (event: Observed) => void): void;
  stop(): Promise<void>;
}

boundFetches();

/**
 * Reads topics from their beginning in a consumer group of its own, with the rights of the console's principal. Resolves when
 * everything that was there at the call has been read. So the caller can distinguish the events of an earlier start from later
 * ones.
 */
export async function observe(
  kafka: Pick<KafkaConfig, 'brokers' | 'sasl'>,
  group: string,
  topics: readonly Topic[],
): Promise<Observation> {
  const client = new kafkajs.Kafka({ clientId: 'start', ...kafka, logLevel: kafkajs.logLevel.NOTHING });
  const consumer = client.consumer({ groupId: group, maxWaitTimeInMs: 100, allowAutoTopicCreation: false });
  const events: Observed[] = [];
  const listeners: ((event: Observed) => void)[] = [];
  // Nothing is committed. If a group loses its session, it reads from the beginning again, and no event may be counted twice.
  const readTo = new Map<string, bigint>();
  const unread = await endsOf(client, topics);
  let caughtUp: () => void = () => undefined;
  const history = new Promise<void>((resolve) => {
    caughtUp = resolve;
  });
  if (unread.size === 0) caughtUp();
  // It comes after every batch, even if a batch has nothing to pass on (markers of transactions, aborted records).
  consumer.on('consumer.end_batch_process', ({ payload: { topic, partition, lastOffset } }) => {
    const place = `${topic}/${partition}`;
    if (BigInt(lastOffset) + 1n >= (unread.get(place) ?? 0n)) unread.delete(place);
    if (unread.size === 0) caughtUp();
  });
  await consumer.connect();
  await consumer.subscribe({ topics: topics.map((t) => t.name), fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    partitionsConsumedConcurrently: 8,
    eachBatch: async ({ batch, resolveOffset, heartbeat }) => {
      for (const message of batch.messages) {
        const place = `${batch.topic}/${batch.partition}`;
        if (BigInt(message.offset) < (readTo.get(place) ?? 0n)) continue;
        readTo.set(place, BigInt(message.offset) + 1n);
        const read = fromKafka(message);
        if (!read.ok) continue;
        const event = {
          ...(read.event as Envelope<string, Record<string, unknown>>),
          data: asOfToday(read.event),
          topic: batch.topic,
          partition: batch.partition,
          offset: message.offset,
          sentAt: Number(message.timestamp),
        };
        events.push(event);
        for (const listener of listeners) listener(event);
        resolveOffset(message.offset);
      }
      await heartbeat();
    },
  });
  await history;
  return {
    events,
    onEvent: (listener) => {
      listeners.push(listener);
    },
    stop: () => consumer.disconnect(),
  };
}

/** The end of each partition that is not empty, as `topic/partition`. */
async function endsOf(client: kafkajs.Kafka, topics: readonly Topic[]): Promise<Map<string, bigint>> {
  const admin = client.admin();
  await admin.connect();
  try {
    const ends = await Promise.all(
      topics.map(async ({ name }) =>
        (await untilLed(() => admin.fetchTopicOffsets(name)))
          .filter(({ low, high }) => low !== high)
          .map(({ partition, high }) => [`${name}/${partition}`, BigInt(high)] as const),
      ),
    );
    return new Map(ends.flat());
  } finally {
    await admin.disconnect();
  }
}

/** The data of an event under its present names, if an earlier version of a service wrote it; unchanged if it breaks its contract. */
function asOfToday({ type, data }: { readonly type: string; readonly data: unknown }): Record<string, unknown> {
  const read = schemaOf(type)?.safeParse(data);
  return (read?.success ? read.data : data) as Record<string, unknown>;
}
