import {
  type ActionProposed,
  clip,
  derivedId,
  type ModelUse,
  proposalIdOf,
  type TaskAssigned,
  type TaskSettled,
} from '@countersign/contracts';
import type { ClampedPlan } from './clamp.js';
import type { Facts } from './facts.js';

/** The one answer to a task: its proposals, and the event that names them or says why there are none. */
export interface Answer {
  readonly proposals: readonly ActionProposed[];
  readonly settled: TaskSettled;
}

/** The facts that a proposal contains. */
export type PlannedFrom = Pick<Facts, 'madeFrom' | 'behind'>;

/** The answer to a task that was not planned, with the reason. */
export const declined = (task: TaskAssigned, reason: string, at: string): Answer => ({
  proposals: [],
  settled: taskSettled(task, [], reason, at),
});

/** The same answer, with the tokens that it used of a model. */
export const withModel = (given: Answer, model: ModelUse | undefined): Answer =>
  model === undefined ? given : { ...given, settled: { ...given.settled, model } };

/**
 * Turns a clamped plan into the answer of its task. Ids are derived from the task, so a repeat proposes the same actions. A task
 * whose due time has passed is always declined.
 */
export function answer(task: TaskAssigned, plan: ClampedPlan, facts: PlannedFrom, at: string): Answer {
  if (isLate(task, at)) return declined(task, latePlan, at);
  const proposals = plan.proposals.map((draft, n): ActionProposed => {
    const item = String(n);
    const proposalId = proposalIdOf(task.agent, task.taskId, item);
    return {
      proposalId,
      taskId: task.taskId,
      item,
      agent: task.agent,
      play: task.play,
      purpose: task.purpose,
      kinds: task.kinds,
      action: {
        actionId: derivedId('action', proposalId),
        kind: draft.kind,
        ...(task.accountId !== undefined && { accountId: task.accountId }),
        payload: { ...draft.payload },
      },
      rationale: withDoubt(draft.rationale, facts),
      evidence: draft.evidence.slice(-mostEvidence),
      confidence: draft.confidence,
      alternatives: draft.alternatives.map((a) => ({ ...a })),
      planner: plan.by,
      // Planners see only ids, figures and words from closed lists, so an outsider's text cannot influence them.
      lineage: 'trusted',
      proposedAt: at,
      madeFrom: facts.madeFrom,
    };
  });
  const fallback = plan.by.fallback ? [`planned by rules because ${plan.by.fallback}`] : [];
  const reason =
    proposals.length > 0
      ? sentence([`proposed ${counted(proposals.map((p) => p.action.kind))}`, ...fallback, ...leftOut(plan.left)])
      : sentence([plan.declined ?? 'nothing that was planned fits the task', ...fallback, ...leftOut(plan.left)]);
  return { proposals, settled: taskSettled(task, proposals, reason, at) };
}

/** The latest evidence only: a proposal has a size limit, and the task has the rest. */
const mostEvidence = 50;

export const latePlan = 'deadline passed';
/** Whether the time to answer a task is over at `at`. */
export const isLate = (task: TaskAssigned, at: string): boolean => Date.parse(at) > Date.parse(task.dueAt);

function taskSettled(
  task: TaskAssigned,
  proposals: readonly ActionProposed[],
  reason: string,
  at: string,
): TaskSettled {
  return {
    taskId: task.taskId,
    agent: task.agent,
    play: task.play,
    outcome: proposals.length > 0 ? 'proposed' : 'declined',
    reason: clip(reason, 1000),
    proposalIds: proposals.map((p) => p.proposalId),
    at,
  };
}

const withDoubt = (rationale: string, facts: PlannedFrom): string =>
  facts.behind.length === 0
    ? rationale
    : `${rationale} Facts unclear: ${facts.behind.length} profile(s) were older than the task.`;

const leftOut = (left: readonly string[]): readonly string[] =>
  left.length === 0
    ? []
    : [`left out: ${left.slice(0, 5).join(', ')}${left.length > 5 ? ` and ${left.length - 5} more` : ''}`];

const sentence = (parts: readonly string[]): string => parts.join('; ');

function counted(kinds: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].map(([kind, n]) => (n === 1 ? kind : `${n} × ${kind}`)).join(', ');
}
