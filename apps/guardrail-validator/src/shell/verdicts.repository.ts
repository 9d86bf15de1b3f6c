import type { ActionProposed, PermitState, Policy, Verdict } from '@countersign/contracts';
import type { Facts, PolicyInForce } from '@countersign/gate';
import { cut, packed, type Tx } from '@countersign/runtime';
import { Injectable } from '@nestjs/common';
import type { Escalation } from '../core/answer.js';
import type { Move, Settled } from '../core/settle.js';
import type { Step } from '../core/verdicts.js';

export interface NewProposal {
  readonly proposalId: string;
  readonly digest: string;
  readonly taskId: string;
  /** Empty if the action is no message of a sequence. */
  readonly enrolment: string;
}

export interface NewVerdict {
  readonly proposal: ActionProposed;
  readonly digest: string;
  readonly verdict: Verdict;
  /** Null if no judgement led to it: a deadline or an edit. */
  readonly facts: Facts | null;
  readonly shadowOutcome?: Verdict['outcome'] | undefined;
}

export interface NewPermit {
  readonly permitId: string;
  readonly proposalId: string;
  readonly actionId: string;
  readonly digest: string;
  readonly executor: string;
  readonly connector: string;
  readonly permit: string;
  readonly expiresAt: string;
  /** Present for a message of a sequence. */
  readonly step: Step | undefined;
  /** When its verdict was given, and the amounts that count on ledgers of approvals from then on. */
  readonly approvedAt: string;
  readonly rates: readonly { readonly ledger: string; readonly amount: number }[];
  readonly reservations: readonly {
    readonly ledger: string;
    readonly amount: number;
    readonly currency: string | null;
    readonly countsAt: string;
  }[];
}

/** The members that a permit copies from its approval. */
export const namedIn = ({
  permitId,
  proposalId,
  actionId,
  digest,
  executor,
  connector,
  permit,
  expiresAt,
}: Pick<
  NewPermit,
  'permitId' | 'proposalId' | 'actionId' | 'digest' | 'executor' | 'connector' | 'permit' | 'expiresAt'
>) => ({ permitId, proposalId, actionId, digest, executor, connector, permit, expiresAt });

export interface Permit {
  readonly permitId: string;
  readonly digest: string;
  readonly executor: string;
  readonly state: PermitState;
  readonly expiresAt: string;
}

/** The effect of a settlement that counts on its permit. */
export interface SettledPermit extends Settled {
  readonly permitId: string;
  readonly happenedAt: string;
  /** For an action that was executed, if its executor reports an amount. */
  readonly spentMinor?: number | undefined;
}

const endState = (move: Move | undefined): string | null =>
  move === undefined ? null : move === 'commit' ? 'committed' : 'released';

// The reservation's previous amount is read with the statement's own snapshot.
const settleSql = `
  WITH settled AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::bigint[])
      AS n(id, state, money, counts, happened_at, spent)
  ), ended AS (
    UPDATE permits p SET state = n.state, settled_at = $7 FROM settled n WHERE p.permit_id = ANY($1) AND p.permit_id = n.id
  ), moved AS (
    UPDATE reservations r SET state = CASE WHEN r.currency IS NULL THEN n.counts ELSE n.money END, at = $7,
      amount = CASE WHEN r.currency IS NULL THEN r.amount ELSE greatest(r.amount, n.spent) END,
      counts_at = CASE WHEN n.counts = 'committed' THEN greatest(r.counts_at, least(n.happened_at, $7)) ELSE r.counts_at END
    FROM settled n
    WHERE r.permit_id = ANY($1) AND r.permit_id = n.id AND r.state <> 'released' AND CASE WHEN r.currency IS NULL THEN n.counts ELSE n.money END IS NOT NULL
    RETURNING r.permit_id, r.ledger, r.currency, r.amount AS spent, CASE WHEN r.currency IS NOT NULL AND r.amount = n.spent
      THEN (SELECT was.amount FROM reservations was WHERE was.permit_id = r.permit_id AND was.ledger = r.ledger) END AS reserved
  )
  SELECT permit_id, ledger, currency, reserved, spent FROM moved WHERE reserved < spent`;

/** An escalation with the chain that it belongs to. */
export type StoredEscalation = Escalation & { readonly correlationId: string | null };

/** An escalation that begins to wait, with the step of a sequence that it is once it is approved. */
export type NewEscalation = Omit<StoredEscalation, 'state' | 'closedBy'> & { readonly step: Step | undefined };

