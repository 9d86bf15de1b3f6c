import { propose, readSettings } from '@countersign/agent';
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
      const { enrolmentId, step: n } = job.payload;
      const found = enrolments.get(enrolmentId);
      if (!found) continue;
      const settings = readSettings(found.task.settings);
      const ahead = settings.ok ? settings.settings.sendAheadSeconds : 0;
      const result = step(found.enrolment, n, found.task, policy, ahead, work.at);
      if (result.outcome === 'none') continue;
      if (result.outcome === 'close') {
        if (!closed.has(enrolmentId)) closed.set(enrolmentId, result.reason);
        continue;
      }
      proposals.push({ cause: job.cause, proposal: result.proposal });
      const before = proposed.get(enrolmentId) ?? { steps: 0, last: false };
      proposed.set(enrolmentId, { steps: before.steps + 1, last: before.last || result.last });
    }
    propose(work, proposals);
    countSteps(work.tx, proposed, work.at);
    closeEnrolments(work.tx, closed, work.at);
  }
}
