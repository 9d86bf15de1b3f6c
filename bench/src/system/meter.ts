import { setTimeout as sleep } from 'node:timers/promises';
import type { IHeaders } from '@countersign/kafka';
import type { KafkaAccess } from '@countersign/testing';
import { now } from '../floors/event.js';
import { kafkaOf } from '../kafka.js';
import { serve } from '../worker.js';

/*
 * Records when events arrive, in a process of its own, so that other work in the same event loop cannot make them seem late. It
 * parses nothing, and stores for each event its chain, its end, and its time.
 */

/** One chain: the `correlationid` that its first signal or proposal gave it. */
export interface Chain {
  readonly id: string;
  /** When its first end arrived, in milliseconds of the clock that all processes share. */
  at: number;
  /** Its ends in their order: an outcome of a settlement, else the type of an event. */
  readonly ends: string[];
}
/** The number of all ends, and how many of them are settlements of actions that were carried out. */
export interface Progress {
  readonly ends: number;
  readonly executed: number;
}

const outcome = /"outcome":"([a-z]+)"/;
const chains = new Map<string, Chain>();
/** Where reading goes on, by topic and partition. Nothing is committed: after a crash, what was read must not come again. */
const positions = new Map<string, { readonly topic: string; readonly partition: number; readonly offset: string }>();
let ends = 0;
let executed = 0;
let consumers = 0;

const calls = {
  /** Fulfilled when partitions are assigned; everything from their beginning will be read. */
  async watch(source: Source): Promise<void> {
    const joined = Promise.withResolvers<void>();
    await consume(source, joined.resolve);
    await joined.promise;
  },

  progress: (): Progress => ({ ends, executed }),

  /** Everything about the chains whose id begins with this. */
  report: (prefix: string): Chain[] => [...chains.values()].filter((chain) => chain.id.startsWith(prefix)),

  /** Everything since the last call, which is then forgotten: a long measurement would hold too much. */
  take(): Chain[] {
    const taken = [...chains.values()];
    chains.clear();
    return taken;
  },
};

interface Source {
  readonly access: KafkaAccess;
  readonly group: string;
  readonly topics: readonly string[];
}

/**
 * After a crash, a new consumer goes on in a group of its own. In the old group it would wait until the session of the crashed one
 * ends, and its own delay would count as one of the system.
 */
async function consume(source: Source, onJoin: () => void): Promise<void> {
  const consumer = kafkaOf(source.access).consumer({
    groupId: `${source.group}.${++consumers}`,
    retry: { retries: 2, maxRetryTime: 1_000, restartOnFailure: async () => false },
    // Answered as soon as there is any event. While there is none, the broker is rarely asked.
    maxWaitTimeInMs: 500,
    minBytes: 1,
    allowAutoTopicCreation: false,
  });
  consumer.on(consumer.events.GROUP_JOIN, () => {
    for (const position of positions.values()) consumer.seek(position);
    onJoin();
  });
  consumer.on(consumer.events.CRASH, () => void consumeAgain(source, onJoin));
  await consumer.connect();
  await consumer.subscribe({ topics: [...source.topics], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    partitionsConsumedConcurrently: 4,
    eachBatch: async ({ batch }) => {
      const at = now();
      const { topic, partition } = batch;
      const from = Number(positions.get(`${topic}/${partition}`)?.offset ?? 0);
      for (const { headers, offset, value } of batch.messages) if (Number(offset) >= from) note(at, headers, value);
      positions.set(`${topic}/${partition}`, { topic, partition, offset: String(BigInt(batch.lastOffset()) + 1n) });
    },
  });
}

async function consumeAgain(source: Source, onJoin: () => void): Promise<void> {
  for (;;) {
    await sleep(500);
    try {
      return await consume(source, onJoin);
    } catch {
      // The broker is not back yet.
    }
  }
}

function note(at: number, headers: IHeaders | undefined, value: Buffer | null): void {
  const id = headers?.ce_correlationid?.toString();
  if (id === undefined) return;
  const type = String(headers?.ce_type);
  const end = type === 'ActionSettled' ? (outcome.exec(value?.toString('latin1') ?? '')?.[1] ?? type) : type;
  ends++;
  if (end === 'executed') executed++;
  const chain = chains.get(id);
  if (chain) chain.ends.push(end);
  else chains.set(id, { id, at, ends: [end] });
}

export type MeterCalls = typeof calls;
serve(calls);
