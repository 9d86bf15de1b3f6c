import type { runStates } from './agents.answers.js';

export type RunState = (typeof runStates)[number];

export interface RunNow {
  readonly tasks: readonly { readonly dueAt: string; readonly outcome: string | null }[];
  readonly checkpoint: { readonly deadline: string; readonly decision: string | null } | null;
}

/**
 * The state of a run. waiting: a person has to agree before its tasks are assigned. not-agreed: nobody agreed in time, or
 * somebody rejected it. running, overdue: tasks have no answer yet. answered: each task has an answer; the outcome of the actions
 * does not count here.
 */
export function runState({ tasks, checkpoint }: RunNow, at: string): RunState {
  if (tasks.length === 0) {
    const open = checkpoint && checkpoint.decision !== 'reject' && checkpoint.deadline > at;
    // If it was agreed to in time, the tasks are on their way.
    return open || checkpoint?.decision === 'approve' ? 'waiting' : 'not-agreed';
  }
  const unanswered = tasks.filter(({ outcome }) => outcome === null);
  if (unanswered.length === 0) return 'answered';
  return unanswered.some(({ dueAt }) => dueAt <= at) ? 'overdue' : 'running';
}
