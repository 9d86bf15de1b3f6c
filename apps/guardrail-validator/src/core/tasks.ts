import { type TaskAssigned, topics } from '@countersign/contracts';
import { taskFact } from '@countersign/gate';

/** The topic of the tasks that the orchestrator assigns. */
export const tasksAssigned = 'tasks.assigned.v1';

/** How the tasks are kept that proposals name. */
export const taskLookup = {
  topic: topics.tasksAssigned,
  key: ({ taskId }: TaskAssigned): string => taskId,
  value: taskFact,
} as const;

/**
 * How long a task may be named after it was read: a sequence that it began lasts a year at most, as `countersign policy check` says, and
 * its last message waits for a person and for its send time, thirty days at most each.
 */
export const taskRetentionMs = (365 + 60) * 86_400_000;
