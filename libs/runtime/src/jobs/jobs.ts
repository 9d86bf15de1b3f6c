import { type Processing, startJob } from '@countersign/telemetry';
import type { Limits } from '../api/limits.js';
import { type Job, type JobContext, type JobKind, jobName, type Work } from '../api/runtime.js';
import type { Database, Planned } from '../database/database.js';
import { messagesMeasured } from '../engine/measures.js';
import { backoff, describe, isTransient } from '../failures.js';
import { type Outgoing, storedAgain, toStore } from '../outbox/outgoing.js';
import { cut, packed } from '../outbox/packed.js';
import type { Publish } from '../outbox/publisher.js';
import { type Bounds, causeKey, UnitOfWork } from '../outbox/unit-of-work.js';
import { claim, type JobRow } from './claims.js';
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

/** A job that was scheduled or put off, and the time from which it can be claimed. */
export interface Scheduled {
  readonly kind: string;
  readonly dueAt: string;
}

/** A kind of job, and what its runner knows of it. */
interface Line {
  readonly kind: JobKind<never>;
  /** Claims in work. */
  readonly running: Set<Promise<void>>;
  /** Without the claims that only wait for an outside system. */
  readonly working: Set<Promise<void>>;
  /** When the next row may be claimed, in milliseconds since 1970, as far as it is known. */
  next: number;
}

/**
 * Runs the service's jobs. It claims due rows under a lease and lets their kind work them. A result is committed under the row's
 * lock, then published, and only then is the row deleted. Any number of instances may run.
 */
export class JobRunner {
  private readonly lines = new Map<string, Line>();
  private ended: Promise<void> | undefined;
  private stopping = false;
  private wakeUp = (): void => undefined;

  constructor(private readonly deps: JobsDependencies) {}

  start(kinds: readonly JobKind<never>[]): void {
    for (const kind of kinds)
      this.lines.set(kind.kind.name, { kind, running: new Set(), working: new Set(), next: -Infinity });
    this.ended = this.run();
  }

  /** Notes jobs that this instance has scheduled or put off, so that they are claimed when they are due. */
  note(jobs: readonly Scheduled[]): void {
    for (const { kind, dueAt } of jobs) {
      const line = this.lines.get(kind);
      if (line) line.next = Math.min(line.next, Date.parse(dueAt));
    }
    if (jobs.length > 0) this.wakeUp();
  }

  /** Takes no new rows and waits for the rows in work. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.wakeUp();
    await this.ended;
  }

  /**
   * Looks for jobs when this instance knows that one is due. Every `JOB_POLL_MS` it also looks for jobs that other instances have
   * scheduled, put off, or claimed and left.
   */
  private async run(): Promise<void> {
    const { limits, log } = this.deps;
    let pollAt = -Infinity;
    let failures = 0;
    while (!this.stopping) {
      try {
        const now = this.deps.now();
        const polls = performance.now() >= pollAt;
        const free = [...this.lines.values()].filter(({ kind, working }) => working.size < (kind.parallel ?? 1));
        const asked = free.filter(({ next }) => polls || next <= Date.parse(now));
        if (asked.length > 0) await this.look(asked, now, polls);
        if (polls) pollAt = performance.now() + limits.jobPollMs;
        failures = 0;
        if (asked.length > 0) continue;
        // There is no await between reading `next` and this sleep, so no note gets lost between them.
        const next = Math.min(...free.map((line) => line.next)) - Date.parse(now);
        await this.sleep(Math.min(next, pollAt - performance.now()));
      } catch (error) {
        log.warn(`jobs: cannot claim: ${describe(error).detail}`);
        await this.sleep(backoff(failures++, limits.backoffMs, limits.jobPollMs * 5));
      }
    }
    await Promise.allSettled([...this.lines.values()].flatMap(({ running }) => [...running]));
  }

