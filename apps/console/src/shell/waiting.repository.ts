import { logRetentionDays, mostWaitingSettlements } from '@countersign/contracts';
import type { Tx } from '@countersign/runtime';

/* Settlements that agree with no approval. Any executor may write any permit's id, so what is kept of them is bounded. */

/** After so many settlements of an executor it is looked whether too many wait. */
const lookEvery = 1_000;

const tables = [
  { table: 'settlements', key: 'action_id, executor', same: 't.action_id = o.action_id AND t.executor = o.executor' },
  {
    table: 'unresolved_permits',
    key: 'permit_id, executor, digest',
    same: 't.permit_id = o.permit_id AND t.executor = o.executor AND t.digest = o.digest',
  },
];
/** Of two that forget at once, or of an approval that comes, nobody waits for the other. */
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

/** Whether enough settlements of an executor were kept since it was last looked how many wait. */
export class Waiting {
  private readonly since = new Map<string, number>();

  tooMany(executor: string, stored: number): boolean {
    const now = (this.since.get(executor) ?? 0) + stored;
    this.since.set(executor, now >= lookEvery ? 0 : now);
    return now >= lookEvery;
  }
}

/** Forgets the oldest of an executor's that wait beyond those that may; returns how many. */
export async function dropWaiting(tx: Tx, executor: string): Promise<number> {
  let dropped = 0;
  for (const { last, ofOne } of statements) {
    const [row] = await tx.query<{ kept_at: Date }>(last, [executor, mostWaitingSettlements]);
    if (row) dropped += await forget(tx, ofOne, [row.kept_at.toISOString(), executor]);
  }
  return dropped;
}

/** Forgets what no approval can come for any more: the broker had it no longer than this was kept. Returns how much. */
export async function forgetWaiting(tx: Tx, at: string): Promise<number> {
  const before = new Date(Date.parse(at) - logRetentionDays * 86_400_000).toISOString();
  let forgotten = 0;
  for (const { ofAll } of statements) forgotten += await forget(tx, ofAll, [before]);
  return forgotten;
}
