import type { TaskAssigned } from '@countersign/contracts';
import type { Runtime, Tx } from '@countersign/runtime';
import { factsOf, profileKeysOf } from '../core/facts.js';

/** Facts of tasks, or why a task cannot be planned: one read of profiles and one of the policy for all of them. */
export async function readFacts(
  runtime: Pick<Runtime, 'state'>,
  tx: Tx,
  tasks: readonly TaskAssigned[],
): Promise<ReadonlyMap<string, ReturnType<typeof factsOf>>> {
  const profiles = await runtime.state<'ProfileChanged'>(tx, 'profiles.v1', [...new Set(tasks.flatMap(profileKeysOf))]);
  const policies = await runtime.state<'PolicyPublished'>(tx, 'policies.v1', ['main']);
  const policy = policies.get('main')?.data?.content ?? null;
  return new Map(tasks.map((task) => [task.taskId, factsOf(task, profiles, policy)]));
}