  private sleep(ms: number): Promise<void> {
    if (this.stopping) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(1, ms));
      this.wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Claims due rows of these kinds and begins to work them. */
  private async look(asked: readonly Line[], now: string, leases: boolean): Promise<void> {
    const known = asked.map((line) => line.next);
    // Jobs that are noted from here on may be too late for this look.
    for (const line of asked) line.next = Infinity;
    try {
      const found = await this.claim(
        asked.map((line) => line.kind),
        now,
        leases,
      );
      for (const line of asked) {
        const { rows = [], nextMs = 0 } = found.get(line.kind.kind.name) ?? {};
        // A full batch: there may be more.
        const next = rows.length === line.kind.batch ? -Infinity : Date.parse(now) + nextMs;
        line.next = Math.min(line.next, next);
        if (rows.length > 0) this.begin(line, rows);
      }
    } catch (error) {
      for (const [n, line] of asked.entries()) line.next = Math.min(line.next, known[n] ?? line.next);
      throw error;
    }
  }

  private begin({ kind, running, working }: Line, rows: readonly JobRow[]): void {
    const free = () => {
      working.delete(work);
      this.wakeUp();
    };
    const work: Promise<void> = this.work(kind, rows, () => free()).finally(() => {
      running.delete(work);
      free();
    });
    running.add(work);
    working.add(work);
  }

  /** Claims due rows and works them once, for tests. Returns the number of rows. */
  async runDue(kind: JobKind<never>): Promise<number> {
    const { rows = [] } = (await this.claim([kind], this.deps.now(), false)).get(kind.kind.name) ?? {};
    if (rows.length > 0) await this.work(kind, rows, () => undefined);
    return rows.length;
  }

  private claim(kinds: readonly JobKind<never>[], now: string, leases: boolean) {
    return claim(this.deps.db, kinds, { now, leaseMs: this.deps.limits.leaseMs, leases });
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
    const context = this.context(kind, jobs, aside);
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
          return { tries, wait, scheduled: [{ kind: kind.kind.name, dueAt }] };
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
        return { tries, messages, note, scheduled: unit.scheduled };
      },
      contextsOf([job]),
    );
    if (!result) return;
    const { tries, wait, messages, note = '', scheduled } = result;
    const then = messages ? `dead letter after ${tries} tries${note}` : `try ${tries}, again in ${wait} ms`;
    this.deps.log.error(`jobs ${kind.kind.name} ${job.id}: ${detail}: ${then}`);
    if (messages) messagesMeasured(messages);
    try {
      if (messages) await this.deliver(kind.kind.name, [{ id: job.id, messages }]);
    } finally {
      this.note(scheduled);
    }
  }

  private context(
    { kind: { name: kind }, plannedOnce }: JobKind<never>,
    claimed: readonly Job[],
    aside: () => void,
  ): JobContext {
    const planned = plannedOnce ? 'once' : 'each time';
    return {
      aside,
      now: this.deps.now,
      transaction: async (fn) => {
        const { result, scheduled } = await this.deps.db.transaction(
          async (tx) => {
            const unit = new UnitOfWork(this.deps.service, this.deps.now(), tx, this.deps.bounds);
            const result = await fn(unit);
            // Outputs must be emitted in `finish`, because only `finish` stores them with the row.
            unit.causesAmong([]);
            unit.flush();
            return { result, scheduled: unit.scheduled };
          },
          contextsOf(claimed),
          planned,
        );
        this.note(scheduled);
        return result;
      },
      finish: (jobs, fn) => this.finish(kind, jobs, fn, planned),
      later: async (job, dueAt) => {
        await this.deps.db.read(
          `UPDATE jobs SET due_at = $4, lease_until = NULL WHERE kind = $1 AND id = $2 AND claims = $3 AND result_at IS NULL`,
          [kind, job.id, job.claims, dueAt],
        );
        this.note([{ kind, dueAt }]);
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
    planned: Planned,
  ): Promise<void> {
    if (jobs.length === 0) return;
    const { emitted, ended, scheduled } = await this.deps.db.transaction(
      async (tx) => {
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
          scheduled: unit.scheduled,
        };
      },
      contextsOf(jobs),
      planned,
    );
    messagesMeasured(emitted);
    try {
      await this.deliver(kind, ended);
    } finally {
      this.note(scheduled);
    }
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
