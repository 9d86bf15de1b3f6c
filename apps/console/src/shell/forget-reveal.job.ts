import { type Job, type JobContext, type JobKind, jobName, type NewJob } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { RevealsStore } from './reveals.repository.js';

const forgetReveal = jobName<Record<string, never>>('forget-reveal');

/** The job that deletes the sealed answer of a reveal, whether it was fetched or not. */
export const forgetJob = (revealId: string, dueAt: string): NewJob<Record<string, never>> => ({
  kind: forgetReveal,
  id: revealId,
  dueAt,
  payload: {},
});

/** A sealed answer is kept for some minutes. A person who has not fetched it by then must ask again. */
@Injectable()
export class ForgetReveal implements JobKind<Record<string, never>> {
  readonly kind = forgetReveal;
  readonly leaseMs = 60_000;
  readonly batch = 20;

  constructor(@Inject(RevealsStore) private readonly store: RevealsStore) {}

  async work(jobs: readonly Job<Record<string, never>>[], context: JobContext): Promise<void> {
    await context.finish(jobs, async (_, work) => this.store.forget(work.tx, work.at));
  }
}
