import type { Tx } from '@countersign/runtime';
import { Injectable } from '@nestjs/common';
import type { PublishedEnd } from '../core/past.js';
import type { End, Tried } from '../core/permit-machine.js';

/** A permit's single-use row: which job took it, how often an instance set out for its connected system, and how it ended. */
export interface PermitRow {
  readonly permitId: string;
  /** The approval that took it; another one with the same permit is a replay. */
  readonly jobId: string;
  /** How often an instance set out to call or ask, without the turns that were given back. */
  readonly turns: number;
  /** How many of these turns certainly sent no call. If all of them, the permit was never called. */
  readonly unsent: number;
  readonly end: End | null;
}

/** What a row is taken with: an intent (`end` null), or an end without a call. */
export interface Taking {
  readonly permitId: string;
  readonly jobId: string;
  readonly actionId: string;
  readonly proposalId: string;
  readonly connector: string;
  readonly end: End | null;
}

interface StoredRow {
  permit_id: string;
  job_id: string;
  turns: number;
  unsent: number;
  outcome: End['outcome'] | null;
  reason: End['reason'] | null;
  external_reference: string | null;
  spent_minor: number | null;
  before: NonNullable<End['before']> | null;
  after: NonNullable<End['after']> | null;
}

const columns =
  'p.permit_id, p.job_id, p.turns, p.unsent, p.outcome, p.reason, p.external_reference, p.spent_minor, p.before, p.after';

/** The table `permits`: one row for every permit that reached an intent or an end here. Rows are never deleted. */
@Injectable()
export class Permits {
  /** The existing rows of these permits. */
  async find(tx: Tx, permitIds: readonly string[]): Promise<Map<string, PermitRow>> {
    if (permitIds.length === 0) return new Map();
    const rows = await tx.query<StoredRow>(`SELECT ${columns} FROM permits p WHERE p.permit_id = ANY($1::uuid[])`, [
      permitIds,
    ]);
    return new Map(rows.map((row) => [row.permit_id, rowOf(row)]));
  }

  /** Takes the rows that are free. Returns the jobs that got their row. */
  async take(tx: Tx, takings: readonly Taking[], at: string): Promise<Set<string>> {
    if (takings.length === 0) return new Set();
    const rows = await tx.query<{ job_id: string }>(
      `INSERT INTO permits (permit_id, job_id, action_id, proposal_id, connector, turns, spent_at, called_at, outcome, reason, ended_at)
       SELECT permit_id, job_id, action_id, proposal_id, connector,
              CASE WHEN outcome IS NULL THEN 1 ELSE 0 END, CASE WHEN outcome IS NULL THEN $8::timestamptz END,
              CASE WHEN outcome IS NULL THEN $8::timestamptz END, outcome, reason::jsonb,
              CASE WHEN outcome IS NOT NULL THEN $8::timestamptz END
       FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[])
         AS n(permit_id, job_id, action_id, proposal_id, connector, outcome, reason)
       ORDER BY permit_id ON CONFLICT DO NOTHING RETURNING job_id`,
      [
        takings.map((t) => t.permitId),
        takings.map((t) => t.jobId),
        takings.map((t) => t.actionId),
        takings.map((t) => t.proposalId),
        takings.map((t) => t.connector),
        takings.map((t) => t.end?.outcome ?? null),
        takings.map((t) => (t.end?.reason ? JSON.stringify(t.end.reason) : null)),
        at,
      ],
    );
    return new Set(rows.map((row) => row.job_id));
  }

  /** Counts one more turn on open intents. Returns the new turn of each, without the intents that have ended meanwhile. */
  async nextTurn(tx: Tx, permitIds: readonly string[], at: string): Promise<Map<string, Tried>> {
    if (permitIds.length === 0) return new Map();
    const rows = await tx.query<{ permit_id: string; turns: number; unsent: number }>(
      `UPDATE permits p SET turns = p.turns + 1, called_at = $2
       FROM (SELECT permit_id FROM permits WHERE permit_id = ANY($1::uuid[]) AND outcome IS NULL ORDER BY permit_id FOR UPDATE) o
       WHERE p.permit_id = ANY($1::uuid[]) AND p.permit_id = o.permit_id RETURNING p.permit_id, p.turns, p.unsent`,
      [permitIds, at],
    );
    return new Map(rows.map(({ permit_id, turns, unsent }) => [permit_id, { turn: turns, sent: turns - 1 - unsent }]));
  }

