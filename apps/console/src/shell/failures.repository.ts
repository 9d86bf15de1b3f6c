import type { DataOf } from '@countersign/contracts';
import { type Reader, RUNTIME, type Runtime, type Tx } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { readersOf } from './readers.js';

export interface FailureRow {
  readonly deadLetterId: string;
  readonly service: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly type: string | null;
  readonly job: { readonly kind: string; readonly id: string } | null;
  readonly fault: { readonly code: string; readonly detail: string };
  readonly attempts: number;
  readonly at: string;
  /** The last order to handle it again. */
  readonly replayedBy: string | null;
  readonly replayedAt: string | null;
  readonly replayNote: string | null;
}

type Stored = Omit<FailureRow, 'at' | 'replayedAt'> & { at: Date; replayedAt: Date | null };

const letter = `f.dead_letter_id AS "deadLetterId", f.service, f.topic, f.partition, f."offset", f.type, f.job, f.fault, f.attempts, f.at`;
const order = `r.by_person AS "replayedBy", r.replayed_at AS "replayedAt", r.note AS "replayNote"`;
const noOrder = `NULL AS "replayedBy", NULL::timestamptz AS "replayedAt", NULL AS "replayNote"`;

/** What services could not handle, and the orders to handle it again. */
@Injectable()
export class FailureStore {
  private readonly forActs: Reader;
  readonly forPages: Reader;

  constructor(@Inject(RUNTIME) runtime: Runtime) {
    ({ forActs: this.forActs, forPages: this.forPages } = readersOf(runtime));
  }

  /** Open first, then newest. */
  async list(service: string | undefined, limit: number): Promise<FailureRow[]> {
    const ofService = service === undefined ? '' : 'AND f.service = $2';
    const rows = await this.forPages.query<Stored>(
      `SELECT * FROM (
         (SELECT ${letter}, ${noOrder} FROM failures f
          WHERE NOT EXISTS (SELECT FROM replays r WHERE r.dead_letter_id = f.dead_letter_id) ${ofService} ORDER BY f.at DESC LIMIT $1)
         UNION ALL
         (SELECT ${letter}, ${order} FROM failures f
          JOIN replays r ON r.dead_letter_id = f.dead_letter_id WHERE true ${ofService} ORDER BY f.at DESC LIMIT $1)
       ) f ORDER BY ("replayedAt" IS NOT NULL), at DESC LIMIT $1`,
      [limit, ...(service === undefined ? [] : [service])],
    );
    return rows.map(failure);
  }

  async find(deadLetterId: string, reader = this.forActs): Promise<FailureRow | undefined> {
    const [row] = await reader.query<Stored>(
      `SELECT ${letter}, ${order} FROM failures f LEFT JOIN replays r ON r.dead_letter_id = f.dead_letter_id
       WHERE f.dead_letter_id = $1`,
      [deadLetterId],
    );
    return row && failure(row);
  }

  /** The last order is the one that is told. */
  order(tx: Tx, { deadLetterId, by, note, at }: DataOf<'DeadLetterReplayed'>): void {
    tx.write(
      `INSERT INTO replays AS r (dead_letter_id, by_person, replayed_at, note) VALUES ($1, $2, $3, $4)
       ON CONFLICT (dead_letter_id) DO UPDATE SET by_person = excluded.by_person, replayed_at = excluded.replayed_at, note = excluded.note
       WHERE r.replayed_at <= excluded.replayed_at`,
      [deadLetterId, by, at, note ?? null],
    );
  }
}

const failure = (row: Stored): FailureRow => ({
  ...row,
  at: row.at.toISOString(),
  replayedAt: row.replayedAt?.toISOString() ?? null,
});