/** The policy's row at the last read, if there was one. */
export interface KnownPolicy {
  readonly written: string | null | undefined;
  readonly digest: string | null;
}

export interface PolicyRow {
  /** Changes whenever the row is written; null if there is no row. */
  readonly written: string | null;
  /** Null if the row has not changed since the last read. */
  readonly data: Policy | null;
  /** Whether the content with the known digest is stored already. */
  readonly stored: boolean;
}

// Returns one row, also if nothing was published. The row's 15 kB are sent only if they changed.
const policySql = `
  SELECT s.written, CASE WHEN s.written IS DISTINCT FROM $1 THEN s.data END AS data,
         EXISTS (SELECT FROM policies_used WHERE digest = $2) AS stored
  FROM (VALUES (0)) one LEFT JOIN (
    SELECT written, data FROM followed_state WHERE topic = 'policies.v1' AND key = 'main'
  ) s ON true`;

const verdictsSql = `
  INSERT INTO verdicts (proposal_id, action_id, digest, outcome, proposal, facts, verdict, shadow_outcome, policy_version, policy_digest, at)
  SELECT p, a, d, o, ${cut('$6', 'ps', 'pl')}::json, ${cut('$7', 'fs', 'fl')}::json, ${cut('$8', 'vs', 'vl')}::json, w, pv, pd, $1
  FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $9::text[], $10::bigint[], $11::text[],
              $12::int[], $13::int[], $14::int[], $15::int[], $16::int[], $17::int[])
    AS n(p, a, d, o, w, pv, pd, ps, pl, fs, fl, vs, vl)`;

// Comes before `verdictsSql`; its parameters come after those.
const permitsSql = `
  WITH issued AS (
    INSERT INTO permits (permit_id, proposal_id, action_id, digest, executor, connector, permit, expires_at, at, enrolment, step)
    SELECT id, proposal, action, digest, executor, connector, ${cut('$24', 'start', 'length')}, expires, $1, enrolment, step
    FROM unnest($18::uuid[], $19::uuid[], $20::uuid[], $21::text[], $22::text[], $23::text[], $25::timestamptz[], $26::int[], $27::int[],
                $35::text[], $36::bigint[])
      AS n(id, proposal, action, digest, executor, connector, expires, start, length, enrolment, step)
  ), held AS (
    INSERT INTO reservations (permit_id, ledger, amount, currency, counts_at, state, at)
    SELECT *, 'held', $1 FROM unnest($28::uuid[], $29::text[], $30::bigint[], $31::text[], $32::timestamptz[])
  ), counted AS (
    INSERT INTO approvals_by_minute (ledger, minute, approved)
    SELECT ledger, date_trunc('minute', $1::timestamptz, 'UTC'), sum(amount)
    FROM unnest($33::text[], $34::bigint[]) AS n(ledger, amount) GROUP BY ledger ORDER BY ledger
    ON CONFLICT (ledger, minute) DO UPDATE SET approved = approvals_by_minute.approved + excluded.approved
  )`;

function permitParams(permits: readonly NewPermit[]): readonly unknown[] {
  const texts = packed(permits.map((p) => p.permit));
  const held = permits.flatMap((p) => p.reservations.map((r) => ({ ...r, permitId: p.permitId })));
  return [
    permits.map((p) => p.permitId),
    permits.map((p) => p.proposalId),
    permits.map((p) => p.actionId),
    permits.map((p) => p.digest),
    permits.map((p) => p.executor),
    permits.map((p) => p.connector),
    texts.bytes,
    permits.map((p) => p.expiresAt),
    texts.starts,
    texts.lengths,
    held.map((r) => r.permitId),
    held.map((r) => r.ledger),
    held.map((r) => r.amount),
    held.map((r) => r.currency),
    held.map((r) => r.countsAt),
    permits.flatMap((p) => p.rates.map((r) => r.ledger)),
    permits.flatMap((p) => p.rates.map((r) => r.amount)),
    permits.map((p) => p.step?.enrolment ?? ''),
    permits.map((p) => p.step?.n ?? null),
  ];
}

const escalationsSql = 'SELECT * FROM escalations WHERE proposal_id = ANY($1) ORDER BY proposal_id';

