import { type Reader, RUNTIME, type Runtime, type Tx, takeTurn } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { gathered } from '../core/gathered.js';
import type { Account, Binding } from '../core/oidc.js';
import type { Role } from '../core/people.js';
import { type Link, linkMs, type Session } from '../core/session.js';
import { readersOf } from './readers.js';
import { compared, insert, lastBy } from './rows.js';

interface SessionRow {
  token_sha256: string;
  person: string;
  roles: Role[];
  granted_by: string | null;
  created_at: Date;
  last_seen_at: Date;
  expires_at: Date;
  ended_at: Date | null;
  signed_out_at: Date | null;
}

/** What a used link grants. */
type Granted = Omit<Link, 'codeSha256' | 'expiresAt' | 'ofSession'>;

/**
 * Whether a link works: the link and the session that it would begin are in time, the session that asked for it is still open, and its
 * person was not signed out since it was made.
 */
const works = `l.expires_at > $2 AND (l.session_until IS NULL OR l.session_until > $2)
  AND (l.of_session IS NULL
    OR EXISTS (SELECT FROM sessions s WHERE s.token_sha256 = l.of_session AND s.ended_at IS NULL AND s.expires_at > $2))
  AND NOT EXISTS (SELECT FROM sign_outs o WHERE o.person = l.person AND o.signed_out_at >= l.expires_at - make_interval(secs => $3))`;

/** Stores when a person was signed out: everything that they began before is over. A restored database learns this again from the topic. */
export function signOut(tx: Tx, people: readonly { readonly person: string; readonly at: string }[]): void {
  insert(
    tx,
    lastBy(
      [...people].sort((a, b) => compared(a.at, b.at)),
      'person',
    ),
    {
      sql: `INSERT INTO sign_outs (person, signed_out_at) SELECT * FROM unnest($1::text[], $2::timestamptz[])
          ON CONFLICT (person) DO UPDATE SET signed_out_at = greatest(sign_outs.signed_out_at, excluded.signed_out_at)`,
      columns: [({ person }) => person, ({ at }) => at],
    },
  );
}

/** Releases the accounts that people signed in with until a time: the next account that signs in by such a name is bound to it. */
export function releaseAccounts(tx: Tx, people: readonly { readonly person: string; readonly at: string }[]): void {
  if (people.length > 0)
    tx.write(
      `DELETE FROM sign_in_accounts a USING unnest($1::text[], $2::timestamptz[]) AS n(person, at)
       WHERE a.person = ANY($1) AND a.person = n.person AND a.bound_at <= n.at`,
      [people.map(({ person }) => person), people.map(({ at }) => at)],
    );
}

/**
 * Everything that begins or ends a sign-in of a person takes this lock. Otherwise an operator's statements would not see a session that
 * begins while the operator signs the person out, and that session's time, perhaps from another clock, would be after the sign-out.
 */
const takeTurnOf = (tx: Tx, person: string): Promise<void> => takeTurn(tx, `sign-in of ${person}`);

/** Who is signed in, and the one-time links. */
@Injectable()
export class SessionStore {
  private readonly forActs: Reader;

  constructor(@Inject(RUNTIME) private readonly runtime: Runtime) {
    ({ forActs: this.forActs } = readersOf(runtime));
  }

  /** The session of a token, also if it has ended. All concurrent lookups share one connection. */
  readonly find = gathered(async (tokens) => {
    const rows = await this.forActs.query<SessionRow>(
      `SELECT s.*, CASE WHEN o.signed_out_at >= s.created_at THEN o.signed_out_at END AS signed_out_at
       FROM sessions s LEFT JOIN sign_outs o ON o.person = s.person WHERE s.token_sha256 = ANY($1::text[])`,
      [tokens],
    );
    return new Map(rows.map((row) => [row.token_sha256, fromRow(row)]));
  });

  seen(tx: Tx, tokenSha256: string, at: string): void {
    tx.write('UPDATE sessions SET last_seen_at = greatest(last_seen_at, $2::timestamptz) WHERE token_sha256 = $1', [
      tokenSha256,
      at,
    ]);
  }

