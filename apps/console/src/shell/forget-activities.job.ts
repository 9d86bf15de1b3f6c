import { type Job, type JobContext, type JobKind, jobName, RUNTIME, type Runtime } from '@countersign/runtime';
import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { firstDay } from '../core/agents.js';
import { forgetAgents } from './agents.writer.js';
import { Store } from './console.repository.js';
import { forgetInspections } from './inspections.repository.js';
import { NotificationStore } from './notifications.repository.js';
import { NowStore } from './now.repository.js';
import { forgetPasses } from './passes.repository.js';
import { forgetPersonActions } from './people.writer.js';
import { forgetCheckpoints } from './record.repository.js';
import { forgetReveals } from './reveals.repository.js';
import { SETTINGS, type Settings } from './settings.js';
import { forgetSignals } from './sources.repository.js';
import { forgetStories } from './stories.writer.js';
import { forgetWaiting } from './waiting.repository.js';

const RETENTION_DAYS = 7;
/** For stories and checkpoints, which are small. */
const LONG_RETENTION_DAYS = 30;
const AT_ONCE = 20_000;
const NOTIFICATION_RETENTION_DAYS = 90;
const hours = (from: string, n: number): string => new Date(Date.parse(from) + n * 3_600_000).toISOString();

/**
 * Deletes old rows of lists that people read: activities, stories, figures, and what people asked for. The record keeps every event.
 * Also deletes settlements that were never approved: they belong to no permit.
 */
@Injectable()
export class ForgetActivities implements JobKind<Record<string, never>>, OnApplicationBootstrap {
  readonly kind = jobName<Record<string, never>>('forget-activities');
  readonly leaseMs = 60_000;
  readonly batch = 1;
  private readonly log = new Logger('console');

  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(Store) private readonly store: Store,
    @Inject(NowStore) private readonly now: NowStore,
    @Inject(NotificationStore) private readonly notifications: NotificationStore,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const cause = { source: '/countersign/console', id: this.kind.name };
    const dueAt = hours(this.runtime.now(), 1);
    await this.runtime.transact(cause, async (work) =>
      work.schedule(cause, { kind: this.kind, id: dueAt, dueAt, payload: {} }),
    );
  }

  async work(jobs: readonly Job<Record<string, never>>[], context: JobContext): Promise<void> {
    await context.finish(jobs, async ([job], work) => {
      if (!job) return;
      const forgotten = await this.store.forgetActivities(work.tx, hours(work.at, -24 * RETENTION_DAYS), AT_ONCE);
      const more = await this.now.forget(work.tx, work.at, AT_ONCE);
      const signals = await forgetSignals(work.tx, hours(work.at, -24 * RETENTION_DAYS), AT_ONCE);
      await this.notifications.forget(work.tx, hours(work.at, -24 * NOTIFICATION_RETENTION_DAYS), AT_ONCE);
      const unapproved = await forgetWaiting(work.tx, work.at);
      if (unapproved > 0)
        this.log.warn(`${unapproved} rows of settlements forgotten: nobody approved what they say was settled`);
      const { agentFiguresDays, personActionsDays, requestsDays } = this.settings;
      const agents = await forgetAgents(work.tx, work.at, firstDay(work.at, agentFiguresDays), AT_ONCE);
      const people = await forgetPersonActions(work.tx, hours(work.at, -24 * personActionsDays), AT_ONCE);
      const asked = hours(work.at, -24 * requestsDays);
      const requests = [];
      for (const forget of [forgetPasses, forgetInspections, forgetReveals])
        requests.push(await forget(work.tx, asked, AT_ONCE));
      const past = hours(work.at, -24 * LONG_RETENTION_DAYS);
      const stories = await forgetStories(work.tx, past, AT_ONCE);
      const checkpoints = await forgetCheckpoints(work.tx, past, AT_ONCE);
      const dueAt =
        Math.max(forgotten, agents, people, signals, stories, checkpoints, ...requests) === AT_ONCE || more
          ? work.at
          : hours(work.at, 1);
      work.schedule(job.cause, { kind: this.kind, id: `after ${job.id.slice(-24)} at ${work.at}`, dueAt, payload: {} });
    });
  }
}
