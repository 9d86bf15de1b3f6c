import { taskGraceMs } from '@countersign/contracts';
import type { actionStates, runStates } from './agents.answers.js';
import type { Ending } from './card.js';
import { count, list } from './kind-words.js';
import { asSentence } from './stories.js';

export type RunState = (typeof runStates)[number];
type ActionState = (typeof actionStates)[number];

/**
 * `here`: the run stands here. `waits`: the same, and a person has to act. `late`: the same, and the time is over. `failed`: it went
 * wrong here. `ended`: it ended here. `ahead`: the run has not come to it.
 */
export const stepStates = ['done', 'here', 'waits', 'late', 'failed', 'ended', 'ahead'] as const;

/** What is known of a run at one moment. */
export interface RunNow {
  readonly startedAt: string;
  readonly correlationId: string;
  readonly checkpoint: Checkpoint | null;
  readonly tasks: readonly Task[];
  readonly proposals: {
    /** How many of its first proposals are in each state. */
    readonly counts: readonly { readonly state: ActionState; readonly n: number }[];
    /** When one of them changed last. */
    readonly changedAt: string | null;
    /** Whether there may be more of them. */
    readonly more: boolean;
  };
}
export interface Checkpoint {
  readonly id: string;
  readonly deadline: string;
  readonly answer: { readonly decision: 'approve' | 'reject'; readonly by: string; readonly at: string } | null;
  /** How it ended, if its tasks never go out. */
  readonly ending: Ending | null;
}
export interface Task {
  readonly taskId: string;
  readonly agent: string;
  readonly purpose: string;
  readonly assignedAt: string;
  readonly dueAt: string;
  readonly outcome: 'proposed' | 'declined' | null;
  readonly reason: string | null;
  readonly proposals: number;
  readonly answeredAt: string | null;
}

/** One step of a run, as it is drawn. */
export interface RunStep {
  readonly kind: 'trigger' | 'checkpoint' | 'task' | 'proposals';
  readonly state: (typeof stepStates)[number];
  readonly title: string;
  readonly detail: string;
  /** The agent that has the task. */
  readonly agent: string | null;
  /** Since when it is in this state; null if the run has not come to it. */
  readonly at: string | null;
  /** Until when an answer is expected. */
  readonly until: string | null;
  /** The id that finds its story. */
  readonly story: string | null;
  /** The id of its review. */
  readonly review: string | null;
}

const nothing = { detail: '', agent: null, at: null, until: null, story: null, review: null } as const;
const noTaskYet = 'No task is out yet.';
const unanswered = 'No answer came in time. No task went out.';
const neverCame = 'It did not come to this.';

/** A run as steps, from its start to its proposals, with the place where it stands at `at`. */
export function runSteps(run: RunNow, at: string): RunStep[] {
  const { checkpoint, tasks, startedAt, correlationId } = run;
  const gate = checkpoint && checkpointStep(checkpoint, run, at);
  const over = gate?.state === 'ended' || gate?.state === 'failed';
  const ahead = { ...nothing, state: 'ahead' } as const;
  const given = tasks.map((task) => taskStep(task, at));
  return [
    { ...nothing, kind: 'trigger', state: 'done', title: 'It started', at: startedAt, story: correlationId },
    ...(gate ? [gate] : []),
    ...(tasks.length === 0
      ? [{ ...ahead, kind: 'task' as const, title: 'It gives tasks', detail: over ? neverCame : noTaskYet }]
      : given),
    {
      ...ahead,
      kind: 'proposals',
      title: 'Each proposal is judged',
      ...(over ? { detail: neverCame } : judged(run, given)),
    },
  ];
}

/** The state of a run: the most urgent of its steps. */
export function runState(steps: readonly RunStep[]): RunState {
  const some = (state: RunStep['state']) => steps.some((step) => step.state === state);
  if (steps.some(({ kind, state }) => kind === 'checkpoint' && state === 'ended')) return 'not-agreed';
  if (some('late')) return 'overdue';
  if (some('waits')) return 'waiting';
  if (some('here')) return 'running';
  return some('failed') ? 'failed' : 'ended';
}

