import type { DataOf } from '@countersign/contracts';
import { type Reader, RUNTIME, type Runtime, type Tx } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { Cursor } from '../core/cursor.js';
import { hourMs, type OfRequest, stateOf } from '../core/reveal.js';
import { later } from '../core/session.js';
import { readersOf } from './readers.js';
import { insert, lastBy } from './rows.js';

interface Row {
  request_id: string;
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
  FROM reveals r LEFT JOIN reveal_answers a ON a.request_id = r.request_id`;

/** Who asked for a person's name or address, and the result. After a restore, the topics give both again, but not the sealed answer. */
export function storeReveals(
  tx: Tx,
  requests: readonly OfRequest<DataOf<'RevealRequested'>>[],
  answers: readonly OfRequest<DataOf<'RevealAnswered'>>[],
): void {
  insert(tx, lastBy(requests, 'requestId'), {
    sql: `INSERT INTO reveals (request_id, reveal_id, contact_id, by_person, fields, purpose, note, asked_at, expires_at)
          SELECT request, id, contact, by, string_to_array(fields, ','), purpose, note, asked, expires
          FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[], $9::timestamptz[])
            AS n(request, id, contact, by, fields, purpose, note, asked, expires)
          ON CONFLICT DO NOTHING`,
    columns: [
      (r) => r.requestId,
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
  insert(tx, lastBy(answers, 'requestId'), {
    sql: `INSERT INTO reveal_answers (request_id, outcome, fields, reason, answered_at)
          SELECT id, outcome, string_to_array(fields, ','), reason, at
          FROM unnest($1::uuid[], $2::text[], $3::text[], $4::jsonb[], $5::timestamptz[]) AS n(id, outcome, fields, reason, at)
          ON CONFLICT DO NOTHING`,
    columns: [
      (a) => a.requestId,
      (a) => a.outcome,
      (a) => a.fields.join(','),
      (a) => (a.reason ? JSON.stringify(a.reason) : null),
      (a) => a.at,
    ],
  });
}

/** Deletes a bounded number of requests and of answers from before `before`. Returns the larger of both numbers. */
export async function forgetReveals(tx: Tx, before: string, limit: number): Promise<number> {
  const requests = await tx.query(
    `DELETE FROM reveals WHERE request_id IN (SELECT request_id FROM reveals WHERE asked_at < $1 ORDER BY asked_at LIMIT $2) RETURNING 1`,
    [before, limit],
  );
  const answers = await tx.query(
    `DELETE FROM reveal_answers WHERE request_id IN (
       SELECT request_id FROM reveal_answers WHERE answered_at < $1 ORDER BY answered_at LIMIT $2) RETURNING 1`,
    [before, limit],
  );
  return Math.max(requests.length, answers.length);
}

/** Reveals, and their sealed answers for as long as a client waits for them. */
@Injectable()
export class RevealsStore {
  private readonly forActs: Reader;
  private readonly forPages: Reader;

  constructor(@Inject(RUNTIME) runtime: Runtime) {
    ({ forActs: this.forActs, forPages: this.forPages } = readersOf(runtime));
  }

  /**
   * When a person who has asked `most` times within the last hour may ask again; undefined means now. A concurrent request of this person
   * waits for this transaction.
   */
  async mayAskAgainAt(tx: Tx, person: string, most: number, at: string): Promise<string | undefined> {
    if (most === 0) return later(at, hourMs);
    await tx.query(
      'INSERT INTO reveal_askers (person) VALUES ($1) ON CONFLICT (person) DO UPDATE SET person = excluded.person',
      [person],
    );
    const [row] = await tx.query<{ asked_at: Date }>(
      `SELECT asked_at FROM reveals WHERE by_person = $1 AND asked_at > $2
       ORDER BY asked_at DESC OFFSET $3 LIMIT 1`,
      [person, later(at, -hourMs), most - 1],
    );
    return row && later(row.asked_at.toISOString(), hourMs);
  }

  /** Stores a request, and a place for its answer. Only the session or token with this hash gets the answer. */
  ask(tx: Tx, request: OfRequest<DataOf<'RevealRequested'>>, askerSha256: string): void {
    storeReveals(tx, [request], []);
    tx.write('INSERT INTO sealed_reveals (reveal_id, asker_sha256, kept_until) VALUES ($1, $2, $3)', [
      request.revealId,
      askerSha256,
      request.expiresAt,
    ]);
  }

  /** Stores only the answers that a client still waits for. */
  sealed(tx: Tx, sealed: readonly DataOf<'RevealSealed'>[], at: string): void {
    for (const { revealId, jwe } of sealed)
      tx.write('UPDATE sealed_reveals SET jwe = $2 WHERE reveal_id = $1 AND kept_until > $3', [revealId, jwe, at]);
  }

  /** Deletes the sealed answers that are no longer given out. */
  forget(tx: Tx, at: string): void {
    tx.write('DELETE FROM sealed_reveals WHERE kept_until <= $1', [at]);
  }

  /** One reveal, and whose its sealed answer is. The answer is deleted after some minutes. */
  async find(contactId: string, revealId: string, at: string) {
    const [row] = await this.forActs.query<Row>(
      `${reveals} WHERE r.reveal_id = $1 AND r.contact_id = $2
       ORDER BY r.asked_at, r.request_id LIMIT 1`,
      [revealId, contactId],
    );
    if (!row) return undefined;
    const [sealed] = await this.forActs.query<{ asker_sha256: string; jwe: string | null }>(
      'SELECT asker_sha256, jwe FROM sealed_reveals WHERE reveal_id = $1 AND kept_until > $2',
      [revealId, at],
    );
    return { reveal: shown(row, at), sealed: sealed && { askerSha256: sealed.asker_sha256, jwe: sealed.jwe } };
  }

  /** The requests about this person, the latest first. */
  async list(contactId: string, place: Cursor | undefined, limit: number, at: string) {
    const rows = await this.forPages.query<Row>(
      `${reveals} WHERE r.contact_id = $1 ${place ? 'AND (r.asked_at, r.request_id) < ($3, $4)' : ''}
       ORDER BY r.asked_at DESC, r.request_id DESC LIMIT $2`,
      [contactId, limit, ...(place ? [place.at, place.id] : [])],
    );
    return rows.map((row) => ({ requestId: row.request_id, reveal: shown(row, at) }));
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
