import type { DataOf } from '@countersign/contracts';
import { type Reader, RUNTIME, type Runtime, type Tx } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { Cursor } from '../core/cursor.js';
import { readersOf } from './readers.js';
import { insert, lastBy } from './rows.js';

type Requested = DataOf<'RecordPassRequested'>;

/** Requests to read the whole record. Normally the row exists already: the act that published the request wrote it. */
export function storePasses(tx: Tx, passes: readonly Requested[]): void {
  insert(tx, lastBy(passes, 'passId'), {
    sql: `INSERT INTO record_passes (pass_id, used_for, purpose, by_person, asked_at, expires_at)
          SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[])
          ON CONFLICT DO NOTHING`,
    columns: [(p) => p.passId, (p) => p.use, (p) => p.purpose, (p) => p.by, (p) => p.at, (p) => p.expiresAt],
  });
}

/** Deletes a bounded number of requests that were made before `before`. Returns how many. */
export async function forgetPasses(tx: Tx, before: string, limit: number): Promise<number> {
  const rows = await tx.query(
    `DELETE FROM record_passes WHERE pass_id IN (
       SELECT pass_id FROM record_passes WHERE asked_at < $1 ORDER BY asked_at LIMIT $2) RETURNING 1`,
    [before, limit],
  );
  return rows.length;
}

interface Row {
  pass_id: string;
  used_for: Requested['use'];
  purpose: string;
  by_person: string;
  asked_at: Date;
  expires_at: Date;
}

@Injectable()
export class PassStore {
  private readonly forPages: Reader;

  constructor(@Inject(RUNTIME) runtime: Runtime) {
    ({ forPages: this.forPages } = readersOf(runtime));
  }

  /** The requests, the latest first. */
  async list(place: Cursor | undefined, limit: number) {
    const rows = await this.forPages.query<Row>(
      `SELECT * FROM record_passes ${place ? 'WHERE (asked_at, pass_id) < ($2, $3)' : ''}
       ORDER BY asked_at DESC, pass_id DESC LIMIT $1`,
      [limit, ...(place ? [place.at, place.id] : [])],
    );
    return rows.map((row) => ({
      passId: row.pass_id,
      use: row.used_for,
      purpose: row.purpose,
      by: row.by_person,
      at: row.asked_at.toISOString(),
      expiresAt: row.expires_at.toISOString(),
    }));
  }
}
