import { placeholderFault } from '@countersign/agent';
import {
  type ActionProposed,
  type ActionRefused,
  derivedId,
  type Fault,
  type PolicyContent,
  proposalIdOf,
  type TaskAssigned,
} from '@countersign/contracts';
import { evidenceFor } from './sequencing-rules.js';

/** A contact in a sequence, from the settlement of its `sequence.enroll` on. `enrolmentId` is the id of that action. */
export interface Enrolment {
  readonly enrolmentId: string;
  readonly taskId: string;
  readonly contactId: string;
  readonly sequenceId: string;
  readonly accountId: string | null;
  readonly state: 'running' | 'finished' | 'stopped' | 'closed';
}

/** The result of an enrolment at one of its steps. */
export type StepOutcome =
  | { readonly outcome: 'propose'; readonly proposal: ActionProposed; readonly last: boolean }
  | { readonly outcome: 'close'; readonly reason: string }
  /** The enrolment ended before this step was due. */
  | { readonly outcome: 'none' };

/**
 * When the steps of a sequence are due, counted from the settlement of the enrolment. The settlement's time comes from its
 * executor. So it counts as no earlier than the proposal, and no later than its handling, at `at`.
 */
export function stepsDue(
  steps: readonly { readonly afterSeconds: number }[],
  settledAt: string,
  proposedAt: string,
  at: string,
): readonly string[] {
  const from = Math.min(Math.max(Date.parse(settledAt), Date.parse(proposedAt)), Date.parse(at));
  return steps.map(({ afterSeconds }) => new Date(from + afterSeconds * 1000).toISOString());
}

/** How often a step is proposed again that quiet hours refused. */
export const mostAgain = 10;

/** What distinguishes the proposal of a step from the others of its task. `again`: how often the step was proposed before. */
const itemOf = (enrolmentId: string, n: number, again: number): string =>
  again === 0 ? `${enrolmentId}/${n}` : `${enrolmentId}/${n}/${again}`;

/**
 * The message of one step, as a proposal of its own. The text comes from the present policy, and the gate judges it separately.
 * It is to be sent `sendAheadSeconds` after `at`. A step that is proposed again may belong to an enrolment whose later steps were
 * all proposed in the meantime.
 */
export function step(
  enrolment: Enrolment,
  n: number,
  task: TaskAssigned,
  policy: PolicyContent | null,
  sendAheadSeconds: number,
  at: string,
  again = 0,
): StepOutcome {
  const goesOn = enrolment.state === 'running' || (again > 0 && enrolment.state === 'finished');
  if (!goesOn) return { outcome: 'none' };
  const { enrolmentId, sequenceId, contactId } = enrolment;
  const sequence = policy?.sequences.find((s) => s.id === sequenceId);
  const message = sequence?.steps[n];
  if (!sequence || !message)
    return { outcome: 'close', reason: `the policy in force has no step ${n + 1} of ${sequenceId}` };
  if (!task.kinds.includes('email.send')) return { outcome: 'close', reason: 'the task does not allow email.send' };
  if (placeholderFault('email.send', message.subject) || placeholderFault('email.send', message.body)) {
    return { outcome: 'close', reason: `step ${n + 1} of ${sequenceId} holds a placeholder that nobody can fill in` };
  }
  const item = itemOf(enrolmentId, n, again);
  const proposalId = proposalIdOf(task.agent, task.taskId, item);
  return {
    outcome: 'propose',
    last: n === sequence.steps.length - 1,
    proposal: {
      proposalId,
      taskId: task.taskId,
      item,
      agent: task.agent,
      play: task.play,
      purpose: task.purpose,
      kinds: task.kinds,
      action: {
        actionId: derivedId('action', proposalId),
        kind: 'email.send',
        ...(enrolment.accountId !== null && { accountId: enrolment.accountId }),
        payload: {
          contactId,
          purpose: sequence.purpose,
          template: message.template,
          subject: message.subject,
          body: message.body,
          sendAt: new Date(Date.parse(at) + sendAheadSeconds * 1000).toISOString(),
          sequence: { id: sequenceId, enrolment: enrolmentId, step: n },
        },
      },
      rationale: `Step ${n + 1} of ${sequence.steps.length} of the sequence ${sequenceId}. ${again === 0 ? dueWords(message.afterSeconds) : 'It was refused for quiet hours, and is proposed again after them.'}`,
      evidence: [...evidenceFor(task.evidence, contactId)],
      confidence: 0.8,
      alternatives: [
        { detail: 'leave this step out', rejectedBecause: 'nothing since the enrolment speaks against it' },
      ],
      planner: { kind: 'rules', name: 'sequence steps' },
      lineage: 'trusted',
      proposedAt: at,
      madeFrom: task.madeFrom,
    },
  };
}

