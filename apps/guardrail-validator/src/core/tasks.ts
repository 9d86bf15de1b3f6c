import { type TaskAssigned, topics } from '@countersign/contracts';
import { taskFact } from '@countersign/gate';

/** The topic of the tasks that the orchestrator assigns. */
export const tasksAssigned = 'tasks.assigned.v1';

/** How the tasks that proposals name are looked up. */
export const taskLookup = {
  topic: topics.tasksAssigned,
  key: ({ taskId }: TaskAssigned): string => taskId,
  value: taskFact,
} as const;

/**
 * How long a proposal may name a task after the task was read. A sequence lasts at most a year, as `countersign policy check`
 * ensures. Its last message may wait for a person and for its send time, at most thirty days each.
 */
export const taskRetentionMs = (365 + 60) * 86_400_000;