  /**
   * Gives back turns in which nothing was called. Each turn is given back once, by the instance that took it; at 0 the permit was never
   * called. If another instance has taken a later turn meanwhile, nothing is given back, and that instance asks before it calls.
   */
  giveBack(tx: Tx, turns: ReadonlyMap<string, number>): void {
    const rows = [...turns].sort(([a], [b]) => (a < b ? -1 : 1));
    tx.write(
      `UPDATE permits p SET turns = p.turns - 1
       FROM (SELECT q.permit_id FROM permits q JOIN unnest($1::uuid[], $2::int[]) AS n(permit_id, turn)
             ON q.permit_id = n.permit_id AND q.turns = n.turn
             WHERE q.permit_id = ANY($1::uuid[]) AND q.outcome IS NULL ORDER BY q.permit_id FOR UPDATE OF q) o
       WHERE p.permit_id = ANY($1::uuid[]) AND p.permit_id = o.permit_id`,
      [rows.map(([id]) => id), rows.map(([, turn]) => turn)],
    );
  }

  /** Notes turns that certainly sent no call. */
  noteUnsent(tx: Tx, permitIds: readonly string[]): void {
    tx.write(
      `UPDATE permits p SET unsent = p.unsent + 1
       FROM (SELECT permit_id FROM permits WHERE permit_id = ANY($1::uuid[]) ORDER BY permit_id FOR UPDATE) o
       WHERE p.permit_id = ANY($1::uuid[]) AND p.permit_id = o.permit_id`,
      [permitIds],
    );
  }

  /**
   * Ends intents whose end holds only while no other instance has set out for them. It does so under the row's lock and only in the given
   * turn, so that an instance that took an intent over keeps it. Returns the intents that ended here.
   */
  async endAlone(
    tx: Tx,
    ends: ReadonlyMap<string, { readonly end: End; readonly turn: number }>,
    at: string,
  ): Promise<Set<string>> {
    const turns = new Map([...ends].map(([id, { turn }]) => [id, turn]));
    return new Set((await this.write(tx, new Map([...ends].map(([id, { end }]) => [id, end])), at, turns)).keys());
  }

  /** Ends unresolved permits as a person decided, under the rows' locks. Returns the permits that ended here; every other end stands. */
  async decide(tx: Tx, ends: ReadonlyMap<string, End>, at: string): Promise<Set<string>> {
    const rows = [...ends].sort(([a], [b]) => (a < b ? -1 : 1));
    const decided = await tx.query<{ permit_id: string }>(
      `UPDATE permits p SET outcome = n.outcome, reason = n.reason::jsonb, ended_at = $4
       FROM (SELECT n.* FROM unnest($1::uuid[], $2::text[], $3::text[]) AS n(permit_id, outcome, reason)
             JOIN permits o ON o.permit_id = ANY($1::uuid[]) AND o.permit_id = n.permit_id
             WHERE o.outcome = 'unresolved' ORDER BY o.permit_id FOR UPDATE OF o) n
       WHERE p.permit_id = ANY($1::uuid[]) AND p.permit_id = n.permit_id AND p.outcome = 'unresolved' RETURNING p.permit_id`,
      [
        rows.map(([id]) => id),
        rows.map(([, end]) => end.outcome),
        rows.map(([, end]) => JSON.stringify(end.reason)),
        at,
      ],
    );
    return new Set(decided.map((row) => row.permit_id));
  }