  async begin(tx: Tx, session: Session): Promise<void> {
    await takeTurnOf(tx, session.person);
    tx.write(
      `INSERT INTO sessions (token_sha256, person, roles, granted_by, created_at, last_seen_at, expires_at)
       VALUES ($1, $2, $3::text[], $4, $5, $5, $6)`,
      [session.tokenSha256, session.person, session.roles, session.grantedBy, session.createdAt, session.expiresAt],
    );
  }

  end(tx: Tx, tokenSha256: string, at: string): void {
    tx.write('UPDATE sessions SET ended_at = $2 WHERE token_sha256 = $1 AND ended_at IS NULL', [tokenSha256, at]);
  }

  async storeLink(tx: Tx, link: Link): Promise<void> {
    await takeTurnOf(tx, link.person);
    tx.write(
      `INSERT INTO sign_in_links (code_sha256, person, roles, granted_by, session_until, expires_at, of_session)
       VALUES ($1, $2, $3::text[], $4, $5, $6, $7)`,
      [link.codeSha256, link.person, link.roles, link.grantedBy, link.sessionUntil, link.expiresAt, link.ofSession],
    );
  }

  /** Whether a link works at present. All concurrent lookups share one connection. */
  async works(codeSha256: string): Promise<boolean> {
    return (await this.open(codeSha256)) !== undefined;
  }
  private readonly open = gathered(async (codes) => {
    const rows = await this.forActs.query<{ code: string }>(
      `SELECT l.code_sha256 AS code FROM sign_in_links l WHERE l.code_sha256 = ANY($1::text[]) AND l.used_at IS NULL AND ${works}`,
      [codes, this.runtime.now(), linkMs / 1_000],
    );
    return new Map(rows.map(({ code }) => [code, true]));
  });

