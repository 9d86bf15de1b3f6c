import { type TaskAssigned, topics } from '@countersign/contracts';
import type { Cause, Work } from '@countersign/runtime';
import { taskKey } from '../core/begin.js';
import { taskDeadline } from './deadlines.job.js';
import { storeTasks } from './runs.repository.js';

/** Gives tasks to their agents, and looks at each again when it is due. */
export function assign(work: Work, given: readonly { readonly task: TaskAssigned; readonly cause: Cause }[]): void {
  storeTasks(
    work.tx,
    given.map(({ task }) => task),
  );
  for (const { task, cause } of given) {
    work.emit(cause, topics.tasksAssigned, { key: taskKey(task), data: task });
    work.schedule(cause, { kind: taskDeadline, id: task.taskId, dueAt: task.dueAt, payload: null });
  }
}
