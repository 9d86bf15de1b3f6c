import { setTimeout as sleep } from 'node:timers/promises';

/** Names of errors of Kafka's protocol that pass when the broker has come to itself. */
const passing: ReadonlySet<unknown> = new Set([
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'GROUP_LOAD_IN_PROGRESS',
]);

/**
 * Whether a broker that has just started, or is very busy, does not lead the partition or the group yet: ask again. kafkajs asks a few
 * times by itself, and then gives up under a name of its own that hides the reason in `cause`.
 */
export function noLeaderYet(error: unknown): boolean {
  const { name, retriable, cause, type } = error as Partial<Record<'name' | 'retriable' | 'cause' | 'type', unknown>>;
  if (name === 'KafkaJSNumberOfRetriesExceeded') return passing.has((cause as { type?: unknown } | undefined)?.type);
  // kafkajs gives up on a group whose coordinator is not elected yet.
  return retriable === true || passing.has(type) || name === 'KafkaJSGroupCoordinatorNotFound';
}

/** How long a broker may take to lead its partitions, and how often it is asked, in milliseconds. */
const patienceMs = 30_000;
const askEveryMs = 200;

/** Asks again while the broker does not lead the partition yet, for half a minute. Throws what it threw last. */
export async function untilLed<R>(ask: () => Promise<R>): Promise<R> {
  for (const began = performance.now(); ; await sleep(askEveryMs)) {
    try {
      return await ask();
    } catch (error) {
      if (!noLeaderYet(error) || performance.now() - began > patienceMs) throw error;
    }
  }
}
