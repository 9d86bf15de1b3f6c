import { setTimeout as sleep } from 'node:timers/promises';

/** Names of errors of Kafka's protocol that disappear when the broker has recovered. */
const passing: ReadonlySet<unknown> = new Set([
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'GROUP_LOAD_IN_PROGRESS',
]);

/**
 * Whether a broker that has just started, or is very busy, does not lead the partition or the group yet. Then ask again. kafkajs
 * asks a few times by itself, and then gives up with an error of its own that hides the reason in `cause`.
 */
export function noLeaderYet(error: unknown): boolean {
  const { name, retriable, cause, type } = error as Partial<Record<'name' | 'retriable' | 'cause' | 'type', unknown>>;
  if (name === 'KafkaJSNumberOfRetriesExceeded') return passing.has((cause as { type?: unknown } | undefined)?.type);
  // kafkajs gives up on a group whose coordinator is not elected yet.
  return retriable === true || passing.has(type) || name === 'KafkaJSGroupCoordinatorNotFound';
}

/** How long a broker may need to learn of a topic or to lead its partitions, in milliseconds. */
const patienceMs = 30_000;

/** Asks again every `everyMs` milliseconds, for half a minute, while `passes` says that the error is temporary. Throws the last error. */
export async function askAgain<R>(
  ask: () => Promise<R>,
  passes: (error: unknown) => boolean,
  everyMs: number,
): Promise<R> {
  for (const began = performance.now(); ; await sleep(everyMs)) {
    try {
      return await ask();
    } catch (error) {
      if (!passes(error) || performance.now() - began > patienceMs) throw error;
    }
  }
}

/** Asks again while the broker does not lead the partition yet, for half a minute. Throws the last error. */
export const untilLed = <R>(ask: () => Promise<R>): Promise<R> => askAgain(ask, noLeaderYet, 200);
