import { logRetentionDays, mostWaitingSettlements } from '@countersign/contracts';
import type { Tx } from '@countersign/runtime';

/* Settlements that agree with no approval. Any executor may write any permit's id, so the number of stored ones is bounded. */

/** After this many settlements of an executor, it is checked whether too many wait. */
const lookEvery = 1_000;

const tables = [
  { table: 'settlements', key: 'action_id, executor', same: 't.action_id = o.action_id AND t.executor = o.executor' },
  {
    table: 'unresolved_permits',
    key: 'permit_id, executor, digest',
    same: 't.permit_id = o.permit_id AND t.executor = o.executor AND t.digest = o.digest',
  },
];
/** Skips locked rows: two concurrent deletions do not wait for each other, and neither do a deletion and an arriving approval. */
const forgetSql = ({ table, key, same }: (typeof tables)[number], more: string): string => `
  WITH o AS (SELECT ${key} FROM ${table} WHERE NOT approved AND kept_at <= $1 ${more} ORDER BY ${key} FOR UPDATE SKIP LOCKED),
    gone AS (DELETE FROM ${table} t USING o WHERE ${same} RETURNING 1)
  SELECT count(*)::int AS n FROM gone`;
const statements = tables.map((stored) => ({
  last: `SELECT kept_at FROM ${stored.table} WHERE NOT approved AND executor = $1 ORDER BY kept_at DESC OFFSET $2 LIMIT 1`,
  ofOne: forgetSql(stored, 'AND executor = $2'),
  ofAll: forgetSql(stored, ''),
}));

async function forget(tx: Tx, sql: string, params: readonly string[]): Promise<number> {
  const [row] = await tx.query<{ n: number }>(sql, params);
  return row?.n ?? 0;
}

/** Counts the settlements of each executor since the last check of how many wait. */
export class Waiting {
  private readonly since = new Map<string, number>();

  tooMany(executor: string, stored: number): boolean {
    const now = (this.since.get(executor) ?? 0) + stored;
    this.since.set(executor, now >= lookEvery ? 0 : now);
    return now >= lookEvery;
  }
}

/** Deletes an executor's oldest waiting settlements beyond the permitted number. Returns how many. */
export async function dropWaiting(tx: Tx, executor: string): Promise<number> {
  let dropped = 0;
  for (const { last, ofOne } of statements) {
    const [row] = await tx.query<{ kept_at: Date }>(last, [executor, mostWaitingSettlements]);
    if (row) dropped += await forget(tx, ofOne, [row.kept_at.toISOString(), executor]);
  }
  return dropped;
}

/**
 * Deletes settlements whose approval can no longer come: the broker does not keep an approval longer than these rows were kept. Returns
 * how many.
 */
export async function forgetWaiting(tx: Tx, at: string): Promise<number> {
  const before = new Date(Date.parse(at) - logRetentionDays * 86_400_000).toISOString();
  let forgotten = 0;
  for (const { ofAll } of statements) forgotten += await forget(tx, ofAll, [before]);
  return forgotten;
}
