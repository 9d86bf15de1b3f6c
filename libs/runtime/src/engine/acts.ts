import { startAct } from '@countersign/telemetry';
import type { Cause, Known, Tx, Work } from '../api/runtime.js';
import type { Database } from '../database/database.js';
import { describe } from '../failures.js';
import { actKind, type JobRunner } from '../jobs/jobs.js';
import { requests } from '../nest/request-log.js';
import { toStore } from '../outbox/outgoing.js';
import type { Publish } from '../outbox/publisher.js';
import { weekActs } from '../outbox/tidy.js';
import { type Bounds, causeKey, UnitOfWork } from '../outbox/unit-of-work.js';
import { messagesMeasured } from './measures.js';

/** The topic name under which the inbox remembers an act. */
const inboxTopics = { 'for ever': '~act', 'for a week': weekActs } as const;

/** The outcome of a person's act: its result, or that the act had been done before. */
export type ActResult<R> = { repeated: false; result: R } | { repeated: true };

/** Runs people's acts. Each act has one effect. If the broker is away, a job publishes the act later. */
export class ActRunner {
  constructor(
    private readonly deps: {
      readonly service: string;
      readonly db: Database;
      readonly jobs: Pick<JobRunner, 'note'>;
      readonly publish: Publish;
      readonly bounds: Bounds;
      readonly now: () => string;
      readonly log: { warn(message: string): void };
    },
  ) {}

  /** See `Runtime.transact`. */
  async transact<R>(
    cause: Cause,
    fn: (work: Work) => Promise<R>,
    follows?: string,
    known: Known = 'for ever',
  ): Promise<ActResult<R>> {
    const request = requests.getStore();
    if (request) request.act = cause.id;
    const act = startAct({ id: cause.id, follows });
    try {
      const done = await this.act(cause, fn, act.traceparent, known);
      act.end();
      return done;
    } catch (error) {
      act.end(describe(error).code);
      throw error;
    }
  }

  private async act<R>(
    cause: Cause,
    fn: (work: Work) => Promise<R>,
    traceparent: string | undefined,
    known: Known,
  ): Promise<ActResult<R>> {
    const { db, jobs, log } = this.deps;
    const done = await db.transaction(
      (tx) => this.commit(tx, cause, fn, traceparent, known),
      () => [traceparent],
    );
    if (done.repeated) return { repeated: true };
    messagesMeasured(done.messages);
    try {
      await this.deps.publish(done.messages);
      await db.read('DELETE FROM jobs WHERE kind = $1 AND id = $2', [actKind.kind.name, done.id]);
    } catch (error) {
      // The act is committed. Its job publishes it when the broker is back.
      log.warn(`act ${done.id}: committed, not published yet: ${describe(error).detail}`);
    }
    jobs.note(done.scheduled);
    return { repeated: false, result: done.result };
  }

  /** Commits the act's changes of the tables, with its messages as the result of a job. */
  private async commit<R>(
    tx: Tx,
    cause: Cause,
    fn: (work: Work) => Promise<R>,
    traceparent: string | undefined,
    known: Known,
  ) {
    const { service, bounds } = this.deps;
    const at = this.deps.now();
    const fresh = await tx.query(
      `INSERT INTO inbox (topic, source, id, sha256, partition, "offset", at) VALUES ($4, $1, $2, '', 0, 0, $3) ON CONFLICT DO NOTHING RETURNING id`,
      [cause.source, cause.id, at, inboxTopics[known]],
    );
    if (fresh.length === 0) return { repeated: true } as const;
    const unit = new UnitOfWork(service, at, tx, bounds, traceparent);
    const result = await fn(unit);
    unit.causesAmong([causeKey(cause)]);
    await unit.withhold();
    unit.flush();
    const id = `${cause.source} ${cause.id}`;
    const messages = unit.messagesOf(cause);
    tx.write(
      `INSERT INTO jobs (kind, id, due_at, lease_until, claims, payload, cause, result_at, messages, created_at) VALUES ($1, $2, $3, clock_timestamp() + interval '10 seconds', 1, '{}', $4, $3, $5, $3)`,
      [actKind.kind.name, id, at, JSON.stringify(cause), JSON.stringify(messages.map(toStore))],
    );
    return { repeated: false, result, id, messages, scheduled: unit.scheduled } as const;
  }
}
