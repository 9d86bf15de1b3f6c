import {
  type ActionApproved,
  type ActionSettled,
  logRetentionDays,
  mostWaitingSettlements,
  roundsBy,
  takesPlaceRows,
} from '@countersign/contracts';
import type { Tx } from '@countersign/runtime';

/** Executors' settlements of permits. Any executor may write any permit's id, so settlements that match no permit are bounded. */

/** After this many settlements of an executor, it is checked whether too many wait. */
const lookEvery = 1_000;

/** Stores the permit of each proposal. It shows whose settlement counts, even if the policy's routes have changed by then. */
export function notePermits(tx: Tx, approved: readonly ActionApproved[]): void {
  if (approved.length === 0) return;
  const permits = [
    approved.map((a) => a.permitId),
    approved.map((a) => a.executor),
    approved.map((a) => a.digest),
  ] as const;
  tx.write(
    `INSERT INTO permits (proposal_id, permit_id, executor, digest)
     SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) ORDER BY 1 ON CONFLICT DO NOTHING`,
    [approved.map((a) => a.proposalId), ...permits],
  );
  // A settlement that is being written at this moment may be missed: the deletion checks again.
  tx.write(
    `UPDATE settlements s SET waiting = false
     FROM (SELECT o.permit_id, o.executor, o.digest FROM settlements o
           JOIN unnest($1::uuid[], $2::text[], $3::text[]) AS n(permit_id, executor, digest)
             ON o.permit_id = n.permit_id AND o.executor = n.executor AND o.digest = n.digest
           WHERE o.permit_id = ANY($1) AND o.waiting ORDER BY 1, 2, 3 FOR UPDATE OF o) n
     WHERE s.permit_id = ANY($1) AND s.permit_id = n.permit_id AND s.executor = n.executor AND s.digest = n.digest`,
    permits,
  );
}

/**
 * Stores executors' settlements, each with its permit and digest. There is no order between topics, so a settlement may come before its
 * permit. The pages show the settlement of the permit's own executor.
 */
export function noteSettlements(tx: Tx, settled: readonly ActionSettled[], at: string): void {
  // A permit may be settled twice in a batch (unresolved, then executed): each statement has it once, in order.
  for (const rows of roundsBy(settled, (s) => `${s.permitId} ${s.executor} ${s.digest}`)) {
    tx.write(settlementsSql, [
      rows.map((s) => s.permitId),
      rows.map((s) => s.executor),
      rows.map((s) => s.digest),
      rows.map((s) => s.outcome),
      rows.map((s) => s.at),
      rows.map((s) => s.reason?.detail ?? null),
      rows.map((s) => s.externalReference ?? null),
      at,
    ]);
  }
}

const settlementsSql = `INSERT INTO settlements (permit_id, executor, digest, outcome, settled_at, reason, reference, kept_at, waiting)
  SELECT n.*, $8::timestamptz, NOT EXISTS (SELECT FROM permits m
    WHERE m.permit_id = ANY($1) AND m.permit_id = n.permit_id AND m.executor = n.executor AND m.digest = n.digest)
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::text[])
    AS n(permit_id, executor, digest, outcome, settled_at, reason, reference) ORDER BY 1, 2, 3
  ON CONFLICT (permit_id, executor, digest) DO UPDATE SET outcome = excluded.outcome, settled_at = excluded.settled_at,
    reason = excluded.reason, reference = excluded.reference
  WHERE (settlements.outcome, excluded.outcome) IN (${takesPlaceRows})`;

/** Counts the settlements of each executor since the last check of how many wait. */
export class Waiting {
  private readonly since = new Map<string, number>();

  tooMany(executor: string, stored: number): boolean {
    const now = (this.since.get(executor) ?? 0) + stored;
    this.since.set(executor, now >= lookEvery ? 0 : now);
    return now >= lookEvery;
  }
}

const ofPermit = 'm.permit_id = s.permit_id AND m.executor = s.executor AND m.digest = s.digest';
/**
 * Settlements that have waited since `$1` or longer, without locked rows: two concurrent deletions do not wait for each other, and
 * neither do a deletion and an arriving permit.
 */
const waited = (more: string): string => `
  SELECT permit_id, executor, digest FROM settlements WHERE waiting AND kept_at <= $1 ${more} ORDER BY 1, 2, 3 FOR UPDATE SKIP LOCKED`;
const ofWaited = 's.permit_id = o.permit_id AND s.executor = o.executor AND s.digest = o.digest';
const statements = (more: string) => ({
  meet: `UPDATE settlements s SET waiting = false FROM (${waited(more)}) o
    WHERE ${ofWaited} AND EXISTS (SELECT FROM permits m WHERE ${ofPermit})`,
  forget: `WITH o AS (${waited(more)}), gone AS (DELETE FROM settlements s USING o WHERE ${ofWaited} RETURNING 1)
    SELECT count(*)::int AS n FROM gone`,
});
const ofAll = statements('');
const ofOne = statements('AND executor = $2');

async function forget(tx: Tx, { meet, forget }: typeof ofAll, params: readonly string[]): Promise<number> {
  // A permit and a settlement that were written at the same time did not see each other.
  tx.write(meet, params);
  const [row] = await tx.query<{ n: number }>(forget, params);
  return row?.n ?? 0;
}

/** Deletes an executor's oldest waiting settlements beyond the permitted number. Returns how many. */
export async function dropWaiting(tx: Tx, executor: string): Promise<number> {
  const [last] = await tx.query<{ kept_at: Date }>(
    'SELECT kept_at FROM settlements WHERE waiting AND executor = $1 ORDER BY kept_at DESC OFFSET $2 LIMIT 1',
    [executor, mostWaitingSettlements],
  );
  return last ? forget(tx, ofOne, [last.kept_at.toISOString(), executor]) : 0;
}

/** Deletes settlements whose approval can no longer come: the broker does not keep an approval longer than they were kept. */
export const forgetWaiting = (tx: Tx, at: string): Promise<number> =>
  forget(tx, ofAll, [new Date(Date.parse(at) - logRetentionDays * 86_400_000).toISOString()]);
