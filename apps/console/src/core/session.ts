import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Person, Role } from './people.js';

/** Somebody is signed in. The token itself is in the browser's cookie alone. */
export interface Session {
  readonly tokenSha256: string;
  readonly person: string;
  /** Of a session that no token granted. Whose token did has the roles of that token, whatever they are by now. */
  readonly roles: readonly Role[];
  /** SHA-256 of the token whose holder asked for the link. */
  readonly grantedBy: string | null;
  readonly createdAt: string;
  readonly lastSeenAt: string;
  readonly expiresAt: string;
  readonly endedAt: string | null;
}

/** A one-time link that was asked for. */
export interface Link {
  readonly codeSha256: string;
  readonly person: string;
  readonly roles: readonly Role[];
  readonly grantedBy: string | null;
  /** Asked for by a session: what comes of it ends with that at the latest. */
  readonly sessionUntil: string | null;
  /** SHA-256 of that session's token: the link works while that session does. */
  readonly ofSession: string | null;
  readonly expiresAt: string;
}

/** How long a one-time link can be used. */
export const linkMs = 600_000;
/** A session is written to as seen no more often than this. */
export const seenEveryMs = 60_000;

export const later = (from: string, ms: number): string => new Date(Date.parse(from) + ms).toISOString();
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** 256 bits that nobody can guess, as text for a cookie or an address. */
export const newSecret = (): string => randomBytes(32).toString('base64url');
/** Whether a text can be one of `newSecret`: nothing else is looked up. */
export const couldBeSecret = (text: string): boolean => /^[\w-]{43}$/.test(text);

/** How long what granted a session counts, in milliseconds. */
export interface Lasting {
  readonly sessionMs: number;
  readonly oidc: { readonly sessionMs: number } | undefined;
}

/** When a session that begins at a time ends at the latest. What a provider says of somebody is asked for again soon: it tells nobody here when it changes. */
export const endOf = (
  { grantedBy, createdAt }: Pick<Session, 'grantedBy' | 'createdAt'>,
  { sessionMs, oidc }: Lasting,
): string => later(createdAt, grantedBy === null && oidc ? Math.min(sessionMs, oidc.sessionMs) : sessionMs);

/** The first of two instants. */
export const sooner = (a: string, b: string): string => (a < b ? a : b);

/** Whether a session is over, at its end or because nobody used it for `idleMs`. */
export const isOver = (session: Session, at: string, idleMs: number): boolean =>
  session.endedAt !== null || session.expiresAt <= at || later(session.lastSeenAt, idleMs) <= at;

/** The roles of a session: those of the token that granted it, none where nobody has this token any more. */
export const rolesOfSession = (session: Session, people: readonly Person[]): readonly Role[] =>
  session.grantedBy === null
    ? session.roles
    : (people.find(({ sha256: token, person }) => token === session.grantedBy && person === session.person)?.roles ??
      []);

/** The CSRF token of a session: who does not have the session's token cannot make it, and it says nothing of it. */
export const csrfTokenOf = (token: string): string => createHmac('sha256', token).update('csrf').digest('base64url');

/** Whether two texts are the same, in a time that tells nothing of either. */
export const isSame = (given: string, expected: string): boolean =>
  timingSafeEqual(createHash('sha256').update(given).digest(), createHash('sha256').update(expected).digest());

/** What a browser says of where a request comes from. */
export interface Provenance {
  readonly site: string | undefined;
  readonly origin: string | undefined;
  readonly host: string | undefined;
}

/** Whether a browser sent a request for a page that is not the console's own. A client that says neither is no browser's page. */
export function isForeign({ site, origin, host }: Provenance, publicUrl: string): boolean {
  if (site !== undefined && site !== 'same-origin') return true;
  if (origin === undefined) return false;
  const own = new URL(publicUrl);
  if (origin === own.origin) return false;
  // Over plain HTTP the console has more than one name, such as localhost. Behind TLS it has this one.
  return !(own.protocol === 'http:' && host !== undefined && origin === `http://${host}`);
}

const safe = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Whether a request of this method may change something. */
export const changesSomething = (method: string): boolean => !safe.has(method);

/** Why a request of a session is not done, although its cookie is right; undefined where it is. */
export function forged(
  request: Provenance & { readonly method: string; readonly csrfToken: string | undefined },
  token: string,
  publicUrl: string,
): string | undefined {
  if (!changesSomething(request.method)) return undefined;
  if (isForeign(request, publicUrl)) return 'this request comes from another site; nothing was done';
  if (request.csrfToken === undefined || !isSame(request.csrfToken, csrfTokenOf(token)))
    return 'the header X-CSRF-Token is not that of your session: read the page again, then repeat what you did';
  return undefined;
}