  /**
   * Gives each permit the end that was published before a restore. A lost row is created, an intent ends, and an unresolved permit that
   * was decided gets the decision. Every other end stands. It is not known which approval took a lost row: that approval is recognised by
   * its settlement, and any other approval is a replay.
   */
  takeOver(tx: Tx, published: readonly PublishedEnd[], at: string): void {
    const ends = published.toSorted((a, b) => (a.settlement.permitId < b.settlement.permitId ? -1 : 1));
    tx.write(
      `INSERT INTO permits AS p (permit_id, job_id, action_id, proposal_id, connector, turns, spent_at, called_at, outcome, reason,
                                 external_reference, spent_minor, before, after, ended_at)
       SELECT permit_id, job_id, action_id, proposal_id, connector, CASE WHEN uncalled THEN 0 ELSE 1 END,
              CASE WHEN NOT uncalled THEN $12::timestamptz END, CASE WHEN NOT uncalled THEN $12::timestamptz END,
              outcome, reason::jsonb, reference, spent, before::jsonb, after::jsonb, $12
       FROM (SELECT *, outcome IN ('refused', 'expired') AS uncalled
             FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[],
                         $10::text[], $11::text[])
               AS n(permit_id, job_id, action_id, proposal_id, connector, outcome, reason, reference, spent, before, after)) n
       ORDER BY permit_id
       ON CONFLICT (permit_id) DO UPDATE SET outcome = excluded.outcome, reason = excluded.reason,
         external_reference = excluded.external_reference, spent_minor = excluded.spent_minor, before = excluded.before,
         after = excluded.after, ended_at = excluded.ended_at
       WHERE p.outcome IS NULL OR (p.outcome = 'unresolved' AND excluded.outcome <> 'unresolved')`,
      [
        ends.map(({ settlement }) => settlement.permitId),
        ends.map(({ id }) => `settled by ${id}`),
        ends.map(({ settlement }) => settlement.actionId),
        ends.map(({ settlement }) => settlement.proposalId),
        ends.map(({ settlement }) => settlement.connector),
        ends.map(({ end }) => end.outcome),
        ends.map(({ end }) => json(end.reason)),
        ends.map(({ end }) => end.externalReference ?? null),
        ends.map(({ end }) => end.spentMinor ?? null),
        ends.map(({ end }) => json(end.before)),
        ends.map(({ end }) => json(end.after)),
        at,
      ],
    );
  }

  /** Ends intents. Returns the end that each row holds: the first end that was written stands. */
  async end(tx: Tx, ends: ReadonlyMap<string, End>, at: string): Promise<Map<string, End>> {
    const written = await this.write(tx, ends, at, new Map());
    const rows = await this.find(
      tx,
      [...ends.keys()].filter((id) => !written.has(id)),
    );
    return new Map([...written, ...rows].flatMap(([id, { end }]) => (end ? [[id, end] as const] : [])));
  }

  /** The rows that these ends were written to, as they are now. */
  private async write(tx: Tx, ends: ReadonlyMap<string, End>, at: string, turns: ReadonlyMap<string, number>) {
    if (ends.size === 0) return new Map<string, PermitRow>();
    const rows = [...ends].sort(([a], [b]) => (a < b ? -1 : 1));
    const ended = await tx.query<StoredRow>(
      `UPDATE permits p SET outcome = n.outcome, reason = n.reason::jsonb, external_reference = n.reference,
              spent_minor = n.spent, before = n.before::jsonb, after = n.after::jsonb, ended_at = $7
       FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $8::bigint[], $9::int[])
         AS n(permit_id, outcome, reason, reference, before, after, spent, turn)
       WHERE p.permit_id = ANY($1::uuid[]) AND p.permit_id = n.permit_id AND p.outcome IS NULL
         AND (n.turn IS NULL OR p.turns = n.turn) RETURNING ${columns}`,
      [
        rows.map(([id]) => id),
        rows.map(([, end]) => end.outcome),
        rows.map(([, end]) => json(end.reason)),
        rows.map(([, end]) => end.externalReference ?? null),
        rows.map(([, end]) => json(end.before)),
        rows.map(([, end]) => json(end.after)),
        at,
        rows.map(([, end]) => end.spentMinor ?? null),
        rows.map(([id]) => turns.get(id) ?? null),
      ],
    );
    return new Map(ended.map((row) => [row.permit_id, rowOf(row)]));
  }
}

const json = (value: unknown): string | null => (value === undefined ? null : JSON.stringify(value));

const rowOf = (row: StoredRow): PermitRow => ({
  permitId: row.permit_id,
  jobId: row.job_id,
  turns: row.turns,
  unsent: row.unsent,
  end:
    row.outcome === null
      ? null
      : {
          outcome: row.outcome,
          ...(row.reason !== null && { reason: row.reason }),
          ...(row.external_reference !== null && { externalReference: row.external_reference }),
          ...(row.spent_minor !== null && { spentMinor: row.spent_minor }),
          ...(row.before !== null && { before: row.before }),
          ...(row.after !== null && { after: row.after }),
        },
});
