import { type Processing, startJob } from '@countersign/telemetry';
import type { Limits } from '../api/limits.js';
import { type Cause, type Job, type JobContext, type JobKind, jobName, type Work } from '../api/runtime.js';
import type { Database } from '../database/database.js';
import { messagesMeasured } from '../engine/measures.js';
import { backoff, describe, isTransient } from '../failures.js';
import { type OutboxMessage, type Outgoing, storedAgain, toStore } from '../outbox/outgoing.js';
import { cut, packed } from '../outbox/packed.js';
import type { Publish } from '../outbox/publisher.js';
import { type Bounds, causeKey, UnitOfWork } from '../outbox/unit-of-work.js';
import { buryJob } from './job-letters.js';

export interface JobsDependencies {
  readonly service: string;
  readonly db: Database;
  readonly publish: Publish;
  readonly limits: Limits;
  readonly now: () => string;
  readonly bounds: Bounds;
  /** Whether a job that fails for good becomes a dead letter. If not, it is tried for ever. */
  readonly buries: boolean;
  readonly log: { warn(message: string): void; error(message: string): void };
}

interface JobRow {
  kind: string;
  id: string;
  due_at: Date;
  claims: number;
  payload: unknown;
  cause: Cause;
  result_at: Date | null;
  messages: OutboxMessage[] | null;
}

/**
 * Runs the service's jobs. It claims due rows under a lease and lets their kind work them. A result is committed under the row's
 * lock, then published, and only then is the row deleted. Any number of instances may run.
 */
export class JobRunner {
  private readonly loops: { kind: JobKind<never>; wake: () => void; stop: () => Promise<void> }[] = [];
  private stopping = false;

  constructor(private readonly deps: JobsDependencies) {}

  start(kinds: readonly JobKind<never>[]): void {
    for (const kind of kinds) this.loops.push(this.loop(kind));
  }

  /** Looks for due rows of these kinds at once. */
  wake(kinds: ReadonlySet<string>): void {
    for (const loop of this.loops) if (kinds.has(loop.kind.kind.name)) loop.wake();
  }

