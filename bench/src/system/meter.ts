import kafkajs from 'kafkajs';
import type { KafkaLogin } from './children.js';

/*
 * Notes when events arrive, in a process of its own: it shares its event loop with nobody who could make them look late. It parses
 * nothing, and keeps of each event its chain, its end, and its time.
 */

export type MeterOrder =
  | { readonly do: 'watch'; readonly kafka: KafkaLogin; readonly group: string; readonly topics: readonly string[] }
  /** Everything of the chains whose id begins so. */
  | { readonly do: 'report'; readonly prefix: string };

/** One chain: the `correlationid` that its first signal or proposal gave it. */
export interface Chain {
  readonly id: string;
  /** When its first end arrived, in milliseconds since 1970. */
  at: number;
  /** Its ends in their order: an outcome of a settlement, else the type of an event. */
  readonly ends: string[];
}
/** Told about twenty times a second: how many ends there were in all, and of them settlements of what was carried out. */
export interface Progress {
  readonly ends: number;
  readonly executed: number;
}

const now = (): number => performance.timeOrigin + performance.now();
const outcome = /"outcome":"([a-z]+)"/;
const chains = new Map<string, Chain>();
let ends = 0;
let executed = 0;

async function follow(order: MeterOrder): Promise<readonly Chain[]> {
  switch (order.do) {
    case 'watch':
      await watch(order);
      return [];
    case 'report':
      return [...chains.values()].filter((chain) => chain.id.startsWith(order.prefix));
  }
}

async function watch({ kafka, group, topics }: MeterOrder & { do: 'watch' }): Promise<void> {
  const client = new kafkajs.Kafka({ clientId: 'bench-meter', ...kafka, logLevel: kafkajs.logLevel.NOTHING });
  const consumer = client.consumer({ groupId: group, maxWaitTimeInMs: 50, minBytes: 1, allowAutoTopicCreation: false });
  const joined = new Promise<void>((resolve) => consumer.on('consumer.group_join', () => resolve()));
  await consumer.connect();
  await consumer.subscribe({ topics: [...topics], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    partitionsConsumedConcurrently: 4,
    eachBatch: async ({ batch }) => {
      const at = now();
      for (const { headers, value } of batch.messages) note(at, headers, value);
    },
  });
  await joined;
  let told = 0;
  setInterval(() => {
    if (told !== ends) process.send?.({ ends, executed });
    told = ends;
  }, 50);
}

function note(at: number, headers: kafkajs.IHeaders | undefined, value: Buffer | null): void {
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

process.on('message', ({ id, order }: { id: number; order: MeterOrder }) => {
  follow(order).then(
    (result) => process.send?.({ id, result }),
    (error: Error) => process.send?.({ id, error: error.message }),
  );
});
process.on('disconnect', () => process.exit());
