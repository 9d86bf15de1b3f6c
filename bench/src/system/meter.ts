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
let ends = 0;
let executed = 0;

const calls = {
  /** Fulfilled when partitions are assigned; everything from their beginning will be read. */
  async watch({ access, group, topics }: { access: KafkaAccess; group: string; topics: string[] }): Promise<void> {
    const consumer = kafkaOf(access).consumer({
      groupId: group,
      // Answered as soon as there is any event. While there is none, the broker is rarely asked.
      maxWaitTimeInMs: 500,
      minBytes: 1,
      allowAutoTopicCreation: false,
    });
    const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
    await consumer.connect();
    await consumer.subscribe({ topics, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      partitionsConsumedConcurrently: 4,
      eachBatch: async ({ batch }) => {
        const at = now();
        for (const { headers, value } of batch.messages) note(at, headers, value);
      },
    });
    await joined;
  },

  progress: (): Progress => ({ ends, executed }),

  /** Everything about the chains whose id begins with this. */
  report: (prefix: string): Chain[] => [...chains.values()].filter((chain) => chain.id.startsWith(prefix)),
};

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
