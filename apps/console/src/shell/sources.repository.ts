import { type Reader, RUNTIME, type Runtime, type Tx } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { LastHeard, Rejection, SourceCount } from '../core/sources.js';
import { readersOf } from './readers.js';

export interface RejectedRow extends Rejection {
  readonly id: string;
}

export interface RejectedQuery {
  readonly source?: string | undefined;
  readonly code?: string | undefined;
  /** Returns only signals that were rejected before this one. */
  readonly cursor?: string | undefined;
  readonly limit: number;
}

const minutesAgo = (at: string, n: number): string => new Date(Date.parse(at) - n * 60_000).toISOString();

/** The signals that sources sent, and those of them that were rejected. */
@Injectable()
export class SourceStore {
  private readonly forPages: Reader;

  constructor(@Inject(RUNTIME) runtime: Runtime) {
    ({ forPages: this.forPages } = readersOf(runtime));
  }

  /** Counts of the last hour and of the last day. A minute that has begun counts whole. */
  counts(at: string): Promise<SourceCount[]> {
    return this.forPages.query<SourceCount>(
      `SELECT source, outcome, coalesce(sum(n) FILTER (WHERE minute > $2), 0)::int AS hour, sum(n)::int AS day
       FROM source_minutes WHERE minute > $1 GROUP BY source, outcome ORDER BY source, outcome`,
      [minutesAgo(at, 24 * 60), minutesAgo(at, 60)],
    );
  }

  async lastHeard(): Promise<LastHeard[]> {
    const rows = await this.forPages.query<{ source: string; accepted_at: Date | null; rejected_at: Date | null }>(
      'SELECT source, accepted_at, rejected_at FROM sources_heard ORDER BY source LIMIT 2000',
    );
    return rows.map((row) => ({
      source: row.source,
      acceptedAt: row.accepted_at?.toISOString() ?? null,
      rejectedAt: row.rejected_at?.toISOString() ?? null,
    }));
  }

  /** The latest first. */
  async rejected({ source, code, cursor, limit }: RejectedQuery): Promise<RejectedRow[]> {
    const given = [
      { column: 'source =', value: source },
      { column: 'code =', value: code },
      { column: 'seq <', value: cursor },
    ].filter(({ value }) => value !== undefined);
    const conditions = given.map(({ column }, n) => `${column} $${n + 2}`);
    const rows = await this.forPages.query<Omit<RejectedRow, 'at' | 'id'> & { at: Date; id: number | string }>(
      `SELECT seq AS id, source, signal_id AS "signalId", type, code, reasons, topic, partition, "offset", at FROM rejected_signals
       ${conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''} ORDER BY seq DESC LIMIT $1`,
      [limit, ...given.map(({ value }) => value)],
    );
    return rows.map((row) => ({ ...row, id: String(row.id), at: row.at.toISOString() }));
  }
}

/** Deletes a bounded number of rows about signals that are older than `before`. Returns how many of the larger table. */
export async function forgetSignals(tx: Tx, before: string, limit: number): Promise<number> {
  const minutes = await tx.query(
    `DELETE FROM source_minutes WHERE (source, minute, outcome) IN
       (SELECT source, minute, outcome FROM source_minutes WHERE minute < $1 ORDER BY minute LIMIT $2) RETURNING 1`,
    [before, limit],
  );
  const rejected = await tx.query(
    `DELETE FROM rejected_signals WHERE seq IN (SELECT seq FROM rejected_signals WHERE at < $1 ORDER BY seq LIMIT $2) RETURNING 1`,
    [before, limit],
  );
  return Math.max(minutes.length, rejected.length);
}
