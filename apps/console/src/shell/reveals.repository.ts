import type { DataOf } from '@countersign/contracts';
import { type Reader, RUNTIME, type Runtime, type Tx } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { Cursor } from '../core/cursor.js';
import { hourOf, stateOf } from '../core/reveal.js';
import { readersOf } from './readers.js';
import { insert, lastBy } from './rows.js';

interface Row {
  reveal_id: string;
  by_person: string;
  fields: DataOf<'RevealRequested'>['fields'];
  purpose: DataOf<'RevealRequested'>['purpose'];
  note: string;
  asked_at: Date;
  expires_at: Date;
  outcome: DataOf<'RevealAnswered'>['outcome'] | null;
  answered_fields: DataOf<'RevealAnswered'>['fields'] | null;
  reason: DataOf<'RevealAnswered'>['reason'] | null;
  answered_at: Date | null;
}

const reveals = `SELECT r.*, a.outcome, a.fields AS answered_fields, a.reason, a.answered_at
  FROM reveals r LEFT JOIN reveal_answers a ON a.reveal_id = r.reveal_id`;

/** Who asked who a person is, and what came of it. The topics say both again after a restore; the sealed answer they do not. */
export function keepReveals(
  tx: Tx,
  requests: readonly DataOf<'RevealRequested'>[],
  answers: readonly DataOf<'RevealAnswered'>[],
): void {
  insert(tx, lastBy(requests, 'revealId'), {
    sql: `INSERT INTO reveals (reveal_id, contact_id, by_person, fields, purpose, note, asked_at, expires_at)
          SELECT id, contact, by, string_to_array(fields, ','), purpose, note, asked, expires
          FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[])
            AS n(id, contact, by, fields, purpose, note, asked, expires)
          ON CONFLICT DO NOTHING`,
    columns: [
      (r) => r.revealId,
      (r) => r.contactId,
      (r) => r.by,
      (r) => r.fields.join(','),
      (r) => r.purpose,
      (r) => r.note,
      (r) => r.at,
      (r) => r.expiresAt,
    ],
  });
  insert(tx, lastBy(answers, 'revealId'), {
    sql: `INSERT INTO reveal_answers (reveal_id, outcome, fields, reason, answered_at)
          SELECT id, outcome, string_to_array(fields, ','), reason, at
          FROM unnest($1::uuid[], $2::text[], $3::text[], $4::jsonb[], $5::timestamptz[]) AS n(id, outcome, fields, reason, at)
          ON CONFLICT DO NOTHING`,
    columns: [
      (a) => a.revealId,
      (a) => a.outcome,
      (a) => a.fields.join(','),
      (a) => (a.reason ? JSON.stringify(a.reason) : null),
      (a) => a.at,
    ],
  });
}

/** Reveals, and the sealed answers for as long as somebody waits for them. */
@Injectable()
export class RevealsStore {
  private readonly forActs: Reader;
  private readonly forPages: Reader;

  constructor(@Inject(RUNTIME) runtime: Runtime) {
    ({ forActs: this.forActs, forPages: this.forPages } = readersOf(runtime));
  }

  /** How often somebody has asked within this hour, this time included. Who asks at the same time waits for this transaction. */
  async count(tx: Tx, person: string, at: string): Promise<number> {
    const [row] = await tx.query<{ n: number }>(
      `INSERT INTO reveal_counts AS c (person, hour, n) VALUES ($1, $2, 1)
       ON CONFLICT (person, hour) DO UPDATE SET n = c.n + 1 RETURNING n`,
      [person, hourOf(at)],
    );
    return row?.n ?? 1;
  }

  /** Keeps a request, and a place for its answer that only the session or the token of this hash is given. */
  ask(tx: Tx, request: DataOf<'RevealRequested'>, askerSha256: string): void {
    keepReveals(tx, [request], []);
    tx.write('INSERT INTO sealed_reveals (reveal_id, asker_sha256, kept_until) VALUES ($1, $2, $3)', [
      request.revealId,
      askerSha256,
      request.expiresAt,
    ]);
  }

  /** Keeps what somebody still waits for, and nothing else. */
  sealed(tx: Tx, sealed: readonly DataOf<'RevealSealed'>[], at: string): void {
    for (const { revealId, jwe } of sealed)
      tx.write('UPDATE sealed_reveals SET jwe = $2 WHERE reveal_id = $1 AND kept_until > $3', [revealId, jwe, at]);
  }

  /** Deletes the sealed answers that nobody is given any more, and counts of days ago. */
  forget(tx: Tx, at: string): void {
    tx.write('DELETE FROM sealed_reveals WHERE kept_until <= $1', [at]);
    tx.write("DELETE FROM reveal_counts WHERE hour < $1::timestamptz - interval '1 day'", [at]);
  }

  /** One reveal, and whose its sealed answer is; that is gone after minutes. */
  async find(contactId: string, revealId: string, at: string) {
    const [row] = await this.forActs.query<Row>(`${reveals} WHERE r.reveal_id = $1 AND r.contact_id = $2`, [
      revealId,
      contactId,
    ]);
    if (!row) return undefined;
    const [kept] = await this.forActs.query<{ asker_sha256: string; jwe: string | null }>(
      'SELECT asker_sha256, jwe FROM sealed_reveals WHERE reveal_id = $1 AND kept_until > $2',
      [revealId, at],
    );
    return { reveal: shown(row, at), kept: kept && { askerSha256: kept.asker_sha256, jwe: kept.jwe } };
  }

  /** Who asked who this person is, the latest first. */
  async list(contactId: string, place: Cursor | undefined, limit: number, at: string) {
    const rows = await this.forPages.query<Row>(
      `${reveals} WHERE r.contact_id = $1 ${place ? 'AND (r.asked_at, r.reveal_id) < ($3, $4)' : ''}
       ORDER BY r.asked_at DESC, r.reveal_id DESC LIMIT $2`,
      [contactId, limit, ...(place ? [place.at, place.id] : [])],
    );
    return rows.map((row) => shown(row, at));
  }
}

const shown = (row: Row, at: string) => ({
  revealId: row.reveal_id,
  by: row.by_person,
  fields: row.answered_fields !== null && row.outcome === 'sealed' ? row.answered_fields : row.fields,
  purpose: row.purpose,
  note: row.note,
  at: row.asked_at.toISOString(),
  expiresAt: row.expires_at.toISOString(),
  state: stateOf({ outcome: row.outcome, expiresAt: row.expires_at.toISOString() }, at),
  reason: row.reason ?? null,
});
