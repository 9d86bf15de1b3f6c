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

/**
 * The message of one step, as a proposal of its own. The text comes from the present policy, and the gate judges it separately.
 * It is to be sent `sendAheadSeconds` after `at`.
 */
export function step(
  enrolment: Enrolment,
  n: number,
  task: TaskAssigned,
  policy: PolicyContent | null,
  sendAheadSeconds: number,
  at: string,
): StepOutcome {
  if (enrolment.state !== 'running') return { outcome: 'none' };
  const { enrolmentId, sequenceId, contactId } = enrolment;
  const sequence = policy?.sequences.find((s) => s.id === sequenceId);
  const message = sequence?.steps[n];
  if (!sequence || !message)
    return { outcome: 'close', reason: `the policy in force has no step ${n + 1} of ${sequenceId}` };
  if (!task.kinds.includes('email.send')) return { outcome: 'close', reason: 'the task does not allow email.send' };
  if (placeholderFault('email.send', message.subject) || placeholderFault('email.send', message.body)) {
    return { outcome: 'close', reason: `step ${n + 1} of ${sequenceId} holds a placeholder that nobody can fill in` };
  }
  const item = `${enrolmentId}/${n}`;
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
      rationale: `Step ${n + 1} of ${sequence.steps.length} of the sequence ${sequenceId}. ${dueWords(message.afterSeconds)}`,
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
