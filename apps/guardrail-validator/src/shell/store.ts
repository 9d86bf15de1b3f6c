import type { ActionProposed, Verdict } from '@countersign/contracts';
import type { Counts, Facts, MoneyLedger, PolicyInForce } from '@countersign/gate';
import { cut, packed, type Tx } from '@countersign/runtime';
import { Injectable } from '@nestjs/common';
import type { Escalation } from '../core/answer.js';
import type { Move, PermitState } from '../core/settle.js';

export interface NewVerdict {
  readonly proposal: ActionProposed;
  readonly digest: string;
  readonly verdict: Verdict;
  /** Null where it follows from no judgement: a deadline, an edit. */
  readonly facts: Facts | null;
  readonly wouldBe?: Verdict['outcome'] | undefined;
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
  readonly reservations: readonly {
    readonly ledger: string;
    readonly amount: number;
    readonly currency: string | null;
    readonly countsAt: string;
  }[];
}

export interface Permit {
  readonly permitId: string;
  readonly digest: string;
  readonly executor: string;
  readonly state: PermitState;
  readonly expiresAt: string;
}

/** An escalation with the chain that it belongs to. */
export type StoredEscalation = Escalation & { readonly correlationId: string | null };

/** The validator's tables. Every statement takes its rows in key order, so that batches do not deadlock. */
@Injectable()
export class Store {
  /** Notes proposals; returns those that are new, and what is known of the others. */
  async noteProposals(
    tx: Tx,
    proposals: readonly { proposalId: string; author: string; digest: string }[],
    at: string,
  ): Promise<{ fresh: ReadonlySet<string>; known: ReadonlyMap<string, { author: string; digest: string }> }> {
    const sorted = [...proposals].sort((a, b) => (a.proposalId < b.proposalId ? -1 : 1));
    const inserted = await tx.query<{ proposal_id: string }>(
      `INSERT INTO proposals (proposal_id, author, digest, at)
       SELECT id, author, digest, $4 FROM unnest($1::uuid[], $2::text[], $3::text[]) AS n(id, author, digest) ORDER BY id
       ON CONFLICT DO NOTHING RETURNING proposal_id`,
      [sorted.map((p) => p.proposalId), sorted.map((p) => p.author), sorted.map((p) => p.digest), at],
    );
    const rows = await tx.query<{ proposal_id: string; author: string; digest: string }>(
      'SELECT proposal_id, author, digest FROM proposals WHERE proposal_id = ANY($1)',
      [sorted.map((p) => p.proposalId)],
    );
    return {
      fresh: new Set(inserted.map((row) => row.proposal_id)),
      known: new Map(rows.map(({ proposal_id, author, digest }) => [proposal_id, { author, digest }])),
    };
  }

  /**
   * Creates the ledgers that are missing, locks all of them in key order, then reads what is held and committed: nobody else
   * reserves on them before the commit.
   */
  async lockLedgers(
    tx: Tx,
    ledgers: readonly { ledger: string; since: string | null }[],
  ): Promise<Map<string, MoneyLedger | Counts>> {
    const found = new Map<string, MoneyLedger | Counts>();
    if (ledgers.length === 0) return found;
    const names = ledgers.map((l) => l.ledger).sort();
    await tx.query(
      'INSERT INTO ledgers (ledger) SELECT n FROM unnest($1::text[]) n ORDER BY n ON CONFLICT DO NOTHING',
      [names],
    );
    await tx.query('SELECT ledger FROM ledgers WHERE ledger = ANY($1) ORDER BY ledger FOR UPDATE', [names]);
    const money = ledgers.filter((l) => l.since === null).map((l) => l.ledger);
    const counts = ledgers.filter((l) => l.since !== null);
    for (const ledger of money) found.set(ledger, { held: 0, committed: 0, currency: null });
    for (const { ledger } of counts) found.set(ledger, { held: [], committed: [] });
    const sums =
      money.length === 0
        ? []
        : await tx.query<{ ledger: string; held: number; committed: number; currency: string | null }>(
            `SELECT ledger, coalesce(sum(amount) FILTER (WHERE state = 'held'), 0)::bigint AS held,
               coalesce(sum(amount) FILTER (WHERE state = 'committed'), 0)::bigint AS committed, min(currency) AS currency
             FROM reservations WHERE ledger = ANY($1) AND state <> 'released' GROUP BY ledger`,
            [money],
          );
    for (const { ledger, held, committed, currency } of sums) found.set(ledger, { held, committed, currency });
    // One array a ledger and state, not a row a count: an agent's hour may hold thousands.
    const times =
      counts.length === 0
        ? []
        : await tx.query<{ ledger: string; state: 'held' | 'committed'; times: number[] }>(
            `SELECT r.ledger, r.state, json_agg(floor(extract(epoch FROM r.counts_at) * 1000) ORDER BY r.counts_at) AS times
             FROM unnest($1::text[], $2::timestamptz[]) AS n(ledger, since)
             JOIN reservations r ON r.ledger = n.ledger AND r.counts_at > n.since AND r.state <> 'released'
             CROSS JOIN LATERAL generate_series(1, r.amount)
             GROUP BY r.ledger, r.state`,
            [counts.map((l) => l.ledger), counts.map((l) => l.since)],
          );
    for (const { ledger, state, times: of } of times)
      found.set(ledger, { ...(found.get(ledger) as Counts), [state]: of });
    return found;
  }

