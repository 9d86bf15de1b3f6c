import { type Reader, RUNTIME, type Runtime, type Tx } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { gathered } from '../core/gathered.js';
import type { Role } from '../core/people.js';
import type { Link, Session } from '../core/session.js';
import { readersOf } from './readers.js';

interface SessionRow {
  token_sha256: string;
  person: string;
  roles: Role[];
  granted_by: string | null;
  created_at: Date;
  last_seen_at: Date;
  expires_at: Date;
  ended_at: Date | null;
}

/** Who is signed in, and the one-time links. */
@Injectable()
export class SessionStore {
  private readonly forActs: Reader;

  constructor(@Inject(RUNTIME) runtime: Runtime) {
    ({ forActs: this.forActs } = readersOf(runtime));
  }

  /** The session of a token, ended ones included. However many ask, they have one connection between them. */
  readonly find = gathered(async (tokens) => {
    const rows = await this.forActs.query<SessionRow>('SELECT * FROM sessions WHERE token_sha256 = ANY($1::text[])', [
      tokens,
    ]);
    return new Map(rows.map((row) => [row.token_sha256, fromRow(row)]));
  });

  seen(tx: Tx, tokenSha256: string, at: string): void {
    tx.write('UPDATE sessions SET last_seen_at = greatest(last_seen_at, $2::timestamptz) WHERE token_sha256 = $1', [
      tokenSha256,
      at,
    ]);
  }

  begin(tx: Tx, session: Session): void {
    tx.write(
      `INSERT INTO sessions (token_sha256, person, roles, granted_by, created_at, last_seen_at, expires_at)
       VALUES ($1, $2, $3::text[], $4, $5, $5, $6)`,
      [session.tokenSha256, session.person, session.roles, session.grantedBy, session.createdAt, session.expiresAt],
    );
  }

  end(tx: Tx, tokenSha256: string, at: string): void {
    tx.write('UPDATE sessions SET ended_at = $2 WHERE token_sha256 = $1 AND ended_at IS NULL', [tokenSha256, at]);
  }

  keepLink(tx: Tx, link: Link): void {
    tx.write(
      `INSERT INTO sign_in_links (code_sha256, person, roles, granted_by, session_until, expires_at)
       VALUES ($1, $2, $3::text[], $4, $5, $6)`,
      [link.codeSha256, link.person, link.roles, link.grantedBy, link.sessionUntil, link.expiresAt],
    );
  }

  /** Uses a link up. Of several who use it at once one has it. */
  async useLink(tx: Tx, codeSha256: string, at: string): Promise<Omit<Link, 'codeSha256' | 'expiresAt'> | undefined> {
    const [row] = await tx.query<{ person: string; roles: Role[]; granted_by: string | null; until: Date | null }>(
      `UPDATE sign_in_links SET used_at = $2 WHERE code_sha256 = $1 AND used_at IS NULL AND expires_at > $2
       RETURNING person, roles, granted_by, session_until AS until`,
      [codeSha256, at],
    );
    return (
      row && {
        person: row.person,
        roles: row.roles,
        grantedBy: row.granted_by,
        sessionUntil: row.until?.toISOString() ?? null,
      }
    );
  }

  keepAttempt(tx: Tx, attemptSha256: string, expiresAt: string): void {
    tx.write('INSERT INTO sign_in_attempts (attempt_sha256, expires_at) VALUES ($1, $2)', [attemptSha256, expiresAt]);
  }

  /** Uses an attempt up; false where it is none, too old, or was used. */
  async useAttempt(tx: Tx, attemptSha256: string, at: string): Promise<boolean> {
    const used = await tx.query(
      'UPDATE sign_in_attempts SET used_at = $2 WHERE attempt_sha256 = $1 AND used_at IS NULL AND expires_at > $2 RETURNING 1 AS used',
      [attemptSha256, at],
    );
    return used.length > 0;
  }

  /** Deletes what ended before a time, `most` rows of each at once. */
  async forget(tx: Tx, before: string, most: number): Promise<void> {
    for (const [table, key] of [
      ['sessions', 'token_sha256'],
      ['sign_in_links', 'code_sha256'],
      ['sign_in_attempts', 'attempt_sha256'],
    ])
      await tx.query(
        `DELETE FROM ${table} WHERE ${key} IN (SELECT ${key} FROM ${table} WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`,
        [before, most],
      );
  }
}

const fromRow = (row: SessionRow): Session => ({
  tokenSha256: row.token_sha256,
  person: row.person,
  roles: row.roles,
  grantedBy: row.granted_by,
  createdAt: row.created_at.toISOString(),
  lastSeenAt: row.last_seen_at.toISOString(),
  expiresAt: row.expires_at.toISOString(),
  endedAt: row.ended_at?.toISOString() ?? null,
});
