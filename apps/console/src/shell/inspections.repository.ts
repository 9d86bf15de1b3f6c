import type { DataOf } from '@countersign/contracts';
import { type Reader, RUNTIME, type Runtime, type Tx } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { Inspection, InspectionProgress } from '../core/inspection.js';
import { readersOf } from './readers.js';
import { insert, lastBy } from './rows.js';

type Started = DataOf<'InspectionStarted'>;
type Ended = DataOf<'InspectionEnded'>;

/** Audits and probes that people ran. Normally the rows exist already: the acts that published these events wrote them. */
export function storeInspections(tx: Tx, started: readonly Started[], ended: readonly Ended[]): void {
  insert(tx, lastBy(started, 'inspectionId'), {
    sql: `INSERT INTO inspections (inspection_id, kind, by_person, started_at, heard_at)
          SELECT id, kind, by, at, at FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) AS n(id, kind, by, at)
          ON CONFLICT DO NOTHING`,
    columns: [(i) => i.inspectionId, (i) => i.kind, (i) => i.by, (i) => i.at],
  });
  insert(tx, lastBy(ended, 'inspectionId'), {
    sql: `INSERT INTO inspections (inspection_id, kind, by_person, started_at, heard_at, ended_at, outcome, checks)
          SELECT id, kind, by, started, ended, ended, outcome, checks
          FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::jsonb[])
            AS n(id, kind, by, started, ended, outcome, checks)
          ON CONFLICT (inspection_id) DO UPDATE SET heard_at = excluded.heard_at, ended_at = excluded.ended_at,
            outcome = excluded.outcome, checks = excluded.checks WHERE inspections.ended_at IS NULL`,
    columns: [
      (i) => i.inspectionId,
      (i) => i.kind,
      (i) => i.by,
      (i) => i.startedAt,
      (i) => i.at,
      (i) => i.outcome,
      (i) => JSON.stringify(i.checks),
    ],
  });
}

/**
 * Deletes a bounded number of inspections that were last heard of before `before`. Returns how many. Of each kind, the last one that
 * ended stays, and the last one that did not: the page shows these.
 */
export async function forgetInspections(tx: Tx, before: string, limit: number): Promise<number> {
  const rows = await tx.query(
    `DELETE FROM inspections WHERE inspection_id IN (
       SELECT i.inspection_id FROM inspections i
       WHERE i.heard_at < $1 AND CASE WHEN i.ended_at IS NULL
         THEN i.started_at < (SELECT max(n.started_at) FROM inspections n WHERE n.kind = i.kind AND n.ended_at IS NULL)
         ELSE i.ended_at < (SELECT max(n.ended_at) FROM inspections n WHERE n.kind = i.kind AND n.ended_at IS NOT NULL) END
       ORDER BY i.heard_at LIMIT $2)
     RETURNING 1`,
    [before, limit],
  );
  return rows.length;
}

interface Row {
  inspection_id: string;
  kind: Inspection['kind'];
  by_person: string;
  started_at: Date;
  heard_at: Date;
  step: string | null;
  done: number | null;
  total: number | null;
  ended_at: Date | null;
  outcome: Ended['outcome'] | null;
  checks: Ended['checks'] | null;
}

@Injectable()
export class InspectionStore {
  private readonly forPages: Reader;

  constructor(@Inject(RUNTIME) runtime: Runtime) {
    ({ forPages: this.forPages } = readersOf(runtime));
  }

  /** One inspection, with its row locked: if two reports come together, the second sees what the first wrote. */
  async lock(tx: Tx, inspectionId: string): Promise<Inspection | undefined> {
    const [row] = await tx.query<Row>('SELECT * FROM inspections WHERE inspection_id = $1 FOR UPDATE', [inspectionId]);
    return row && inspectionOf(row);
  }

  progress(tx: Tx, inspectionId: string, { step, done, total }: InspectionProgress, at: string): void {
    tx.write('UPDATE inspections SET step = $2, done = $3, total = $4, heard_at = $5 WHERE inspection_id = $1', [
      inspectionId,
      step,
      done,
      total,
      at,
    ]);
  }

  /** The latest inspection of a kind that has not ended, and the latest that has. */
  async latest(kind: Inspection['kind']): Promise<{ open: Inspection | undefined; ended: Inspection | undefined }> {
    const first = async (which: string): Promise<Inspection | undefined> => {
      const [row] = await this.forPages.query<Row>(`SELECT * FROM inspections WHERE kind = $1 AND ${which} LIMIT 1`, [
        kind,
      ]);
      return row && inspectionOf(row);
    };
    return {
      open: await first('ended_at IS NULL ORDER BY started_at DESC'),
      ended: await first('ended_at IS NOT NULL ORDER BY ended_at DESC'),
    };
  }
}

const inspectionOf = (row: Row): Inspection => ({
  inspectionId: row.inspection_id,
  kind: row.kind,
  by: row.by_person,
  startedAt: row.started_at.toISOString(),
  heardAt: row.heard_at.toISOString(),
  progress: row.step === null ? null : { step: row.step, done: row.done ?? 0, total: row.total },
  end:
    row.ended_at && row.outcome
      ? { at: row.ended_at.toISOString(), outcome: row.outcome, checks: row.checks ?? [] }
      : null,
});