function checkpointStep(
  { id, deadline, answer, ending }: Checkpoint,
  { startedAt, tasks }: RunNow,
  at: string,
): RunStep {
  const step = { ...nothing, kind: 'checkpoint', title: 'A person agrees first', story: id, review: id } as const;
  if (tasks.length > 0)
    return { ...step, state: 'done', detail: `${answer?.by ?? 'A person'} agreed.`, at: answer?.at ?? null };
  if (ending?.outcome === 'suppressed')
    return { ...step, state: 'ended', detail: `${asSentence(ending.reason.detail)}. No task went out.`, at: ending.at };
  if (ending?.outcome === 'expired') return { ...step, state: 'ended', detail: unanswered, at: ending.at };
  if (answer?.decision === 'reject')
    return { ...step, state: 'ended', detail: `${answer.by} rejected it. No task went out.`, at: answer.at };
  if (answer) {
    const over = graceOf(deadline) <= at;
    const state = deadline > at ? 'here' : over ? 'failed' : 'late';
    return { ...step, state, detail: `${answer.by} agreed. ${over ? 'No task went out.' : noTaskYet}`, at: answer.at };
  }
  if (deadline <= at) return { ...step, state: 'ended', detail: unanswered, at: deadline };
  const detail = 'It waits for a person. Without an answer no task goes out.';
  return { ...step, state: 'waits', detail, at: startedAt, until: deadline };
}

function taskStep({ taskId, agent, purpose, assignedAt, dueAt, ...answer }: Task, at: string): RunStep {
  const step = { ...nothing, kind: 'task', title: purpose, agent, at: assignedAt, story: taskId } as const;
  if (answer.outcome !== null) {
    const detail =
      answer.outcome === 'proposed'
        ? `${agent} proposed ${count(answer.proposals, 'action')}.`
        : `${agent} declined: ${answer.reason ?? 'without a reason'}`;
    return { ...step, state: 'done', detail, at: answer.answeredAt };
  }
  if (dueAt > at) return { ...step, state: 'here', detail: `${agent} has not answered yet.`, until: dueAt };
  const last = graceOf(dueAt);
  if (last <= at) return { ...step, state: 'failed', detail: `${agent} never answered.`, at: last };
  const detail = `${agent} has not answered in time. It may still answer until a day after.`;
  return { ...step, state: 'late', detail, at: dueAt, until: last };
}

const graceOf = (dueAt: string): string => new Date(Date.parse(dueAt) + taskGraceMs).toISOString();

/** What came of the proposals of a run. `given`: the steps of its tasks. */
function judged({ tasks, proposals }: RunNow, given: readonly RunStep[]): Pick<RunStep, 'state' | 'detail' | 'at'> {
  const { counts, changedAt, more } = proposals;
  const total = counts.reduce((sum, { n }) => sum + n, 0);
  if (total === 0) {
    const named = tasks.reduce((sum, task) => sum + task.proposals, 0);
    if (named > 0) return { state: 'here', detail: `${named} ${named === 1 ? 'is' : 'are'} on the way.`, at: null };
    const open = given.length === 0 || given.some(({ state }) => state === 'here' || state === 'late');
    return open
      ? { state: 'ahead', detail: 'There is no proposal yet.', at: null }
      : { state: 'ended', detail: 'No agent proposed anything.', at: null };
  }
  const words = counts
    .toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state))
    .map(({ state, n }) => outcome(state, n));
  return { state: worst(counts), detail: `${more ? `Of the first ${total}: ` : ''}${list(words)}.`, at: changedAt };
}

function worst(counts: RunNow['proposals']['counts']): RunStep['state'] {
  const some = (...states: ActionState[]) => counts.some(({ state }) => states.includes(state));
  if (some('waiting', 'unresolved')) return 'waits';
  if (some('proposed', 'approved')) return 'here';
  return some('failed', 'expired') ? 'failed' : 'done';
}

/** What needs a person, or goes on, comes first. */
const order: readonly ActionState[] = [
  ...(['waiting', 'unresolved', 'proposed', 'approved'] as const),
  ...(['failed', 'expired', 'executed', 'undone', 'refused'] as const),
];

function outcome(state: ActionState, n: number): string {
  const words = (verb: string, plural: string, rest: string): string => `${n} ${n === 1 ? verb : plural} ${rest}`;
  switch (state) {
    case 'waiting':
      return words('waits', 'wait', 'for a person');
    case 'unresolved':
      return `${n} with an unknown outcome`;
    case 'proposed':
      return words('is', 'are', 'not judged yet');
    case 'approved':
      return `${n} approved and not run yet`;
    case 'failed':
      return `${n} failed`;
    case 'expired':
      return `${n} expired and did not run`;
    case 'executed':
      return words('is', 'are', 'done');
    case 'undone':
      return words('was', 'were', 'undone');
    case 'refused':
      return words('was', 'were', 'refused');
  }
}
