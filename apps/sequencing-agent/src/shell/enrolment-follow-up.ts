import type { FollowUp, OwnRefusal, OwnSettlement } from '@countersign/agent';
import type { Action, PayloadOf } from '@countersign/contracts';
import { RUNTIME, type Runtime, type Work } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { endsSequence, endsSequenceLate, stepsDue } from '../core/enrolment.js';
import { beginEnrolment, endEnrolments, enrolmentsOf } from './enrolments.js';
import { stepKind } from './step-jobs.js';

/** Begins an enrolment where its action was carried out, and ends it where it was stopped, undone, or consent is gone. */
@Injectable()
export class EnrolmentFollowUp implements FollowUp {
  constructor(@Inject(RUNTIME) private readonly runtime: Runtime) {}

  async refused(refusals: readonly OwnRefusal[], work: Work): Promise<void> {
    for (const { refused, proposal } of refusals) {
      const reason = endsSequence(refused);
      const enrolmentId = enrolmentOfStep(proposal.action);
      if (reason !== undefined && enrolmentId) await endEnrolments(work.tx, [enrolmentId], 'closed', reason, work.at);
    }
  }

  async settled(settlements: readonly OwnSettlement[], work: Work): Promise<void> {
    for (const settlement of settlements) {
      const { settled, action } = settlement;
      if (action.kind === 'sequence.enroll' && settled.outcome === 'executed') await this.begin(settlement, work);
      if (action.kind === 'sequence.enroll' && settled.outcome === 'undone') {
        await endEnrolments(work.tx, [action.actionId], 'stopped', 'the enrolment was undone', work.at);
      }
      if (action.kind === 'sequence.stop' && settled.outcome === 'executed') {
        const { contactId, sequenceId } = action.payload as PayloadOf<'sequence.stop'>;
        const running = await enrolmentsOf(work.tx, contactId, sequenceId);
        await endEnrolments(work.tx, running, 'stopped', 'the sequence was stopped for this contact', work.at);
      }
      const late = settled.outcome === 'refused' ? endsSequenceLate(settled.reason) : undefined;
      const enrolmentId = enrolmentOfStep(action);
      if (late !== undefined && enrolmentId) await endEnrolments(work.tx, [enrolmentId], 'closed', late, work.at);
    }
  }

  private async begin({ cause, settled, proposal, action }: OwnSettlement, work: Work): Promise<void> {
    const { contactId, sequenceId } = action.payload as PayloadOf<'sequence.enroll'>;
    const enrolmentId = action.actionId;
    const running = await enrolmentsOf(work.tx, contactId, sequenceId);
    const begun = await beginEnrolment(
      work.tx,
      {
        enrolmentId,
        taskId: proposal.taskId,
        accountId: action.accountId ?? null,
        contactId,
        sequenceId,
        state: 'running',
      },
      work.at,
    );
    if (!begun) return;
    if (running.length > 0) {
      await endEnrolments(work.tx, [enrolmentId], 'closed', 'the contact is in this sequence already', work.at);
      return;
    }
    const policies = await this.runtime.state<'PolicyPublished'>(work.tx, 'policies.v1', ['main']);
    const sequence = policies.get('main')?.data?.content.sequences.find((s) => s.id === sequenceId);
    if (!sequence) {
      await endEnrolments(work.tx, [enrolmentId], 'closed', `the policy in force has no ${sequenceId}`, work.at);
      return;
    }
    stepsDue(sequence.steps, settled.at).forEach((dueAt, step) => {
      work.schedule(cause, { kind: stepKind, id: `${enrolmentId}/${step}`, dueAt, payload: { enrolmentId, step } });
    });
  }
}

/** The enrolment that a message is a step of. */
const enrolmentOfStep = (action: Action): string | undefined =>
  action.kind === 'email.send' ? (action.payload as PayloadOf<'email.send'>).sequence?.enrolment : undefined;