  /**
   * Uses a link up. Of several concurrent uses, one succeeds. A revocation is checked here, and not at the sign-out, so that it also
   * covers a link that is being made at that moment.
   */
  async useLink(tx: Tx, codeSha256: string, at: string): Promise<Granted | undefined> {
    const [link] = await tx.query<{ person: string }>('SELECT person FROM sign_in_links WHERE code_sha256 = $1', [
      codeSha256,
    ]);
    if (!link) return undefined;
    // Taken before the link is locked: a sign-out of this person locks in the same order.
    await takeTurnOf(tx, link.person);
    const [row] = await tx.query<{ person: string; roles: Role[]; granted_by: string | null; until: Date | null }>(
      `UPDATE sign_in_links l SET used_at = $2 WHERE code_sha256 = $1 AND used_at IS NULL AND ${works}
       RETURNING person, roles, granted_by, session_until AS until`,
      [codeSha256, at, linkMs / 1_000],
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

  /** Ends a person's sessions, and revokes the links that could begin more. Returns how many sessions and links worked until then. */
  async endAllOf(tx: Tx, person: string, at: string): Promise<{ sessions: number; links: number }> {
    await takeTurnOf(tx, person);
    signOut(tx, [{ person, at }]);
    // Sessions last: a concurrent use of a link has either begun its session by then, or finds the link ended.
    const links = await tx.query(
      'UPDATE sign_in_links SET used_at = $2 WHERE person = $1 AND used_at IS NULL AND expires_at > $2 RETURNING 1 AS ended',
      [person, at],
    );
    const sessions = await tx.query(
      'UPDATE sessions SET ended_at = $2 WHERE person = $1 AND ended_at IS NULL AND expires_at > $2 RETURNING 1 AS ended',
      [person, at],
    );
    return { sessions: sessions.length, links: links.length };
  }

  /** Releases the accounts that a person signs in with. Returns how many. Follows `endAllOf`, which took the turn of this person. */
  async releaseAccountsOf(tx: Tx, person: string): Promise<number> {
    const rows = await tx.query('DELETE FROM sign_in_accounts WHERE person = $1 RETURNING 1 AS released', [person]);
    return rows.length;
  }

  /** Whether a person was signed out at or after a time; without a time, whether a sign-out of theirs may still matter. */
  async isSignedOutSince(tx: Tx, person: string, since: string | undefined): Promise<boolean> {
    const rows = await tx.query(
      "SELECT 1 AS found FROM sign_outs WHERE person = $1 AND signed_out_at >= coalesce($2::timestamptz, '-infinity')",
      [person, since ?? null],
    );
    return rows.length > 0;
  }

  /** Whether anyone was ever signed in by this name, as far as the rows are kept. */
  async knows(person: string): Promise<boolean> {
    const rows = await this.forActs.query(
      `SELECT 1 AS found FROM sessions WHERE person = $1 UNION ALL SELECT 1 FROM sign_in_links WHERE person = $1
       UNION ALL SELECT 1 FROM sign_in_accounts WHERE person = $1 LIMIT 1`,
      [person],
    );
    return rows.length > 0;
  }

  storeAttempt(tx: Tx, attemptSha256: string, expiresAt: string, sessionBefore: string | undefined): void {
    tx.write('INSERT INTO sign_in_attempts (attempt_sha256, expires_at, session_before) VALUES ($1, $2, $3)', [
      attemptSha256,
      expiresAt,
      sessionBefore ?? null,
    ]);
  }

  /** Uses an attempt up. Returns undefined if there is no such attempt, it is too old, or it was used before. */
  async useAttempt(
    tx: Tx,
    attemptSha256: string,
    at: string,
  ): Promise<{ readonly sessionBefore: string | null } | undefined> {
    const [used] = await tx.query<{ session_before: string | null }>(
      'UPDATE sign_in_attempts SET used_at = $2 WHERE attempt_sha256 = $1 AND used_at IS NULL AND expires_at > $2 RETURNING session_before',
      [attemptSha256, at],
    );
    return used && { sessionBefore: used.session_before };
  }

  /**
   * Binds an account to a person if neither is bound yet, and returns what is bound now: the account of the person, and the person of the
   * account. It is bound after the last sign-out of this person, whatever the clocks say, so that only a later one releases it.
   */
  async bindAccount(tx: Tx, person: string, { issuer, subjectSha256 }: Account, at: string): Promise<Binding[]> {
    await takeTurnOf(tx, person);
    await tx.query(
      `INSERT INTO sign_in_accounts (issuer, person, subject_sha256, bound_at)
       SELECT $1, $2, $3, greatest($4::timestamptz, (SELECT signed_out_at + interval '1 ms' FROM sign_outs WHERE person = $2))
       ON CONFLICT DO NOTHING`,
      [issuer, person, subjectSha256, at],
    );
    const rows = await tx.query<{ person: string; subject_sha256: string }>(
      'SELECT person, subject_sha256 FROM sign_in_accounts WHERE issuer = $1 AND (person = $2 OR subject_sha256 = $3)',
      [issuer, person, subjectSha256],
    );
    return rows.map((row) => ({ person: row.person, subjectSha256: row.subject_sha256 }));
  }

  /** Deletes rows that ended before a time, at most `most` of each table. */
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

  /**
   * Deletes sign-outs from before a time that ended everything they could end: no session from before the sign-out is left, and no
   * review from before it is open, so no button of an old message can answer one. At most `most`.
   */
  async forgetSignOuts(tx: Tx, before: string, at: string, most: number): Promise<void> {
    // The time is compared twice: if the person is signed out again at this moment, the row stays.
    await tx.query(
      `DELETE FROM sign_outs WHERE signed_out_at < $1 AND person IN (
         SELECT o.person FROM sign_outs o
         WHERE o.signed_out_at < $1
           AND NOT EXISTS (SELECT FROM sessions s WHERE s.person = o.person AND s.created_at <= o.signed_out_at)
           AND NOT EXISTS (SELECT FROM escalations e WHERE e.deadline_at > $2 AND e.escalated_at <= o.signed_out_at)
         LIMIT $3)`,
      [before, at, most],
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
  endedAt: (row.ended_at ?? row.signed_out_at)?.toISOString() ?? null,
});
