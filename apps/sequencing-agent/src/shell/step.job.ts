import { proposalsById, propose, readSettings } from '@countersign/agent';
import { type ActionProposed, topics } from '@countersign/contracts';
import {
  type Cause,
  type Job,
  type JobContext,
  type JobKind,
  jobName,
  RUNTIME,
  type Runtime,
  type Work,
} from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { step } from '../core/enrolment.js';
import { closeEnrolments, countSteps, lockEnrolments } from './enrolments.repository.js';

export const stepKind = jobName<StepPayload>('step');

interface StepPayload {
  readonly enrolmentId: string;
  readonly step: number;
  /** How often the step was proposed before; absent the first time. */
  readonly again?: number;
}

/** Proposes the message of a step when it is due, or nothing if the enrolment has ended. */
@Injectable()
export class StepJobs implements JobKind<StepPayload> {
  readonly kind = stepKind;
  readonly leaseMs = 30_000;
  readonly plannedOnce = true;
  readonly batch = 50;

  constructor(@Inject(RUNTIME) private readonly runtime: Runtime) {}

  work(jobs: readonly Job<StepPayload>[], context: JobContext): Promise<void> {
    return context.finish(jobs, (owned, work) => this.steps(owned, work));
  }

  private async steps(jobs: readonly Job<StepPayload>[], work: Work): Promise<void> {
    const ids = jobs.map((job) => job.payload.enrolmentId);
    const [enrolments, policies] = await Promise.all([
      lockEnrolments(work.tx, ids),
      this.runtime.state(work.tx, topics.policies, ['main']),
    ]);
    const policy = policies.get('main')?.data?.content ?? null;
    const proposals: { cause: Cause; proposal: ActionProposed }[] = [];
    const proposed = new Map<string, { steps: number; last: boolean }>();
    const closed = new Map<string, string>();
    for (const job of jobs) {
      const { enrolmentId, step: n, again = 0 } = job.payload;
      const found = enrolments.get(enrolmentId);
      if (!found) continue;
      const settings = readSettings(found.task.settings);
      const ahead = settings.ok ? settings.settings.sendAheadSeconds : 0;
      const result = step(found.enrolment, n, found.task, policy, ahead, work.at, again);
      if (result.outcome === 'none') continue;
      if (result.outcome === 'close') {
        if (!closed.has(enrolmentId)) closed.set(enrolmentId, result.reason);
        continue;
      }
      proposals.push({ cause: job.cause, proposal: result.proposal });
      // It was counted the first time.
      if (again > 0) continue;
      const before = proposed.get(enrolmentId) ?? { steps: 0, last: false };
      proposed.set(enrolmentId, { steps: before.steps + 1, last: before.last || result.last });
    }
    propose(work, await this.notYetProposed(work, jobs, proposals));
    countSteps(work.tx, proposed, work.at);
    closeEnrolments(work.tx, closed, work.at);
  }

  /** A refusal may be told twice, the second time after its step was proposed again. Without such steps nothing is read. */
  private async notYetProposed<P extends { readonly proposal: ActionProposed }>(
    { tx }: Work,
    jobs: readonly Job<StepPayload>[],
    given: readonly P[],
  ): Promise<readonly P[]> {
    if (jobs.every(({ payload }) => payload.again === undefined)) return given;
    const known = await proposalsById(
      tx,
      given.map(({ proposal }) => proposal.proposalId),
    );
    return given.filter(({ proposal }) => !known.has(proposal.proposalId));
  }
}
