import { money, type PermitState, roundsBy, topics } from '@countersign/contracts';
import {
  type Batch,
  Consumes,
  deployment,
  type Job,
  type JobContext,
  type JobKind,
  jobName,
  RUNTIME,
  type Runtime,
} from '@countersign/runtime';
import { Controller, Inject, Injectable, Logger } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { settle } from '../core/settle.js';
import { taskRetentionMs } from '../core/tasks.js';
import { type SettledPermit, Store } from './verdicts.repository.js';

const { executors } = deployment();

/** Books the results of permits. A settlement counts only from the executor that its permit names. */
@Controller()
export class Settlements {
  private readonly log = new Logger('settlements');

  constructor(@Inject(Store) private readonly store: Store) {}

  @Consumes(...executors.map(topics.actionsSettled))
  async onSettled(@Payload() batch: Batch<'ActionSettled' | 'PermitRejected'>): Promise<void> {
    const writer = executors.find((executor) => topics.actionsSettled(executor).name === batch.topic);
    // A rejected permit settles nothing: the executor had no right to end it.
    const settlements = batch.events.flatMap(({ event }) => (event.type === 'ActionSettled' ? [event.data] : []));
    if (settlements.length === 0) return;
    const permits = await this.store.lockPermits(batch.tx, [...new Set(settlements.map((s) => s.permitId))]);
    const states = new Map<string, PermitState>();
    // A permit may be settled twice in a batch (unresolved, then executed): the changes are applied in order.
    const moves: SettledPermit[] = [];
    for (const settlement of settlements) {
      const { permitId, outcome, spentMinor } = settlement;
      const permit = permits.get(permitId);
      if (!permit) {
        this.log.warn(`${writer} settled permit ${permitId}, which was never issued here`);
        continue;
      }
      if (permit.executor !== writer || settlement.executor !== writer || settlement.digest !== permit.digest) {
        this.log.error(
          `${writer} settled permit ${permitId} as ${outcome}; it is for another executor or action, and does not count`,
        );
        continue;
      }
      const state = states.get(permitId) ?? permit.state;
      const settled = settle(state, outcome);
      if (!settled) {
        if (state !== outcome) this.log.warn(`permit ${permitId} is ${state}; ${outcome} changes nothing`);
        continue;
      }
      states.set(permitId, settled.state);
      const ofExecuted = outcome === 'executed' ? spentMinor : undefined;
      moves.push({ permitId, ...settled, happenedAt: settlement.at, spentMinor: ofExecuted });
    }
    for (const round of roundsBy(moves, ({ permitId }) => permitId)) {
      for (const over of await this.store.settle(batch.tx, round, batch.at)) {
        const { permitId, ledger, currency } = over;
        const figures = `${money(over.spent, currency)} spent, ${money(over.reserved, currency)} reserved`;
        this.log.error(`permit ${permitId} went over what it reserved on ${ledger}: ${figures}; all of it is booked`);
      }
    }
  }
}

/** The executor settles an expired permit itself. Only a permit that is later than this is reported. */
const lateMs = 60_000;
/** Twice as long as the limit per hour looks back. */
const forgetAfterMs = 7_200_000;
/** How often late permits are looked for. The report may come later by this much. */
const lookEveryMs = 60_000;

/**
 * Reports a permit that has no settlement long after its expiry. It releases nothing: only the permit's executor knows what happened.
 * There is one job for all permits. It looks at the permits that became late since its last due time, and schedules the next job. The
 * first job is created with the tables.
 */
@Injectable()
export class OverdueJobs implements JobKind {
  readonly kind = jobName<unknown>('permits-overdue');
  readonly leaseMs = 30_000;
  readonly batch = 1;
  private readonly log = new Logger('permits');

  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(Store) private readonly store: Store,
  ) {}

  async work(jobs: readonly Job[], context: JobContext): Promise<void> {
    const since = Math.min(...jobs.map((job) => Date.parse(job.dueAt))) - lookEveryMs;
    const until = Math.floor(Date.parse(context.now()) / lookEveryMs) * lookEveryMs;
    const rows = await this.runtime.read<{ permit_id: string; executor: string; state: PermitState; expires_at: Date }>(
      `SELECT permit_id, executor, state, expires_at FROM permits
       WHERE expires_at > $1 AND expires_at <= $2 AND state IN ('issued', 'unresolved') ORDER BY expires_at`,
      [timeOf(since - lateMs), timeOf(until - lateMs)],
    );
    for (const { permit_id, executor, state, expires_at } of rows) {
      const expired = expires_at.toISOString();
      this.log.warn(
        state === 'issued'
          ? `permit ${permit_id} expired at ${expired} and ${executor} has not settled it; what it reserved stays held`
          : `permit ${permit_id} of ${executor} is unresolved: a person decides with \`countersign settle\`; what it reserved stays held`,
      );
    }
    await context.finish(jobs, async ([job], work) => {
      if (!job) return;
      this.store.forgetApprovals(work.tx, timeOf(until - forgetAfterMs));
      // No proposal can name these tasks any more.
      this.runtime.forgetLookedUp(work.tx, topics.tasksAssigned, timeOf(until - taskRetentionMs));
      const next = timeOf(until + lookEveryMs);
      // Without a trace: the trace would never end.
      const cause = { source: job.cause.source, id: job.cause.id };
      work.schedule(cause, { kind: this.kind, id: next, dueAt: next, payload: {} });
    });
  }
}

const timeOf = (ms: number): string => new Date(ms).toISOString();
