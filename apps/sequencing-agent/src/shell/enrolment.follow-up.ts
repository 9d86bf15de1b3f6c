import type { FollowUp, OwnRefusal, OwnSettlement, RememberedProposal } from '@countersign/agent';
import type { Action, PayloadOf, PolicyContent } from '@countersign/contracts';
import type { Cause, Work } from '@countersign/runtime';
import { Injectable } from '@nestjs/common';
import {
  endsSequence,
  endsSequenceLate,
  type StepAgain,
  stepAfterQuiet,
  stepAfterQuietLate,
  stepsDue,
} from '../core/enrolment.js';
import { beginEnrolments, closeEnrolments, endEnrolments, runningEnrolments } from './enrolments.repository.js';
import { stepKind } from './step.job.js';

/**
 * Begins an enrolment when its action was carried out. Ends it if it was stopped or undone, if consent is gone, or if a step never ends.
 * A step that quiet hours refused comes again when they are over.
 */
@Injectable()
export class EnrolmentFollowUp implements FollowUp {
  async refused(refusals: readonly OwnRefusal[], work: Work): Promise<void> {
    const closed = new Map<string, string>();
    for (const { cause, refused, proposal } of refusals) {
      const reason = endsSequence(refused);
      const enrolmentId = enrolmentOfStep(proposal.action);
      if (reason === undefined)
        proposeAgain(work, cause, proposedStep(proposal), (step) => stepAfterQuiet(step, refused));
      // The first reason stands.
      if (reason !== undefined && enrolmentId && !closed.has(enrolmentId)) closed.set(enrolmentId, reason);
    }
    closeEnrolments(work.tx, closed, work.at);
  }

  async settled(settlements: readonly OwnSettlement[], policy: PolicyContent | null, work: Work): Promise<void> {
    // Consecutive enrolments begin together; a settlement that ends one is handled after those before it.
    let begun: OwnSettlement[] = [];
    const begin = async (): Promise<void> => {
      const settled = begun;
      begun = [];
      await this.begin(settled, policy, work);
    };
    for (const settlement of settlements) {
      if (settlement.action.kind === 'sequence.enroll' && settlement.settled.outcome === 'executed') {
        begun.push(settlement);
        continue;
      }
      await begin();
      await this.end(settlement, work);
    }
    await begin();
  }

  async unsettled(proposals: readonly RememberedProposal[], work: Work): Promise<void> {
    const closed = new Map<string, string>();
    for (const { action } of proposals) {
      const step = stepOf(action);
      if (step) closed.set(step.enrolment, `step ${step.step + 1} was never refused or settled`);
    }
    closeEnrolments(work.tx, closed, work.at);
  }

  private async end({ cause, settled, proposal, action }: OwnSettlement, work: Work): Promise<void> {
    if (action.kind === 'sequence.enroll' && settled.outcome === 'undone') {
      endEnrolments(work.tx, [action.actionId], 'stopped', 'the enrolment was undone', work.at);
    }
    if (action.kind === 'sequence.stop' && settled.outcome === 'executed') {
      const running = await runningEnrolments(work.tx, [action.payload as PayloadOf<'sequence.stop'>]);
      const ids = running.map(({ enrolmentId }) => enrolmentId);
      endEnrolments(work.tx, ids, 'stopped', 'the sequence was stopped for this contact', work.at);
    }
    if (settled.outcome === 'refused')
      proposeAgain(work, cause, proposedStep(proposal), (step) => stepAfterQuietLate(step, settled.reason, work.at));
    const late = settled.outcome === 'refused' ? endsSequenceLate(settled.reason) : undefined;
    const enrolmentId = enrolmentOfStep(action);
    if (late !== undefined && enrolmentId) endEnrolments(work.tx, [enrolmentId], 'closed', late, work.at);
  }

  private async begin(settlements: readonly OwnSettlement[], policy: PolicyContent | null, work: Work): Promise<void> {
    if (settlements.length === 0) return;
    const given = settlements.map(({ cause, settled, proposal, action }) => {
      const { contactId, sequenceId } = action.payload as PayloadOf<'sequence.enroll'>;
      const enrolment = {
        enrolmentId: action.actionId,
        taskId: proposal.taskId,
        accountId: action.accountId ?? null,
        contactId,
        sequenceId,
        state: 'running' as const,
      };
      return { cause, settledAt: settled.at, proposedAt: proposal.proposedAt, enrolment };
    });
    const enrolments = given.map(({ enrolment }) => enrolment);
    const running = new Set((await runningEnrolments(work.tx, enrolments)).map(placeOf));
    const begun = await beginEnrolments(work.tx, enrolments, work.at);
    const sequences = policy?.sequences ?? [];

    const closed = new Map<string, string>();
    for (const { cause, settledAt, proposedAt, enrolment } of given) {
      const { enrolmentId, sequenceId } = enrolment;
      // Known already, or a second time in this batch.
      if (!begun.delete(enrolmentId)) continue;
      const sequence = sequences.find((s) => s.id === sequenceId);
      const already = running.has(placeOf(enrolment));
      if (already || !sequence) {
        const none = `the policy in force has no ${sequenceId}`;
        closed.set(enrolmentId, already ? 'the contact is in this sequence already' : none);
        continue;
      }
      running.add(placeOf(enrolment));
      stepsDue(sequence.steps, settledAt, proposedAt, work.at).forEach((dueAt, step) => {
        work.schedule(cause, { kind: stepKind, id: `${enrolmentId}/${step}`, dueAt, payload: { enrolmentId, step } });
      });
    }
    closeEnrolments(work.tx, closed, work.at);
  }
}

const placeOf = ({ contactId, sequenceId }: { contactId: string; sequenceId: string }): string =>
  `${contactId} ${sequenceId}`;

/** The step of an enrolment that a message belongs to. */
const stepOf = (action: Action): PayloadOf<'email.send'>['sequence'] =>
  action.kind === 'email.send' ? (action.payload as PayloadOf<'email.send'>).sequence : undefined;
const enrolmentOfStep = (action: Action): string | undefined => stepOf(action)?.enrolment;

type ProposedStep = Parameters<typeof stepAfterQuiet>[0];

/** The step that a message of ours was proposed for. What a person made of the message is another matter. */
function proposedStep({ proposalId, taskId, action }: RememberedProposal): ProposedStep | undefined {
  const step = stepOf(action);
  return step && { proposalId, agent: 'sequencing-agent', taskId, enrolmentId: step.enrolment, step: step.step };
}

/** Schedules a step once more, if it is to be proposed again. A second time under the same id changes nothing. */
function proposeAgain(
  work: Work,
  cause: Cause,
  proposed: ProposedStep | undefined,
  read: (proposed: ProposedStep) => StepAgain | undefined,
): void {
  const next = proposed && read(proposed);
  if (!next) return;
  const { dueAt, ...payload } = next;
  const id = `${payload.enrolmentId}/${payload.step}/${payload.again}`;
  work.schedule(cause, { kind: stepKind, id, dueAt, payload });
}