/** The validator's tables. Every statement takes its rows in key order, so that batches do not deadlock. */
@Injectable()
export class Store {
  /** Notes proposals of one author, by their ids. Returns the new ones, the known digest of each, and the policy's row. */
  async noteProposals(
    tx: Tx,
    author: string,
    proposals: readonly NewProposal[],
    knownPolicy: KnownPolicy,
    at: string,
  ): Promise<{ fresh: ReadonlySet<string>; known: ReadonlyMap<string, string>; policy: PolicyRow }> {
    const sorted = [...proposals].sort((a, b) => (a.proposalId < b.proposalId ? -1 : 1));
    const [row] = await tx.query<PolicyRow & { fresh: string[] }>(
      `WITH noted AS (
         INSERT INTO proposals (proposal_id, author, digest, at, task_id, enrolment)
         SELECT id, $4, digest, $6, task, enrolment FROM unnest($3::uuid[], $5::text[], $7::uuid[], $8::text[])
           AS n(id, digest, task, enrolment) ORDER BY id
         ON CONFLICT DO NOTHING RETURNING proposal_id
       )
       SELECT ARRAY(SELECT proposal_id::text FROM noted) AS fresh, policy.* FROM (${policySql}) policy`,
      [
        knownPolicy.written,
        knownPolicy.digest,
        sorted.map((p) => p.proposalId),
        author,
        sorted.map((p) => p.digest),
        at,
        sorted.map((p) => p.taskId),
        sorted.map((p) => p.enrolment),
      ],
    );
    const { fresh: inserted, ...policy } = row as NonNullable<typeof row>;
    const fresh = new Set(inserted);
    const known = new Map<string, string>();
    for (const { proposalId, digest } of sorted) if (fresh.has(proposalId)) known.set(proposalId, digest);
    const before = sorted.map((p) => p.proposalId).filter((id) => !fresh.has(id));
    if (before.length === 0) return { fresh, known, policy };
    // A separate statement: the insert may have waited for these rows, and does not see the rows that it waited for.
    const rows = await tx.query<{ proposal_id: string; digest: string }>(
      'SELECT proposal_id, digest FROM proposals WHERE author = $1 AND proposal_id = ANY($2)',
      [author, before],
    );
    for (const { proposal_id, digest } of rows) known.set(proposal_id, digest);
    return { fresh, known, policy };
  }

  async policy(tx: Tx, knownPolicy: KnownPolicy): Promise<PolicyRow> {
    const [row] = await tx.query<PolicyRow>(policySql, [knownPolicy.written, knownPolicy.digest]);
    return row as PolicyRow;
  }

  /**
   * Locks ledgers in key order and creates missing ones: no other transaction reserves on them before the commit. A later statement must
   * read their content, because this one may have waited for transactions that changed it.
   */
  lockLedgers(tx: Tx, ledgers: readonly string[]): void {
    if (ledgers.length === 0) return;
    // The conflict locks the row, also if nothing is updated. The next statement begins when all rows are locked.
    tx.write(
      `INSERT INTO ledgers (ledger) SELECT n FROM unnest($1::text[]) n ORDER BY n
       ON CONFLICT (ledger) DO UPDATE SET ledger = excluded.ledger WHERE false`,
      [ledgers],
    );
  }

  /** Writes verdicts, with the permits that they issue and the permits' reservations under limits whose ledgers are locked. */
  saveVerdicts(tx: Tx, verdicts: readonly NewVerdict[], permits: readonly NewPermit[], at: string): void {
    if (verdicts.length === 0) return;
    const proposals = packed(verdicts.map((v) => JSON.stringify(v.proposal)));
    const facts = packed(verdicts.map((v) => (v.facts ? JSON.stringify(v.facts) : null)));
    const texts = packed(verdicts.map((v) => JSON.stringify(v.verdict)));
    const params = [
      at,
      verdicts.map((v) => v.proposal.proposalId),
      verdicts.map((v) => v.proposal.action.actionId),
      verdicts.map((v) => v.digest),
      verdicts.map((v) => v.verdict.outcome),
      proposals.bytes,
      facts.bytes,
      texts.bytes,
      verdicts.map((v) => v.shadowOutcome ?? null),
      verdicts.map((v) => v.verdict.policy.version),
      verdicts.map((v) => v.verdict.policy.digest),
      proposals.starts,
      proposals.lengths,
      facts.starts,
      facts.lengths,
      texts.starts,
      texts.lengths,
    ];
    if (permits.length === 0) tx.write(verdictsSql, params);
    else tx.write(`${permitsSql} ${verdictsSql}`, [...params, ...permitParams(permits)]);
  }