  /** Takes no new rows and waits for the rows in work. */
  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.loops.map((loop) => loop.stop()));
  }

  private loop(kind: JobKind<never>) {
    const running = new Set<Promise<void>>();
    // Without the claims that only wait for an outside system.
    const working = new Set<Promise<void>>();
    let wake = (): void => undefined;
    const done = (async () => {
      let failures = 0;
      while (!this.stopping) {
        let claimed = 0;
        if (working.size < (kind.parallel ?? 1)) {
          try {
            const rows = await this.claim(kind);
            claimed = rows.length;
            failures = 0;
            if (claimed > 0) {
              const free = () => {
                working.delete(work);
                wake();
              };
              const work: Promise<void> = this.work(kind, rows, () => free()).finally(() => {
                running.delete(work);
                free();
              });
              running.add(work);
              working.add(work);
            }
          } catch (error) {
            failures++;
            this.deps.log.warn(`jobs ${kind.kind.name}: cannot claim: ${describe(error).detail}`);
          }
        }
        if (claimed === kind.batch) continue;
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, this.deps.limits.jobPollMs * Math.min(2 ** failures, 25));
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
          if (this.stopping) wake();
        });
      }
      await Promise.allSettled(running);
    })();
    return {
      kind,
      wake: () => wake(),
      stop: () => {
        wake();
        return done;
      },
    };
  }

  /** Claims due rows and works them once, for tests and for the loop. Returns the number of rows. */
  async runDue(kind: JobKind<never>): Promise<number> {
    const rows = await this.claim(kind);
    if (rows.length > 0) await this.work(kind, rows, () => undefined);
    return rows.length;
  }

  private claim(kind: JobKind<never>): Promise<JobRow[]> {
    return this.deps.db.read<JobRow>(
      `UPDATE jobs j SET lease_until = clock_timestamp() + $3 * interval '1 millisecond', claims = claims + 1
       FROM (SELECT ctid FROM jobs WHERE kind = $1 AND due_at <= $2 AND (lease_until IS NULL OR lease_until < clock_timestamp())
             ORDER BY due_at LIMIT $4 FOR UPDATE SKIP LOCKED) due
       WHERE j.ctid = due.ctid
       RETURNING j.kind, j.id, j.due_at, j.claims, j.payload, j.cause, j.result_at, j.messages`,
      [kind.kind.name, this.deps.now(), Math.min(kind.leaseMs, this.deps.limits.leaseMs), kind.batch],
    );
  }

  /**
   * Prolongs a claim while it is worked, at most to its kind's `leaseMs`. Rows that were put off or taken over stay as they are.
   */
  private prolonged(kind: JobKind<never>, rows: readonly JobRow[]): { stop(): void } {
    const { leaseMs } = this.deps.limits;
    const last = performance.now() + kind.leaseMs;
    const timer = setInterval(() => {
      const left = Math.min(leaseMs, last - performance.now());
      if (left <= 0) return clearInterval(timer);
      this.deps.db
        .read(
          `UPDATE jobs j SET lease_until = greatest(lease_until, clock_timestamp() + $4 * interval '1 millisecond')
           FROM unnest($2::text[], $3::int[]) AS n(id, claims)
           WHERE j.kind = $1 AND j.id = ANY($2) AND j.id = n.id AND j.claims = n.claims AND j.lease_until > clock_timestamp()`,
          [kind.kind.name, rows.map((row) => row.id), rows.map((row) => row.claims), Math.ceil(left)],
        )
        .catch((error: unknown) =>
          this.deps.log.warn(`jobs ${kind.kind.name}: not prolonged: ${describe(error).detail}`),
        );
    }, leaseMs / 3);
    return { stop: () => clearInterval(timer) };
  }

  private async work(kind: JobKind<never>, rows: readonly JobRow[], aside: () => void): Promise<void> {
    const prolonged = this.prolonged(kind, rows);
    try {
      const answered = rows.filter((row) => row.result_at !== null);
      if (answered.length > 0) await this.release(kind.kind.name, answered);
      const jobs = rows.filter((row) => row.result_at === null).map(jobOf);
      if (jobs.length > 0) await this.traced(kind, jobs, aside);
    } catch (error) {
      // The rows keep their lease. They are claimed again when it has ended.
      this.deps.log.error(`jobs ${kind.kind.name}: ${describe(error).detail}`);
    } finally {
      prolonged.stop();
    }
  }

  /** Each claim of a job is a span; what the job emits and schedules is its child. */
  private async traced(kind: JobKind<never>, jobs: readonly Job[], aside: () => void): Promise<void> {
    const spans = new Map(
      jobs.map((job) => [job.id, startJob({ ...job, traceparent: job.cause.traceparent })] as const),
    );
    try {
      const traced = jobs.map((job) => ({
        ...job,
        cause: { ...job.cause, traceparent: spans.get(job.id)?.traceparent },
      }));
      await this.together(kind, traced, spans, aside);
      for (const span of spans.values()) span.end();
    } catch (error) {
      for (const span of spans.values()) span.end(describe(error).code);
      throw error;
    }
  }

  /**
   * One job that fails for its own reason must not hold up the jobs of the same claim. So they are then worked one by one, if the
   * claim still holds them.
   */
  private async together(
    kind: JobKind<never>,
    jobs: readonly Job[],
    spans: ReadonlyMap<string, Processing>,
    aside: () => void,
  ): Promise<void> {
    const context = this.context(kind.kind.name, jobs, aside);
    const work = (group: readonly Job[]) => kind.work(group as unknown as readonly Job<never>[], context);
    try {
      await work(jobs);
    } catch (error) {
      if (isTransient(error)) throw error;
      if (jobs.length === 1) {
        for (const span of spans.values()) span.end(describe(error).code);
        return this.failed(kind, jobs[0] as Job, error);
      }
      this.deps.log.warn(
        `jobs ${kind.kind.name}: ${jobs.length} failed together (${describe(error).detail}); now one by one`,
      );
      for (const job of jobs) {
        if (!(await context.holds(job))) continue;
        await work([job]).catch((alone: unknown) => {
          spans.get(job.id)?.end(describe(alone).code);
          if (isTransient(alone)) throw alone;
          return this.failed(kind, job, alone);
        });
      }
    }
  }

  /** Counts a failed try of a job and puts the job off. After the last try the job becomes a dead letter. */
  private async failed(kind: JobKind<never>, job: Job, error: unknown): Promise<void> {
    const { jobTries, backoffMs, jobBackoffMaxMs } = this.deps.limits;
    const { detail } = describe(error);
    const result = await this.deps.db.transaction(
      async (tx) => {
        const at = this.deps.now();
        const [row] = await tx.query<{ tries: number }>(
          `SELECT tries FROM jobs WHERE kind = $1 AND id = $2 AND claims = $3 AND result_at IS NULL FOR UPDATE`,
          [kind.kind.name, job.id, job.claims],
        );
        // The job has ended, or another instance has taken it over and counts its own tries.
        if (!row) return undefined;
        const tries = row.tries + 1;
        const last = this.deps.buries && tries >= jobTries;
        if (!last) {
          const wait = backoff(row.tries, backoffMs, jobBackoffMaxMs);
          const dueAt = new Date(Date.parse(at) + wait).toISOString();
          tx.write('UPDATE jobs SET tries = $3, due_at = $4, lease_until = NULL WHERE kind = $1 AND id = $2', [
            kind.kind.name,
            job.id,
            tries,
            dueAt,
          ]);
          return { tries, wait };
        }
        const unit = new UnitOfWork(this.deps.service, at, tx, this.deps.bounds);
        const fault = { code: 'job', detail };
        const { messages, note } = await buryJob({ service: this.deps.service, kind, job, unit, fault, tries });
        tx.write('UPDATE jobs SET tries = $3, result_at = $4, messages = $5::jsonb WHERE kind = $1 AND id = $2', [
          kind.kind.name,
          job.id,
          tries,
          at,
          JSON.stringify(messages.map(toStore)),
        ]);
        return { tries, messages, note, kinds: new Set(unit.scheduled.map((s) => s.kind)) };
      },
      contextsOf([job]),
    );
    if (!result) return;
    const { tries, wait, messages, note = '', kinds } = result;
    const then = messages ? `dead letter after ${tries} tries${note}` : `try ${tries}, again in ${wait} ms`;
    this.deps.log.error(`jobs ${kind.kind.name} ${job.id}: ${detail}: ${then}`);
    if (!messages) return;
    messagesMeasured(messages);
    await this.deliver(kind.kind.name, [{ id: job.id, messages }]);
    if (kinds && kinds.size > 0) this.wake(kinds);
  }

  private context(kind: string, claimed: readonly Job[], aside: () => void): JobContext {
    return {
      aside,
      now: this.deps.now,
      transaction: (fn) =>
        this.deps.db.transaction(async (tx) => {
          const unit = new UnitOfWork(this.deps.service, this.deps.now(), tx, this.deps.bounds);
          const result = await fn(unit);
          // Outputs must be emitted in `finish`, because only `finish` stores them with the row.
          unit.causesAmong([]);
          unit.flush();
          return result;
        }, contextsOf(claimed)),
      finish: (jobs, fn) => this.finish(kind, jobs, fn),
      later: async (job, dueAt) => {
        await this.deps.db.read(
          `UPDATE jobs SET due_at = $4, lease_until = NULL WHERE kind = $1 AND id = $2 AND claims = $3 AND result_at IS NULL`,
          [kind, job.id, job.claims, dueAt],
        );
      },
      holds: async (job) => {
        const rows = await this.deps.db.read(
          `SELECT 1 FROM jobs WHERE kind = $1 AND id = $2 AND claims = $3 AND lease_until > clock_timestamp() AND result_at IS NULL`,
          [kind, job.id, job.claims],
        );
        return rows.length > 0;
      },
    };
  }

  private async finish<P>(
    kind: string,
    jobs: readonly Job<P>[],
    fn: (owned: readonly Job<P>[], work: Work) => Promise<void>,
  ): Promise<void> {
    if (jobs.length === 0) return;
    const { emitted, ended, kinds } = await this.deps.db.transaction(async (tx) => {
      const rows = await tx.query<Pick<JobRow, 'id' | 'result_at' | 'messages'>>(
        `SELECT id, result_at, messages FROM jobs WHERE kind = $1 AND id = ANY($2) ORDER BY id FOR UPDATE`,
        [kind, jobs.map((job) => job.id)],
      );
      const open = new Set(rows.filter((row) => row.result_at === null).map((row) => row.id));
      const owned = jobs.filter((job) => open.has(job.id));
      const unit = new UnitOfWork(this.deps.service, this.deps.now(), tx, this.deps.bounds);
      if (owned.length > 0) await fn(owned, unit);
      await unit.withhold();
      unit.flush();
      const messages = owned.map((job) => unit.messagesOf(job.cause));
      unit.causesAmong(owned.map((job) => causeKey(job.cause)));
      if (owned.length > 0) {
        const texts = packed(messages.map((list) => JSON.stringify(list.map(toStore))));
        tx.write(
          `UPDATE jobs j SET result_at = $4, messages = ${cut('$3', 'n.start', 'n.length')}::jsonb
           FROM unnest($2::text[], $5::int[], $6::int[]) AS n(id, start, length)
           WHERE j.kind = $1 AND j.id = ANY($2) AND j.id = n.id`,
          [kind, owned.map((job) => job.id), texts.bytes, unit.at, texts.starts, texts.lengths],
        );
      }
      const answered = rows.filter((row) => row.result_at !== null);
      const fresh = owned.map((job, n) => ({ id: job.id, messages: messages[n] ?? [] }));
      const stored = answered.map((row) => ({ id: row.id, messages: (row.messages ?? []).map(storedAgain) }));
      return {
        emitted: fresh.flatMap((job) => job.messages),
        ended: [...fresh, ...stored],
        kinds: new Set(unit.scheduled.map((job) => job.kind)),
      };
    }, contextsOf(jobs));
    messagesMeasured(emitted);
    await this.deliver(kind, ended);
    if (kinds.size > 0) this.wake(kinds);
  }

  private release(kind: string, rows: readonly JobRow[]): Promise<void> {
    return this.deliver(
      kind,
      rows.map((row) => ({ id: row.id, messages: (row.messages ?? []).map(storedAgain) })),
    );
  }

  /** Publishes first, then deletes: after a crash in between, the same bytes are published again. */
  private async deliver(kind: string, ended: readonly { id: string; messages: readonly Outgoing[] }[]): Promise<void> {
    await this.deps.publish(ended.flatMap((row) => row.messages));
    await this.deps.db.read(
      `WITH gone AS (DELETE FROM jobs WHERE kind = $1 AND id = ANY($2) AND result_at IS NOT NULL RETURNING result_at)
       INSERT INTO jobs_published (at) SELECT max(result_at) FROM gone HAVING count(*) > 0
       ON CONFLICT (only_row) DO UPDATE SET at = greatest(jobs_published.at, excluded.at)`,
      [kind, ended.map((row) => row.id)],
    );
  }
}

const contextsOf = (jobs: readonly Job[]) => () => jobs.map((job) => job.cause.traceparent);

const jobOf = (row: JobRow): Job => ({
  kind: row.kind,
  id: row.id,
  payload: row.payload,
  dueAt: row.due_at.toISOString(),
  claims: row.claims,
  cause: {
    source: `job:${row.kind}`,
    id: row.id,
    correlationid: row.cause.correlationid,
    causationid: row.cause.causationid ?? row.cause.id,
    traceparent: row.cause.traceparent,
  },
});

/** The kind of job that carries a person's act to the broker; see `transact`. */
export const actKind: JobKind<never> = {
  kind: jobName('~act'),
  leaseMs: 10_000,
  batch: 50,
  // Rows of this kind already have their result when they are made. The runner publishes it before it calls `work`.
  work: async () => undefined,
};
