import { type Admin, type Kafka, noLeaderYet } from '@countersign/kafka';
import type { Limits } from '../api/limits.js';
import { backoff } from '../failures.js';
import { type RawRecord, refusalOf } from './entries.js';

/**
 * Asks again while a broker that has just started does not lead its partitions yet, because kafkajs does not do so. Throws the
 * last error.
 */
export async function whenLed<R>(
  limits: Pick<Limits, 'backoffMs' | 'backoffMaxMs'>,
  ask: () => Promise<R>,
): Promise<R> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      if (!noLeaderYet(error) || attempt >= 20) throw error;
      await new Promise((resolve) => setTimeout(resolve, backoff(attempt, limits.backoffMs, limits.backoffMaxMs)));
    }
  }
}

/**
 * Hands over every record of the topics, from the beginning or from `from`, up to the ends at the time of the call. Each slice of
 * a partition comes in order. The group commits nothing. Resolves to where each partition was read to, by `topic/partition`.
 * Throws what `take` throws, and if the broker cannot be read.
 */
export async function readToEnds(deps: {
  readonly kafka: Kafka;
  readonly admin: Admin;
  readonly groupId: string;
  readonly topics: readonly string[];
  /** Where partitions begin, by `topic/partition`; absent: at their beginnings. */
  readonly from?: ReadonlyMap<string, string>;
  readonly limits: Limits;
  readonly take: (topic: string, records: readonly RawRecord[]) => Promise<void>;
  readonly log: { log(message: string): void };
}): Promise<ReadonlyMap<string, string>> {
  const reached = new Map<string, string>();
  const open = new Map<string, bigint>();
  for (const topic of deps.topics) {
    for (const { partition, low, high } of await whenLed(deps.limits, () => deps.admin.fetchTopicOffsets(topic))) {
      reached.set(`${topic}/${partition}`, high);
      if (BigInt(deps.from?.get(`${topic}/${partition}`) ?? low) < BigInt(high))
        open.set(`${topic}/${partition}`, BigInt(high));
    }
  }
  if (open.size === 0) return reached;
  const filled = deps.topics.filter((topic) => [...open.keys()].some((name) => name.startsWith(`${topic}/`)));
  const consumer = deps.kafka.consumer({ groupId: deps.groupId, maxWaitTimeInMs: 100 });
  const progressTimer = setInterval(() => {
    deps.log.log(`still reading what was published before: ${[...open.keys()].join(', ')}`);
  }, 10_000);
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [...filled], fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      let crashes = 0;
      consumer.on(consumer.events.CRASH, ({ payload }) => {
        // kafkajs restarts by itself if that may help.
        if (!payload.restart || ++crashes === 5) reject(payload.error);
      });
      consumer.on(consumer.events.GROUP_JOIN, () => {
        for (const [place, offset] of deps.from ?? []) {
          const at = place.lastIndexOf('/');
          const topic = place.slice(0, at);
          if (open.has(place)) consumer.seek({ topic, partition: Number(place.slice(at + 1)), offset });
        }
      });
      // Not in `eachBatch`, because kafkajs does not call it for a slice that holds only the markers of a transaction.
      consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { topic, partition, lastOffset } }) => {
        const name = `${topic}/${partition}`;
        if (BigInt(lastOffset) + 1n >= (open.get(name) ?? 0n)) open.delete(name);
        if (open.size === 0) resolve();
      });
      consumer
        .run({
          autoCommit: false,
          eachBatch: async ({ batch: { topic, partition, messages }, heartbeat }) => {
            const end = open.get(`${topic}/${partition}`);
            if (end === undefined) return;
            const within = messages.filter(({ offset }) => BigInt(offset) < end);
            try {
              await deps.take(
                topic,
                within.map((message) => {
                  const { offset, key, value, headers, timestamp } = message;
                  return { partition, offset, key, value, headers, timestamp, ...refusalOf(message) };
                }),
              );
            } catch (error) {
              reject(error);
              throw error;
            }
            await heartbeat();
          },
        })
        .catch(reject);
    });
  } finally {
    clearInterval(progressTimer);
    await consumer.disconnect().catch(() => undefined);
  }
  return reached;
}
