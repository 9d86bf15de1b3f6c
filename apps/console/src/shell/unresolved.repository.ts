import type { DataOf } from '@countersign/contracts';
import { type Reader, RUNTIME, type Runtime, type Tx } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { Cursor } from '../core/cursor.js';
import type { Unresolved } from '../core/settle.js';
import { readersOf } from './readers.js';

interface Row {
  permit_id: string;
  action_id: string;
  proposal_id: string;
  digest: string;
  executor: string;
  connector: string;
  action_key: string;
  correlation_id: string;
  traceparent: string | null;
  detail: string | null;
  at: Date;
  outcome: Unresolved['outcome'];
  decision_id: string | null;
  decided: 'executed' | 'failed' | null;
  by_person: string | null;
  note: string | null;
  decided_at: Date | null;
}

/**
 * Settlements that count: their permit, executor and digest are those of the approval. For approvals from before permits were stored,
 * only action and executor are compared.
 */
const counting = `settlements s
  LEFT JOIN permits p ON p.action_id = s.action_id
  LEFT JOIN verdicts v ON v.action_id = s.action_id AND p.action_id IS NULL
  WHERE s.executor = coalesce(p.executor, v.executor)
    AND (p.action_id IS NULL OR (p.permit_id = s.permit_id AND p.digest = s.digest))`;

/** The present state of a permit `u` that its own executor reported as unresolved; no row if another executor reported it. */
export const settlementNow = `(
  SELECT s.outcome, p.action_id IS NULL AS before_permits FROM ${counting}
    AND s.action_id = u.action_id AND s.executor = u.executor AND s.permit_id = u.permit_id AND s.digest = u.digest LIMIT 1)`;
/** Permits that their own executor reported as unresolved, with their present state. A page takes them in order, one by one. */
export const unresolvedPermits = `unresolved_permits u CROSS JOIN LATERAL ${settlementNow} s`;

const select = `
  SELECT u.*, s.outcome, d.decision_id, d.outcome AS decided, d.by_person, d.note, d.decided_at
  FROM ${unresolvedPermits}
  LEFT JOIN settlement_decisions d ON d.permit_id = u.permit_id`;

/** Permits that ended unresolved, as the topics report them, and the decisions that people of this console made on them. */
@Injectable()
export class UnresolvedStore {
  private readonly forActs: Reader;
  readonly forPages: Reader;

  constructor(@Inject(RUNTIME) runtime: Runtime) {
    ({ forActs: this.forActs, forPages: this.forPages } = readersOf(runtime));
  }

  /** The permits that are still unresolved, the oldest first: each holds its reservations. */
  async waiting(behind: Cursor | undefined, limit: number): Promise<Unresolved[]> {
    const rows = await this.forPages.query<Row>(
      `${select} WHERE s.outcome = 'unresolved' ${behind ? 'AND (u.at, u.permit_id) > ($2, $3)' : ''} ORDER BY u.at, u.permit_id LIMIT $1`,
      [limit, ...(behind ? [behind.at, behind.id] : [])],
    );
    return rows.map(unresolvedOf);
  }

  async permit(permitId: string, reader = this.forActs) {
    const [row] = await reader.query<Row>(`${select} WHERE u.permit_id = $1 ORDER BY s.before_permits LIMIT 1`, [
      permitId,
    ]);
    return row && unresolvedOf(row);
  }

  /** The same, with its row locked first: if two people decide at the same time, the second is told. */
  async lock(tx: Tx, permitId: string): Promise<Unresolved | undefined> {
    const found = await this.permit(permitId, tx);
    if (!found) return undefined;
    await tx.query('SELECT FROM unresolved_permits WHERE permit_id = $1 AND executor = $2 AND digest = $3 FOR UPDATE', [
      permitId,
      found.executor,
      found.digest,
    ]);
    return this.permit(permitId, tx);
  }

  /** The end of a permit that never was unresolved; undefined if no settlement of it is known. */
  async outcomeOf(permitId: string, reader = this.forActs): Promise<string | undefined> {
    const [row] = await reader.query<{ outcome: string }>(
      `SELECT s.outcome FROM ${counting} AND s.permit_id = $1 ORDER BY p.action_id IS NULL LIMIT 1`,
      [permitId],
    );
    return row?.outcome;
  }

  insertDecision(tx: Tx, { permitId, decisionId, outcome, by, note, at }: DataOf<'SettlementDecided'>): void {
    tx.write(
      `INSERT INTO settlement_decisions (permit_id, decision_id, outcome, by_person, note, decided_at)
       VALUES ($1, $2, $3, $4, $5, $6)`,
      [permitId, decisionId, outcome, by, note, at],
    );
  }
}

const unresolvedOf = (row: Row): Unresolved => ({
  permitId: row.permit_id,
  actionId: row.action_id,
  proposalId: row.proposal_id,
  digest: row.digest,
  executor: row.executor,
  connector: row.connector,
  key: row.action_key,
  correlationId: row.correlation_id,
  ...(row.traceparent !== null && { traceparent: row.traceparent }),
  detail: row.detail,
  at: row.at.toISOString(),
  outcome: row.outcome,
  decision:
    row.decision_id && row.decided && row.by_person && row.decided_at
      ? {
          decisionId: row.decision_id,
          outcome: row.decided,
          by: row.by_person,
          note: row.note ?? '',
          at: row.decided_at.toISOString(),
        }
      : null,
});