const units = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const;

/** When a step is due, exact to the second: "It is due 1 day and 2 hours after the contact was enrolled." */
function dueWords(seconds: number): string {
  if (seconds === 0) return 'It is due as soon as the contact is enrolled.';
  const parts: string[] = [];
  let left = seconds;
  for (const [unit, length] of units) {
    const n = Math.floor(left / length);
    if (n > 0) parts.push(`${n} ${unit}${n === 1 ? '' : 's'}`);
    left -= n * length;
  }
  return `It is due ${parts.join(' and ')} after the contact was enrolled.`;
}

/** A step that is to be proposed once more, and when. */
export interface StepAgain {
  readonly enrolmentId: string;
  readonly step: number;
  readonly again: number;
  readonly dueAt: string;
}

/** A message that was proposed for a step. */
interface ProposedStep {
  readonly proposalId: string;
  readonly agent: string;
  readonly taskId: string;
  readonly enrolmentId: string;
  readonly step: number;
}

/**
 * The step of a message that quiet hours refused, at the moment that the refusal names. Undefined if it names none, and after the
 * last time. The count is in the id of the proposal, so the same refusal gives the same answer.
 */
export function stepAfterQuiet(
  proposed: ProposedStep,
  { verdict: { reasons } }: Pick<ActionRefused, 'verdict'>,
): StepAgain | undefined {
  const opens = reasons.find((r) => r.outcome === 'refuse' && r.rule === 'quiet-hours')?.figures?.opens;
  return typeof opens === 'string' ? againAt(proposed, opens) : undefined;
}

/**
 * The same for a message that was approved, and came to its executor in quiet hours. It is proposed again at once, because only a
 * verdict knows when they end.
 */
export const stepAfterQuietLate = (
  proposed: ProposedStep,
  reason: Fault | undefined,
  at: string,
): StepAgain | undefined => (reason?.code === 'quiet-hours' ? againAt(proposed, at) : undefined);

function againAt({ proposalId, agent, taskId, enrolmentId, step }: ProposedStep, dueAt: string): StepAgain | undefined {
  const ms = Date.parse(dueAt);
  if (Number.isNaN(ms)) return undefined;
  for (let before = 0; before < mostAgain; before++) {
    if (proposalIdOf(agent, taskId, itemOf(enrolmentId, step, before)) === proposalId)
      return { enrolmentId, step, again: before + 1, dueAt: new Date(ms).toISOString() };
  }
  return undefined;
}

const standing = ['consent', 'suppression'];

/**
 * Why a refused message ends its sequence. A withdrawn consent does not come back with time; a limit of an hour or a day does.
 */
export function endsSequence(refused: Pick<ActionRefused, 'verdict'>): string | undefined {
  return refused.verdict.reasons.find((r) => r.outcome === 'refuse' && standing.includes(r.rule))?.detail;
}

/** The same for a message that the executor refused after its approval. */
export const endsSequenceLate = (reason: Fault | undefined): string | undefined =>
  reason && standing.some((rule) => reason.code.includes(rule)) ? reason.detail : undefined;