  /** Contacts of whom a touch was ever executed. */
  async touched(tx: Tx, contacts: readonly string[]): Promise<Set<string>> {
    if (contacts.length === 0) return new Set();
    const rows = await tx.query<{ contact: string }>(
      `SELECT DISTINCT substr(ledger, 7) AS contact FROM reservations WHERE ledger = ANY($1) AND state = 'committed'`,
      [contacts.map((contact) => `touch:${contact}`)],
    );
    return new Set(rows.map((row) => row.contact));
  }

  async saveVerdicts(tx: Tx, verdicts: readonly NewVerdict[], at: string): Promise<void> {
    if (verdicts.length === 0) return;
    const proposals = packed(verdicts.map((v) => JSON.stringify(v.proposal)));
    const facts = packed(verdicts.map((v) => (v.facts ? JSON.stringify(v.facts) : null)));
    const texts = packed(verdicts.map((v) => JSON.stringify(v.verdict)));
    await tx.query(
      `INSERT INTO verdicts (proposal_id, action_id, digest, outcome, proposal, facts, verdict, would_be, policy_version, policy_digest, at)
       SELECT p, a, d, o, ${cut('$5', 'ps', 'pl')}::json, ${cut('$6', 'fs', 'fl')}::json, ${cut('$7', 'vs', 'vl')}::json, w, pv, pd, $11
       FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $8::text[], $9::bigint[], $10::text[],
                   $12::int[], $13::int[], $14::int[], $15::int[], $16::int[], $17::int[])
         AS n(p, a, d, o, w, pv, pd, ps, pl, fs, fl, vs, vl)`,
      [
        verdicts.map((v) => v.proposal.proposalId),
        verdicts.map((v) => v.proposal.action.actionId),
        verdicts.map((v) => v.digest),
        verdicts.map((v) => v.verdict.outcome),
        proposals.bytes,
        facts.bytes,
        texts.bytes,
        verdicts.map((v) => v.wouldBe ?? null),
        verdicts.map((v) => v.verdict.policy.version),
        verdicts.map((v) => v.verdict.policy.digest),
        at,
        proposals.starts,
        proposals.lengths,
        facts.starts,
        facts.lengths,
        texts.starts,
        texts.lengths,
      ],
    );
  }

  /** Keeps the content of a policy that was judged under, so that its verdicts can be judged again. */
  async keepPolicy(tx: Tx, policy: PolicyInForce, at: string): Promise<void> {
    await tx.query(
      'INSERT INTO policies_used (digest, version, content, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
      [policy.digest, policy.version, JSON.stringify(policy.content), at],
    );
  }

