import { createRequire } from 'node:module';

interface FetchedBatch {
  readonly rawMessages: readonly unknown[];
}

/** What is used here of a consumer of kafkajs. */
interface ConsumerGroup {
  readonly groupId: string;
  maxWaitTime: number;
  paused(): readonly unknown[];
  fetch(nodeId: number): Promise<readonly FetchedBatch[]>;
}

/** How long a fetch may wait while a partition of its consumer is paused: the partition is fetched again only with the next fetch. */
const pausedWaitMs = 250;

/** What ends a waiting fetch early, by the id of its group. */
const waiting = new Map<string, Set<() => void>>();
const changed = new WeakSet<ConsumerGroup>();

/**
 * Makes an idle consumer of kafkajs 2.2.4 cheap, so that a fetch may wait long for news:
 *
 * - Batches without any record are dropped. The broker answers for every partition of a fetch, and kafkajs takes each empty answer
 *   through its queue, only to send a heartbeat after it. A batch of markers or aborted records stays, because its offset moves.
 * - While a partition is paused, a fetch waits for at most a quarter of a second.
 * - `endFetches` ends the waiting fetches of a group that stops. kafkajs would wait for their answers first.
 *
 * Repeated calls are harmless.
 */
export function idleFetches(): void {
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/consumer/consumerGroup.js') as {
    readonly prototype: ConsumerGroup;
  };
  if (changed.has(prototype)) return;
  changed.add(prototype);
  const { fetch } = prototype;
  const longest = new WeakMap<ConsumerGroup, number>();
  prototype.fetch = async function (this: ConsumerGroup, nodeId: number) {
    const waitMs = longest.get(this) ?? this.maxWaitTime;
    longest.set(this, waitMs);
    this.maxWaitTime = this.paused().length > 0 ? Math.min(waitMs, pausedWaitMs) : waitMs;
    const { ended, over } = untilEnded(this.groupId);
    try {
      // An answer that comes after the end is lost with its consumer, as if it had never been fetched.
      const batches = await Promise.race([fetch.call(this, nodeId), ended]);
      return batches.filter(({ rawMessages }) => rawMessages.length > 0);
    } finally {
      over();
    }
  };
}

/** Ends the waiting fetches of every consumer of a group in this process. A consumer that goes on fetches again at once. */
export function endFetches(groupId: string): void {
  for (const end of waiting.get(groupId) ?? []) end();
}

function untilEnded(groupId: string): { readonly ended: Promise<readonly FetchedBatch[]>; readonly over: () => void } {
  const ends = waiting.get(groupId) ?? new Set();
  waiting.set(groupId, ends);
  let end = (): void => undefined;
  const ended = new Promise<readonly FetchedBatch[]>((resolve) => {
    end = () => resolve([]);
  });
  ends.add(end);
  const over = (): void => {
    ends.delete(end);
    if (ends.size === 0 && waiting.get(groupId) === ends) waiting.delete(groupId);
  };
  return { ended, over };
}
