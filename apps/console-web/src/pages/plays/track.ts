import type { Run } from './plays.queries.js';

export type RunStep = Run['steps'][number];
export type StepState = RunStep['state'];

/** One mark of the track of a run. */
export interface Mark {
  readonly name: string;
  readonly state: StepState;
}

/** The most urgent first. */
const urgency: readonly StepState[] = ['late', 'waits', 'failed', 'here', 'ended', 'done', 'ahead'];

/** A run as a few marks on one line: its tasks, which are given at the same time, are one mark with the most urgent of their states. */
export function trackOf(steps: readonly RunStep[]): readonly Mark[] {
  const tasks = steps.filter(({ kind }) => kind === 'task');
  return steps.flatMap((step): Mark[] => {
    if (step.kind !== 'task') return [{ name: names[step.kind], state: step.state }];
    if (step !== tasks[0]) return [];
    const state = urgency.find((known) => tasks.some((task) => task.state === known)) ?? 'ahead';
    const given = tasks.every(({ agent }) => agent !== null);
    return [{ name: given ? `${tasks.length} ${tasks.length === 1 ? 'task' : 'tasks'}` : 'Tasks', state }];
  });
}

const names = { trigger: 'Start', checkpoint: 'A person', proposals: 'Proposals' } as const;

const open: readonly StepState[] = ['late', 'waits', 'here', 'failed'];

/** The steps that say where the run stands, or how it ended. */
export function currentSteps(steps: readonly RunStep[]): readonly RunStep[] {
  const standing = steps.filter(({ state }) => open.includes(state));
  if (standing.length > 0) return standing;
  const over = steps.findLast(({ state }) => state !== 'ahead');
  return over ? [over] : [];
}