  /** Writes permits that were issued before a restore and are missing, with their reservations. The caller has locked the ledgers. */
  takeOver(tx: Tx, permits: readonly NewPermit[], at: string): void {
    if (permits.length === 0) return;
    const held = permits.flatMap((p) => p.reservations.map((r) => ({ ...r, permitId: p.permitId })));
    const counted = permits.flatMap((p) => p.rates.map((r) => ({ ...r, permitId: p.permitId, at: p.approvedAt })));
    tx.write(
      `WITH issued AS (
         INSERT INTO permits (permit_id, proposal_id, action_id, digest, executor, connector, permit, expires_at, enrolment, step, at)
         SELECT * FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::timestamptz[], $19::text[], $20::bigint[], $21::timestamptz[])
         ON CONFLICT DO NOTHING RETURNING permit_id
       ), counted AS (
         INSERT INTO approvals_by_minute (ledger, minute, approved)
         SELECT n.ledger, date_trunc('minute', n.at, 'UTC') AS minute, sum(n.amount)
         FROM unnest($15::uuid[], $16::text[], $17::bigint[], $18::timestamptz[]) AS n(permit, ledger, amount, at)
         JOIN issued ON issued.permit_id = n.permit GROUP BY n.ledger, minute ORDER BY n.ledger, minute
         ON CONFLICT (ledger, minute) DO UPDATE SET approved = approvals_by_minute.approved + excluded.approved
       )
       INSERT INTO reservations (permit_id, ledger, amount, currency, counts_at, state, at)
       SELECT n.permit, n.ledger, n.amount, n.currency, n.counts_at, 'held', $1
       FROM unnest($10::uuid[], $11::text[], $12::bigint[], $13::text[], $14::timestamptz[]) AS n(permit, ledger, amount, currency, counts_at)
       JOIN issued ON issued.permit_id = n.permit`,
      [
        at,
        permits.map((p) => p.permitId),
        permits.map((p) => p.proposalId),
        permits.map((p) => p.actionId),
        permits.map((p) => p.digest),
        permits.map((p) => p.executor),
        permits.map((p) => p.connector),
        permits.map((p) => p.permit),
        permits.map((p) => p.expiresAt),
        held.map((r) => r.permitId),
        held.map((r) => r.ledger),
        held.map((r) => r.amount),
        held.map((r) => r.currency),
        held.map((r) => r.countsAt),
        counted.map((r) => r.permitId),
        counted.map((r) => r.ledger),
        counted.map((r) => r.amount),
        counted.map((r) => r.at),
        permits.map((p) => p.step?.enrolment ?? ''),
        permits.map((p) => p.step?.n ?? null),
        permits.map((p) => p.approvedAt),
      ],
    );
  }

  /** Deletes approvals that no limit per hour looks back to. */
  forgetApprovals(tx: Tx, before: string): void {
    tx.write('DELETE FROM approvals_by_minute WHERE minute < $1', [before]);
  }

  /** Stores the content of a policy that was used for a verdict, so that the verdict can be judged again. */
  storePolicy(tx: Tx, policy: PolicyInForce, at: string): void {
    tx.write(
      'INSERT INTO policies_used (digest, version, content, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
      [policy.digest, policy.version, JSON.stringify(policy.content), at],
    );
  }

  async lockPermits(tx: Tx, permitIds: readonly string[]): Promise<Map<string, Permit>> {
    const rows = await tx.query<{
      permit_id: string;
      digest: string;
      executor: string;
      state: PermitState;
      expires_at: Date;
    }>(
      `SELECT permit_id, digest, executor, state, expires_at FROM permits WHERE permit_id = ANY($1)
       ORDER BY permit_id FOR UPDATE`,
      [permitIds],
    );
    return new Map(
      rows.map(({ permit_id: permitId, digest, executor, state, expires_at }) => [
        permitId,
        { permitId, digest, executor, state, expiresAt: expires_at.toISOString() },
      ]),
    );
  }

