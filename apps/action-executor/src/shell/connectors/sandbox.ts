import { type Database, openDatabase, type Reader, readLimits } from '@countersign/runtime';
import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import pg from 'pg';
import { type Answer, type Found, NotSent, type Shown } from '../../core/answer.js';
import { SETTINGS, type Settings } from '../settings.js';

/** A transaction of the sandboxes' own. */
export type SandboxTx = Reader;

interface AnswerRow {
  key: string;
  outcome: 'done' | 'rejected';
  external_reference: string | null;
  before: Shown | null;
  after: Shown | null;
  reason: { code: string; says: string } | null;
}

interface Call {
  readonly key: string;
  readonly effect: (tx: SandboxTx) => Promise<Answer>;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The connected systems of the demo. They stand for systems elsewhere: their connections and transactions are their own, and
 * they keep every definite answer, refusals included, under its idempotency key for good.
 */
@Injectable()
export class Sandbox implements OnApplicationShutdown {
  private readonly db: Database;
  /** Calls of each system that is at work, in the order they came. */
  private readonly waiting = new Map<string, Call[]>();

  constructor(@Inject(SETTINGS) settings: Pick<Settings, 'databaseUrl'>) {
    const log = new Logger(Sandbox.name);
    const limits = { ...readLimits(process.env), connections: 8 };
    this.db = openDatabase(settings.databaseUrl, 'sandbox', limits, (message) => log.warn(message));
  }

  onApplicationShutdown(): Promise<void> {
    return this.db.close();
  }

  /**
   * Runs `effect` under a key that is new to the system; a known key gets its first answer again, and nothing else happens. Calls
   * that come while others are at work share the next transaction, as a system with many callers would do it.
   */
  once(system: string, key: string, signal: AbortSignal, effect: (tx: SandboxTx) => Promise<Answer>): Promise<Answer> {
    const busy = () => new NotSent(`${system} was at work for others until the time was up`);
    if (signal.aborted) return Promise.reject(busy());
    return new Promise((resolve, reject) => {
      const waiting = this.waiting.get(system) ?? [];
      const call = { key, effect, resolve, reject };
      waiting.push(call);
      const leave = () => {
        const at = waiting.indexOf(call);
        if (at < 0) return;
        waiting.splice(at, 1);
        reject(busy());
      };
      signal.addEventListener('abort', leave, { once: true });
      if (this.waiting.has(system)) return;
      this.waiting.set(system, waiting);
      setImmediate(() => void this.drain(system, waiting));
    });
  }

  private async drain(system: string, waiting: Call[]): Promise<void> {
    while (waiting.length > 0) await this.together(system, waiting.splice(0, 64));
    this.waiting.delete(system);
  }

  private async together(system: string, calls: readonly Call[]): Promise<void> {
    try {
      const answers = await this.db.transaction((tx) => this.answers(system, calls, tx));
      for (const { key, resolve, reject } of calls) {
        const answer = answers.get(key);
        if (answer) resolve(answer);
        else reject(new Error(`${system}: a key without an answer`));
      }
    } catch (error) {
      // One that the database refuses must not take the others with it; without a database there is nothing to try.
      if (calls.length > 1 && error instanceof pg.DatabaseError) {
        for (const call of calls) await this.together(system, [call]);
      } else for (const { reject } of calls) reject(error);
    }
  }

  private async answers(system: string, calls: readonly Call[], tx: SandboxTx): Promise<Map<string, Answer>> {
    const keys = [...new Set(calls.map((call) => call.key))].sort();
    const claimed = await tx.query<{ key: string }>(
      `INSERT INTO sandbox_answers (system, key) SELECT $1, key FROM unnest($2::text[]) AS key ORDER BY key
       ON CONFLICT DO NOTHING RETURNING key`,
      [system, keys],
    );
    const fresh = new Set(claimed.map((row) => row.key));
    const answers = await this.answersTo(
      system,
      keys.filter((key) => !fresh.has(key)),
      tx,
    );
    const given: [string, Answer][] = [];
    for (const { key, effect } of calls) {
      if (!fresh.delete(key)) continue;
      const answer = await effect(tx);
      answers.set(key, answer);
      given.push([key, answer]);
    }
    const json = (value: unknown) => (value === undefined ? null : JSON.stringify(value));
    const done = given.map(([, answer]) => (answer.outcome === 'done' ? answer : undefined));
    if (given.length > 0) {
      await tx.query(
        `UPDATE sandbox_answers a SET outcome = n.outcome, external_reference = n.reference, before = n.before::jsonb,
                after = n.after::jsonb, reason = n.reason::jsonb
         FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
           AS n(key, outcome, reference, before, after, reason)
         WHERE a.system = $1 AND a.key = ANY($2) AND a.key = n.key`,
        [
          system,
          given.map(([key]) => key),
          given.map(([, answer]) => answer.outcome),
          done.map((answer) => answer?.externalReference ?? null),
          done.map((answer) => json(answer?.before)),
          done.map((answer) => json(answer?.after)),
          given.map(([, answer]) => (answer.outcome === 'rejected' ? json(answer.reason) : null)),
        ],
      );
    }
    return answers;
  }

  /** What a system knows of a key. */
  async find(system: string, key: string): Promise<Found> {
    return (await this.answersTo(system, [key], this)).get(key) ?? { outcome: 'absent' };
  }

  query<Row = Record<string, unknown>>(sql: string, params?: readonly unknown[]): Promise<Row[]> {
    return this.db.read<Row>(sql, params);
  }

  private async answersTo(system: string, keys: readonly string[], tx: SandboxTx): Promise<Map<string, Answer>> {
    if (keys.length === 0) return new Map();
    const rows = await tx.query<AnswerRow>(
      `SELECT key, outcome, external_reference, before, after, reason FROM sandbox_answers
       WHERE system = $1 AND key = ANY($2) AND outcome IS NOT NULL`,
      [system, keys],
    );
    return new Map(rows.map((row) => [row.key, answerOf(row)]));
  }
}

function answerOf(row: AnswerRow): Answer {
  if (row.outcome === 'rejected') {
    return { outcome: 'rejected', reason: row.reason ?? { code: 'rejected', says: 'refused' } };
  }
  return {
    outcome: 'done',
    externalReference: row.external_reference ?? row.key,
    ...(row.before !== null && { before: row.before }),
    ...(row.after !== null && { after: row.after }),
  };
}
