import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import pg from 'pg';
import type { Answer, Found, Shown } from '../../core/answer.js';
import { SETTINGS, type Settings } from '../settings.js';

/** A transaction of the sandboxes' own. */
export interface SandboxTx {
  query<Row = Record<string, unknown>>(sql: string, params?: readonly unknown[]): Promise<Row[]>;
}

interface AnswerRow {
  outcome: 'done' | 'rejected';
  external_reference: string | null;
  before: Shown | null;
  after: Shown | null;
  reason: { code: string; says: string } | null;
}

const columns = 'outcome, external_reference, before, after, reason';

/**
 * The connected systems of the demo. They stand for systems elsewhere: their connections and transactions are their own, and
 * they keep every definite answer, refusals included, under its idempotency key for good.
 */
@Injectable()
export class Sandbox implements OnApplicationShutdown {
  private readonly pool: pg.Pool;

  constructor(@Inject(SETTINGS) settings: Pick<Settings, 'databaseUrl'>) {
    this.pool = new pg.Pool({
      connectionString: settings.databaseUrl,
      max: 8,
      application_name: 'sandbox',
      connectionTimeoutMillis: 5_000,
      idle_in_transaction_session_timeout: 10_000,
    });
    // An idle connection that breaks is replaced at its next use; without a listener it would end the process.
    this.pool.on('error', () => undefined);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool.end();
  }

  /** Runs `effect` under a key that is new to the system; a known key gets its first answer again, and nothing else happens. */
  async once(
    system: string,
    key: string,
    signal: AbortSignal,
    effect: (tx: SandboxTx) => Promise<Answer>,
  ): Promise<Answer> {
    signal.throwIfAborted();
    return this.transaction(async (tx) => {
      const fresh = await tx.query(
        'INSERT INTO sandbox_answers (system, key) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING key',
        [system, key],
      );
      if (fresh.length === 0) {
        const known = await this.answerTo(system, key, tx);
        if (known) return known;
        throw new Error(`${system}: a key without an answer`);
      }
      const answer = await effect(tx);
      const [reference, before, after, reason] =
        answer.outcome === 'done'
          ? [answer.externalReference, answer.before ?? null, answer.after ?? null, null]
          : [null, null, null, answer.reason];
      await tx.query(
        `UPDATE sandbox_answers SET outcome = $3, external_reference = $4, before = $5, after = $6, reason = $7
         WHERE system = $1 AND key = $2`,
        [system, key, answer.outcome, reference, before, after, reason],
      );
      return answer;
    });
  }

  /** What a system knows of a key. */
  async find(system: string, key: string): Promise<Found> {
    return (await this.answerTo(system, key, this)) ?? { outcome: 'absent' };
  }

  async query<Row = Record<string, unknown>>(sql: string, params: readonly unknown[] = []): Promise<Row[]> {
    return (await this.pool.query(sql, params as unknown[])).rows;
  }

  private async answerTo(system: string, key: string, tx: SandboxTx): Promise<Answer | undefined> {
    const [row] = await tx.query<AnswerRow>(
      `SELECT ${columns} FROM sandbox_answers WHERE system = $1 AND key = $2 AND outcome IS NOT NULL`,
      [system, key],
    );
    if (!row) return undefined;
    if (row.outcome === 'rejected') {
      return { outcome: 'rejected', reason: row.reason ?? { code: 'rejected', says: 'refused' } };
    }
    return {
      outcome: 'done',
      externalReference: row.external_reference ?? key,
      ...(row.before !== null && { before: row.before }),
      ...(row.after !== null && { after: row.after }),
    };
  }

  private async transaction<R>(fn: (tx: SandboxTx) => Promise<R>): Promise<R> {
    const client = await this.pool.connect();
    const ignore = () => undefined;
    client.on('error', ignore);
    let broken: Error | undefined;
    try {
      await client.query('BEGIN');
      const result = await fn({ query: async (sql, params) => (await client.query(sql, params as unknown[])).rows });
      await client.query('COMMIT');
      return result;
    } catch (error) {
      await client.query('ROLLBACK').catch((e: Error) => {
        broken = e;
      });
      throw error;
    } finally {
      client.removeListener('error', ignore);
      client.release(broken);
    }
  }
}
