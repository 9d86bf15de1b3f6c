import { type Job, type JobContext, type JobKind, jobName, RUNTIME, type Runtime } from '@countersign/runtime';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { later } from '../core/session.js';
import { SessionStore } from './sessions.repository.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const SIGN_OUT_DAYS = 30;
const AT_ONCE = 10_000;

/** Deletes sessions and links that can no longer be used, one day after their end, and sign-outs that nothing needs any more. */
@Injectable()
export class ForgetSessions implements JobKind<Record<string, never>>, OnApplicationBootstrap {
  readonly kind = jobName<Record<string, never>>('forget-sessions');
  readonly leaseMs = 60_000;
  readonly batch = 1;

  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(SessionStore) private readonly store: SessionStore,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const cause = { source: '/countersign/console', id: this.kind.name };
    const dueAt = later(this.runtime.now(), HOUR);
    await this.runtime.transact(cause, async (work) =>
      work.schedule(cause, { kind: this.kind, id: dueAt, dueAt, payload: {} }),
    );
  }

  async work(jobs: readonly Job<Record<string, never>>[], context: JobContext): Promise<void> {
    await context.finish(jobs, async ([job], work) => {
      if (!job) return;
      await this.store.forget(work.tx, later(work.at, -DAY), AT_ONCE);
      await this.store.forgetSignOuts(work.tx, later(work.at, -SIGN_OUT_DAYS * DAY), work.at, AT_ONCE);
      const id = `after ${job.id.slice(-24)} at ${work.at}`;
      work.schedule(job.cause, { kind: this.kind, id, dueAt: later(work.at, HOUR), payload: {} });
    });
  }
}
