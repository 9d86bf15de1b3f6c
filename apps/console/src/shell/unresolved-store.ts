import type { DataOf } from '@countersign/contracts';
import { type Reader, RUNTIME, type Runtime, type Tx } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { Unresolved } from '../core/settle.js';

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
  says: string | null;
  at: Date;
  outcome: Unresolved['outcome'] | null;
  decision_id: string | null;
  decided: 'executed' | 'failed' | null;
  by_person: string | null;
  note: string | null;
  decided_at: Date | null;
}

const select = `
  SELECT u.*, s.outcome, d.decision_id, d.outcome AS decided, d.by_person, d.note, d.decided_at
  FROM unresolved_permits u
  LEFT JOIN settlements s ON s.action_id = u.action_id AND s.executor = u.executor
  LEFT JOIN settlement_decisions d ON d.permit_id = u.permit_id`;

/** Permits that ended unresolved, as the topics told, and what people of this console decided of them. */
@Injectable()
export class UnresolvedStore {
  private readonly forActs: Reader;
  readonly forPages: Reader;

  constructor(@Inject(RUNTIME) runtime: Runtime) {
    this.forActs = { query: (sql, params) => runtime.read(sql, params) };
    this.forPages = { query: (sql, params) => runtime.readForPage(sql, params) };
  }

  /** Those that still are, the oldest first: each holds what it reserved. */
  async waiting(limit: number): Promise<Unresolved[]> {
    const rows = await this.forPages.query<Row>(`${select} WHERE s.outcome = 'unresolved' ORDER BY u.at LIMIT $1`, [
      limit,
    ]);
    return rows.map(unresolvedOf);
  }

  async permit(permitId: string, reader = this.forActs) {
    const [row] = await reader.query<Row>(`${select} WHERE u.permit_id = $1`, [permitId]);
    return row && unresolvedOf(row);
  }

  /** The same, its row locked first: of two people who decide at once, the second is told. */
  async lock(tx: Tx, permitId: string): Promise<Unresolved | undefined> {
    await tx.query('SELECT FROM unresolved_permits WHERE permit_id = $1 FOR UPDATE', [permitId]);
    return this.permit(permitId, tx);
  }

  /** How a permit ended that never was unresolved; undefined where no settlement of it is known. */
  async outcomeOf(permitId: string, reader = this.forActs): Promise<string | undefined> {
    const [row] = await reader.query<{ outcome: string }>(
      'SELECT outcome FROM settlements WHERE permit_id = $1 ORDER BY settled_at DESC LIMIT 1',
      [permitId],
    );
    return row?.outcome;
  }

  keep(tx: Tx, { permitId, decisionId, outcome, by, note, at }: DataOf<'SettlementDecided'>): void {
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
  says: row.says,
  at: row.at.toISOString(),
  outcome: row.outcome ?? 'unresolved',
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
