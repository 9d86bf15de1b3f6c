import { propose, readSettings, tasksById } from '@countersign/agent';
import { type Job, type JobContext, type JobKind, RUNTIME, type Runtime, type Work } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { step } from '../core/enrolment.js';
import { countStep, endEnrolments, lockEnrolments } from './enrolments.js';

export const stepKind = 'step';

interface StepPayload {
  readonly enrolmentId: string;
  readonly step: number;
}

/** Proposes the message of a step when it is due, or nothing where the enrolment has ended. */
@Injectable()
export class StepJobs implements JobKind<StepPayload> {
  readonly kind = stepKind;
  readonly leaseMs = 30_000;
  readonly batch = 50;

  constructor(@Inject(RUNTIME) private readonly runtime: Runtime) {}

  work(jobs: readonly Job<StepPayload>[], context: JobContext): Promise<void> {
    return context.finish(jobs, (owned, work) => this.steps(owned, work));
  }

  private async steps(jobs: readonly Job<StepPayload>[], work: Work): Promise<void> {
    const enrolments = await lockEnrolments(
      work.tx,
      jobs.map((job) => job.payload.enrolmentId),
    );
    const tasks = await tasksById(
      work.tx,
      [...enrolments.values()].map((e) => e.taskId),
    );
    const policies = await this.runtime.state<'PolicyPublished'>(work.tx, 'policies.v1', ['main']);
    const policy = policies.get('main')?.data?.content ?? null;
    for (const job of jobs) {
      const { enrolmentId, step: n } = job.payload;
      const enrolment = enrolments.get(enrolmentId);
      const task = enrolment && tasks.get(enrolment.taskId);
      if (!enrolment || !task) continue;
      const settings = readSettings(task.settings);
      const ahead = settings.ok ? settings.settings.sendAheadSeconds : 0;
      const result = step(enrolment, n, task, policy, ahead, work.at);
      if (result.outcome === 'none') continue;
      if (result.outcome === 'close') {
        await endEnrolments(work.tx, [enrolmentId], 'closed', result.reason, work.at);
        continue;
      }
      await propose(work, [{ cause: job.cause, proposal: result.proposal }]);
      await countStep(work.tx, enrolmentId);
      if (result.last) await endEnrolments(work.tx, [enrolmentId], 'finished', null, work.at);
    }
  }
}
