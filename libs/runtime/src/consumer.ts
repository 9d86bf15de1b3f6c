import type { Consumer, Kafka } from 'kafkajs';
import { backoff, describe, isTransient } from './failures.js';
import type { RawRecord } from './inbox.js';
import type { Limits } from './limits.js';

export interface ConsumerOptions {
  readonly kafka: Kafka;
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly limits: Limits;
  /** Longest hold of a fetch, where it differs from the limits: a reader that may lag gathers more. */
  readonly fetchWaitMs?: number;
  readonly minBytes?: number;
  /** Handles a slice of one partition. When it throws, the same records come again after a pause. */
  readonly handle: (topic: string, partition: number, records: readonly RawRecord[]) => Promise<void>;
  readonly log: { log(message: string): void; warn(message: string): void; error(message: string): void };
}

export interface RunningConsumer {
  /** `running`: member of its group. `rebuilding`: it crashed and is being made anew. */
  readonly state: () => 'starting' | 'running' | 'rebuilding' | 'stopped';
  /** Partitions that are paused because handling failed, with the error. */
  readonly paused: () => Readonly<Record<string, string>>;
  /** No new batch; waits for those in work, commits, leaves the group. */
  readonly stop: () => Promise<void>;
}

/**
 * A kafkajs consumer that never skips: a slice that fails pauses its partition and comes again with back-off; handled
 * offsets are committed lazily, since the inbox makes a repeat harmless; after a crash that kafkajs does not mend, a new one is built.
 */
export async function consume(options: ConsumerOptions): Promise<RunningConsumer> {
  const { kafka, groupId, topics, limits, handle, log } = options;
  let state: 'starting' | 'running' | 'rebuilding' | 'stopped' = 'starting';
  let consumer: Consumer;
  let committing: NodeJS.Timeout | undefined;
  const handled = new Map<string, { topic: string; partition: number; offset: string }>();
  const failures = new Map<string, { count: number; says: string; timer?: NodeJS.Timeout }>();
  const inWork = new Set<Promise<void>>();

  const commit = async (): Promise<void> => {
    const offsets = [...handled.values()];
    handled.clear();
    if (offsets.length === 0) return;
    try {
      await consumer.commitOffsets(offsets);
    } catch (error) {
      // A rebalance fences a stale commit. The offsets stand or come again, and the inbox drops the repeat.
      log.log(`${groupId}: offsets not committed (${describe(error).says})`);
    }
  };

  const build = async (): Promise<void> => {
    consumer = kafka.consumer({
      groupId,
      sessionTimeout: limits.sessionMs,
      heartbeatInterval: Math.max(500, Math.floor(limits.sessionMs / 4)),
      rebalanceTimeout: limits.sessionMs * 2,
      maxBytesPerPartition: limits.fetchBytes,
      minBytes: options.minBytes ?? 1,
      maxWaitTimeInMs: options.fetchWaitMs ?? limits.fetchWaitMs,
      allowAutoTopicCreation: false,
      retry: { retries: 6, initialRetryTime: 200, maxRetryTime: 2_000, restartOnFailure: async () => true },
    });
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      state = 'running';
      // Offsets of partitions that went to another instance are not ours to commit any more.
      for (const [name, { topic, partition }] of handled) {
        if (!payload.memberAssignment[topic]?.includes(partition)) handled.delete(name);
      }
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      log.error(`${groupId}: consumer crashed: ${describe(payload.error).says}`);
      if (payload.restart || state === 'stopped') return;
      state = 'rebuilding';
      void rebuild(0);
    });
    await consumer.connect();
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: limits.partitionsAtOnce,
      eachBatch: ({ batch, resolveOffset, heartbeat, pause, isRunning, isStale }) => {
        const work = (async () => {
          const name = `${batch.topic}/${batch.partition}`;
          for (let from = 0; from < batch.messages.length; from += limits.batchEvents) {
            if (!isRunning() || isStale() || state === 'stopped') return;
            const slice = batch.messages.slice(from, from + limits.batchEvents);
            const records = slice.map(({ offset, key, value, headers }) => ({
              partition: batch.partition,
              offset,
              key,
              value,
              headers,
            }));
            try {
              await handle(batch.topic, batch.partition, records);
            } catch (error) {
              const before = failures.get(name);
              const count = (before?.count ?? 0) + 1;
              const wait = backoff(count - 1, limits.backoffMs, limits.backoffMaxMs);
              const says = describe(error).says;
              log[isTransient(error) ? 'warn' : 'error'](`${name}: paused for ${wait} ms: ${says}`);
              const resume = pause();
              const timer = setTimeout(() => {
                try {
                  resume();
                } catch {
                  // The partition went to another instance meanwhile.
                }
              }, wait);
              failures.set(name, { count, says, timer });
              return;
            }
            failures.delete(name);
            const last = slice.at(-1)?.offset ?? '0';
            resolveOffset(last);
            handled.set(name, { topic: batch.topic, partition: batch.partition, offset: String(BigInt(last) + 1n) });
            await heartbeat();
          }
        })();
        inWork.add(work);
        return work.finally(() => inWork.delete(work));
      },
    });
  };

  const rebuild = async (attempt: number): Promise<void> => {
    if (state === 'stopped') return;
    await consumer.disconnect().catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, backoff(attempt, limits.backoffMs, limits.backoffMaxMs)));
    if ((state as string) === 'stopped') return;
    try {
      await build();
      log.log(`${groupId}: consumer rebuilt`);
    } catch (error) {
      log.warn(`${groupId}: cannot rebuild the consumer yet: ${describe(error).says}`);
      await rebuild(attempt + 1);
    }
  };

  await build();
  committing = setInterval(() => void commit(), limits.commitEveryMs);
  return {
    state: () => state,
    paused: () => Object.fromEntries([...failures].map(([name, { says }]) => [name, says])),
    stop: async () => {
      state = 'stopped';
      clearInterval(committing);
      for (const { timer } of failures.values()) clearTimeout(timer);
      await Promise.allSettled([...inWork]);
      await commit();
      await consumer
        .disconnect()
        .catch((error: unknown) => log.warn(`${groupId}: did not leave cleanly: ${describe(error).says}`));
    },
  };
}