  async savePermits(tx: Tx, permits: readonly NewPermit[], at: string): Promise<void> {
    if (permits.length === 0) return;
    const texts = packed(permits.map((p) => p.permit));
    await tx.query(
      `INSERT INTO permits (permit_id, proposal_id, action_id, digest, executor, connector, permit, expires_at, at)
       SELECT id, proposal, action, digest, executor, connector, ${cut('$7', 'start', 'length')}, expires, $9
       FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $8::timestamptz[], $10::int[], $11::int[])
         AS n(id, proposal, action, digest, executor, connector, expires, start, length)`,
      [
        permits.map((p) => p.permitId),
        permits.map((p) => p.proposalId),
        permits.map((p) => p.actionId),
        permits.map((p) => p.digest),
        permits.map((p) => p.executor),
        permits.map((p) => p.connector),
        texts.bytes,
        permits.map((p) => p.expiresAt),
        at,
        texts.starts,
        texts.lengths,
      ],
    );
    const held = permits.flatMap((p) => p.reservations.map((r) => ({ ...r, permitId: p.permitId })));
    if (held.length === 0) return;
    await tx.query(
      `INSERT INTO reservations (permit_id, ledger, amount, currency, counts_at, state, at)
       SELECT *, 'held', $6::timestamptz FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::timestamptz[])`,
      [
        held.map((r) => r.permitId),
        held.map((r) => r.ledger),
        held.map((r) => r.amount),
        held.map((r) => r.currency),
        held.map((r) => r.countsAt),
        at,
      ],
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

  /** Writes the new states of locked permits. */
  async savePermitStates(tx: Tx, states: ReadonlyMap<string, PermitState>, at: string): Promise<void> {
    await tx.query(
      `UPDATE permits p SET state = n.state, settled_at = $3 FROM unnest($1::uuid[], $2::text[]) AS n(id, state) WHERE permit_id = n.id`,
      [[...states.keys()], [...states.values()], at],
    );
  }

  /**
   * Moves reservations of locked permits: `commit` what is held, `release` what is held or committed. The permit's state decides
   * whether to come here at all, so nothing moves twice.
   */
  async moveReservations(
    tx: Tx,
    moves: readonly { permitId: string; money?: Move; counts?: Move; happenedAt: string }[],
    at: string,
  ): Promise<void> {
    const to = { commit: 'committed', release: 'released' } as const;
    const state = (move: Move | undefined): string | null => (move ? to[move] : null);
    await tx.query(
      `UPDATE reservations r SET state = CASE WHEN r.currency IS NULL THEN n.counts ELSE n.money END, at = $4,
         counts_at = CASE WHEN n.counts = 'committed' THEN greatest(r.counts_at, least(n.happened_at, $4)) ELSE r.counts_at END
       FROM unnest($1::uuid[], $2::text[], $3::text[], $5::timestamptz[]) AS n(id, money, counts, happened_at)
       WHERE r.permit_id = n.id AND r.state <> 'released' AND CASE WHEN r.currency IS NULL THEN n.counts ELSE n.money END IS NOT NULL`,
      [
        moves.map((m) => m.permitId),
        moves.map((m) => state(m.money)),
        moves.map((m) => state(m.counts)),
        at,
        moves.map((m) => m.happenedAt),
      ],
    );
  }

  /**
   * Books all that was spent under locked permits where it is more than was reserved; returns what went over. Less gives nothing
   * back, so that no report makes room.
   */
  async bookOverspent(
    tx: Tx,
    spent: readonly { permitId: string; spentMinor: number }[],
    at: string,
  ): Promise<readonly { permitId: string; ledger: string; currency: string; reserved: number; spent: number }[]> {
    const rows = await tx.query<{
      permit_id: string;
      ledger: string;
      currency: string;
      reserved: number;
      spent: number;
    }>(
      `UPDATE reservations r SET amount = n.spent, at = $3
       FROM unnest($1::uuid[], $2::bigint[]) AS n(id, spent), reservations was
       WHERE was.permit_id = n.id AND r.permit_id = was.permit_id AND r.ledger = was.ledger
         AND r.currency IS NOT NULL AND r.state <> 'released' AND was.amount < n.spent
       RETURNING r.permit_id, r.ledger, r.currency, was.amount AS reserved, r.amount AS spent`,
      [spent.map((s) => s.permitId), spent.map((s) => s.spentMinor), at],
    );
    return rows.map(({ permit_id: permitId, ...row }) => ({ permitId, ...row }));
  }

  async lockEscalations(tx: Tx, proposalIds: readonly string[]): Promise<Map<string, StoredEscalation>> {
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
    }>('SELECT * FROM escalations WHERE proposal_id = ANY($1) ORDER BY proposal_id FOR UPDATE', [proposalIds]);
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

  async openEscalations(
    tx: Tx,
    escalations: readonly Omit<StoredEscalation, 'state' | 'closedBy'>[],
    at: string,
  ): Promise<void> {
    if (escalations.length === 0) return;
    const proposals = packed(escalations.map((row) => JSON.stringify(row.proposal)));
    const verdicts = packed(escalations.map((row) => JSON.stringify(row.verdict)));
    await tx.query(
      `INSERT INTO escalations (proposal_id, digest, state, deadline_at, author, proposal, verdict, reviewers, correlation_id, opened_at)
       SELECT id, digest, 'open', deadline, author, ${cut('$5', 'ps', 'pl')}::json, ${cut('$6', 'vs', 'vl')}::json,
              ARRAY(SELECT jsonb_array_elements_text(reviewers::jsonb)), correlation, $9
       FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $7::text[], $8::text[], $10::int[], $11::int[], $12::int[], $13::int[])
         AS n(id, digest, deadline, author, reviewers, correlation, ps, pl, vs, vl)`,
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
      ],
    );
  }

  async closeEscalations(
    tx: Tx,
    closed: readonly { proposalId: string; state: Escalation['state']; by: string | null }[],
    at: string,
  ): Promise<void> {
    if (closed.length === 0) return;
    await tx.query(
      `UPDATE escalations e SET state = n.state, closed_by = n.by, closed_at = $4
       FROM unnest($1::uuid[], $2::text[], $3::text[]) AS n(id, state, by) WHERE proposal_id = n.id AND e.state = 'open'`,
      [closed.map((c) => c.proposalId), closed.map((c) => c.state), closed.map((c) => c.by), at],
    );
  }
}
