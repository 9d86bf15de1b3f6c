import { randomUUID } from 'node:crypto';
import { type DataOf, topics } from '@countersign/contracts';
import { type JobKind, jobName, type NewJob } from '../api/runtime.js';
import type { Database } from '../database/database.js';
import { describe } from '../failures.js';
import type { Scheduled } from '../jobs/jobs.js';
import { type Bounds, UnitOfWork } from '../outbox/unit-of-work.js';

/** What a service publishes about one of its gaps. */
type GapEvent =
  | { readonly type: 'GapReported'; readonly data: DataOf<'GapReported'> }
  | { readonly type: 'AcknowledgementEnded'; readonly data: DataOf<'AcknowledgementEnded'> };

const kind = jobName<GapEvent>('~gap-events');

/** The job that publishes an event about a gap. */
export const gapEvent = (id: string, at: string, payload: GapEvent): NewJob<GapEvent> => ({
  kind,
  id,
  dueAt: at,
  payload,
});

/** Publishes events about gaps. A job does this because a record consumer publishes nothing else. */
export const gapEventKind = (service: string): JobKind<GapEvent> => ({
  kind,
  leaseMs: 10_000,
  batch: 50,
  work: (jobs, context) =>
    context.finish(jobs, async (owned, work) => {
      for (const { cause, payload } of owned) {
        const { topic, partition } = payload.data;
        work.emit(cause, topics.deadLetters(service), { key: topic, subject: `${topic}/${partition}`, ...payload });
      }
    }),
});

/** A row of the table of gaps. */
export interface GapRow {
  readonly topic: string;
  readonly topic_id: string;
  readonly partition: number;
  readonly from_offset: number;
  readonly to_offset: number | null;
  readonly reason: DataOf<'GapReported'>['reason'];
  readonly noticed_at: Date;
}

/** The gap of a row, as events and health show it. */
export const gapOf = (row: GapRow) => ({
  topic: row.topic,
  topicId: row.topic_id,
  partition: row.partition,
  from: row.from_offset,
  to: row.to_offset,
  reason: row.reason,
  noticedAt: row.noticed_at.toISOString(),
});

/**
 * Reports the gaps of a service: each when it is noticed, and all that are open at each start, because a reader may have lost the
 * first report, or the database may have been restored.
 */
export class GapReports {
  private started = false;
  private underWay: Promise<void> | undefined;

  constructor(
    private readonly deps: {
      readonly service: string;
      readonly db: Pick<Database, 'transaction'>;
      readonly now: () => string;
      readonly bounds: Bounds;
      /** Whether there is a gap that was not reported. */
      readonly due: () => boolean;
      readonly onScheduled: (jobs: readonly Scheduled[]) => void;
      readonly log: { warn(message: string): void };
    },
  ) {}

  /** Reports what is due. A failure is logged and never thrown: the next check tries again. */
  check(): Promise<void> {
    if (this.started && !this.deps.due()) return Promise.resolve();
    this.underWay ??= this.report()
      .catch((error: unknown) => this.deps.log.warn(`gaps not reported: ${describe(error).detail}`))
      .finally(() => {
        this.underWay = undefined;
      });
    return this.underWay;
  }

  /** Resolves when no report is under way. */
  async ended(): Promise<void> {
    await this.underWay;
  }

  private async report(): Promise<void> {
    const { service, db, now, bounds } = this.deps;
    const scheduled = await db.transaction(async (tx) => {
      const unit = new UnitOfWork(service, now(), tx, bounds);
      const rows = await tx.query<GapRow>(
        `UPDATE gaps SET reported_at = $1 WHERE acknowledged_at IS NULL AND (reported_at IS NULL OR $2)
         RETURNING topic, topic_id, partition, from_offset, to_offset, reason, noticed_at`,
        [unit.at, !this.started],
      );
      for (const row of rows) {
        // The same gap is reported again under another id, or the report would count as a repeat.
        const id = randomUUID();
        const data = { service, ...gapOf(row), at: unit.at };
        unit.schedule({ source: '~gaps', id, correlationid: id }, gapEvent(id, unit.at, { type: 'GapReported', data }));
      }
      unit.flush();
      return unit.scheduled;
    });
    this.started = true;
    this.deps.onScheduled(scheduled);
  }
}
