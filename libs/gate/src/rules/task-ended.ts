import { taskGraceMs } from '@countersign/contracts';
import { pass, type Rule, refuse } from '../rule.js';

/**
 * A task must be answered by its due time. An answer that was made in time may reach the broker up to a day later; its own time
 * counts, so a standstill makes no answer late. The messages of a sequence come after the due time: their enrolment counts
 * instead.
 */
export const taskEnded: Rule = {
  name: 'task-ended',
  weigh: ({ proposal: { taskId }, subject, facts: { task, takenAt, review } }) => {
    if (!task || subject.sequence?.step) return undefined;
    if (review) return pass('the time was looked at before a person was asked');
    if (takenAt === undefined) throw new Error('the time at which the broker took it is not among the facts');
    const { dueAt } = task;
    const late = Date.parse(takenAt) > Date.parse(dueAt) + taskGraceMs;
    return late
      ? refuse(
          `task ${taskId} was due at ${dueAt} and took proposals for ${taskGraceMs / 3_600_000} hours more; this one came at ${takenAt}: propose under a task that is open`,
          { dueAt, takenAt },
        )
      : pass(`it came at ${takenAt} under a task due at ${dueAt}`, { dueAt, takenAt });
  },
};