  /**
   * Writes the results of locked permits, each permit once per call, and moves their reservations: `commit` moves held ones, `release`
   * moves held or committed ones. The caller checks the permit's state first, so nothing moves twice. If more was spent than reserved,
   * books the whole amount and returns the excess. If less was spent, gives nothing back, so that a report cannot free budget.
   */
  async settle(
    tx: Tx,
    settled: readonly SettledPermit[],
    at: string,
  ): Promise<readonly { permitId: string; ledger: string; currency: string; reserved: number; spent: number }[]> {
    const rows = await tx.query<{
      permit_id: string;
      ledger: string;
      currency: string;
      reserved: number;
      spent: number;
    }>(settleSql, [
      settled.map((s) => s.permitId),
      settled.map((s) => s.state),
      settled.map((s) => endState(s.money)),
      settled.map((s) => endState(s.counts)),
      settled.map((s) => s.happenedAt),
      settled.map((s) => s.spentMinor ?? null),
      at,
    ]);
    return rows.map(({ permit_id: permitId, ...row }) => ({ permitId, ...row }));
  }

  async lockEscalations(tx: Tx, proposalIds: readonly string[]): Promise<Map<string, StoredEscalation>> {
    return this.escalations(tx, `${escalationsSql} FOR UPDATE`, proposalIds);
  }

  /** The escalations as they are, without blocking an answer to them. */
  async seeEscalations(tx: Tx, proposalIds: readonly string[]): Promise<Map<string, StoredEscalation>> {
    return this.escalations(tx, escalationsSql, proposalIds);
  }

  private async escalations(
    tx: Tx,
    sql: string,
    proposalIds: readonly string[],
  ): Promise<Map<string, StoredEscalation>> {
    const rows = await tx.query<{
      proposal_id: string;
      digest: string;
      state: Escalation['state'];
      deadline_at: Date;
      author: string;
      proposal: ActionProposed;
      verdict: Verdict;
      reviewers: string[];
      correlation_id: string | null;
      closed_by: string | null;
    }>(sql, [proposalIds]);
    return new Map(
      rows.map((row) => [
        row.proposal_id,
        {
          proposalId: row.proposal_id,
          digest: row.digest,
          state: row.state,
          deadlineAt: row.deadline_at.toISOString(),
          author: row.author,
          proposal: row.proposal,
          verdict: row.verdict,
          reviewers: row.reviewers,
          correlationId: row.correlation_id,
          closedBy: row.closed_by,
        },
      ]),
    );
  }

  openEscalations(tx: Tx, escalations: readonly NewEscalation[], at: string): void {
    if (escalations.length === 0) return;
    const proposals = packed(escalations.map((row) => JSON.stringify(row.proposal)));
    const verdicts = packed(escalations.map((row) => JSON.stringify(row.verdict)));
    tx.write(
      `INSERT INTO escalations (proposal_id, digest, state, deadline_at, author, proposal, verdict, reviewers, correlation_id, opened_at, enrolment, step, kind)
       SELECT id, digest, 'open', deadline, author, ${cut('$5', 'ps', 'pl')}::json, ${cut('$6', 'vs', 'vl')}::json,
              ARRAY(SELECT jsonb_array_elements_text(reviewers::jsonb)), correlation, $9, enrolment, step, kind
       FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $7::text[], $8::text[], $10::int[], $11::int[], $12::int[], $13::int[],
                   $14::text[], $15::bigint[], $16::text[])
         AS n(id, digest, deadline, author, reviewers, correlation, ps, pl, vs, vl, enrolment, step, kind)`,
      [
        escalations.map((row) => row.proposalId),
        escalations.map((row) => row.digest),
        escalations.map((row) => row.deadlineAt),
        escalations.map((row) => row.author),
        proposals.bytes,
        verdicts.bytes,
        escalations.map((row) => JSON.stringify(row.reviewers)),
        escalations.map((row) => row.correlationId),
        at,
        proposals.starts,
        proposals.lengths,
        verdicts.starts,
        verdicts.lengths,
        escalations.map(({ step }) => step?.enrolment ?? ''),
        escalations.map(({ step }) => step?.n ?? null),
        escalations.map(({ proposal }) => proposal.action.kind),
      ],
    );
  }

  closeEscalations(
    tx: Tx,
    closed: readonly { proposalId: string; state: Escalation['state']; by: string | null }[],
    at: string,
  ): void {
    if (closed.length === 0) return;
    tx.write(
      `UPDATE escalations e SET state = n.state, closed_by = n.by, closed_at = $4
       FROM unnest($1::uuid[], $2::text[], $3::text[]) AS n(id, state, by)
       WHERE e.proposal_id = ANY($1) AND e.proposal_id = n.id AND e.state = 'open'`,
      [closed.map((c) => c.proposalId), closed.map((c) => c.state), closed.map((c) => c.by), at],
    );
  }
}
