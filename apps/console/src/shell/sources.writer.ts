import type { Tx } from '@countersign/runtime';
import type { Changes } from '../core/project.js';
import { compared, insert } from './rows.js';

/** Writes what a batch says about the sources of signals. Rows come in a fixed order, because all batches add to the same few. */
export function writeSignals(tx: Tx, { arrivals, rejections }: Pick<Changes, 'arrivals' | 'rejections'>): void {
  insert(tx, rejections, {
    sql: `INSERT INTO rejected_signals (source, signal_id, type, code, reasons, topic, partition, "offset", at)
          SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::jsonb[], $6::text[], $7::int[], $8::text[], $9::timestamptz[])`,
    columns: [
      (r) => r.source,
      (r) => r.signalId,
      (r) => r.type,
      (r) => r.code,
      (r) => JSON.stringify(r.reasons),
      (r) => r.topic,
      (r) => r.partition,
      (r) => r.offset,
      (r) => r.at,
    ],
  });
  const rows = [...arrivals].sort(
    (a, b) => compared(a.source, b.source) || compared(a.minute, b.minute) || compared(a.outcome, b.outcome),
  );
  insert(tx, rows, {
    sql: `INSERT INTO source_minutes AS m (source, minute, outcome, n)
          SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::bigint[])
          ON CONFLICT (source, minute, outcome) DO UPDATE SET n = m.n + excluded.n`,
    columns: [(h) => h.source, (h) => h.minute, (h) => h.outcome, (h) => h.n],
  });
  insert(tx, rows, {
    sql: `INSERT INTO sources_heard AS s (source, accepted_at, rejected_at)
          SELECT source, max(at) FILTER (WHERE outcome = 'accepted'), max(at) FILTER (WHERE outcome <> 'accepted')
          FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS n(source, outcome, at) GROUP BY source ORDER BY source
          ON CONFLICT (source) DO UPDATE SET accepted_at = greatest(s.accepted_at, excluded.accepted_at),
            rejected_at = greatest(s.rejected_at, excluded.rejected_at)`,
    columns: [(h) => h.source, (h) => h.outcome, (h) => h.at],
  });
}
