import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Person, Role } from './people.js';

/** A signed-in person. Only the browser's cookie holds the token itself. */
export interface Session {
  readonly tokenSha256: string;
  readonly person: string;
  /** For a session that no token granted. A session from a token has the present roles of that token. */
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
  /** Set if a session asked for the link: the new session ends with that one at the latest. */
  readonly sessionUntil: string | null;
  /** SHA-256 of that session's token: the link works only while that session lasts. */
  readonly ofSession: string | null;
  readonly expiresAt: string;
}

/** How long a one-time link can be used. */
export const linkMs = 600_000;
/** The shortest time between two writes of a session's last use. */
export const seenEveryMs = 60_000;

export const later = (from: string, ms: number): string => new Date(Date.parse(from) + ms).toISOString();
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** 256 random bits, as text for a cookie or an address. */
export const newSecret = (): string => randomBytes(32).toString('base64url');
/** Whether a text can come from `newSecret`. Nothing else is looked up. */
export const couldBeSecret = (text: string): boolean => /^[\w-]{43}$/.test(text);

/** How long each kind of session lasts, in milliseconds. */
export interface Lasting {
  readonly sessionMs: number;
  readonly oidc: { readonly sessionMs: number } | undefined;
}

/**
 * The latest end of a session that begins at a time. A provider's claims expire soon, because the provider does not report
 * changes.
 */
export const endOf = (
  { grantedBy, createdAt }: Pick<Session, 'grantedBy' | 'createdAt'>,
  { sessionMs, oidc }: Lasting,
): string => later(createdAt, grantedBy === null && oidc ? Math.min(sessionMs, oidc.sessionMs) : sessionMs);

/** The first of two instants. */
export const sooner = (a: string, b: string): string => (a < b ? a : b);

/** Whether a session is over: at its end, or because nobody used it for `idleMs`. */
export const isOver = (session: Session, at: string, idleMs: number): boolean =>
  session.endedAt !== null || session.expiresAt <= at || later(session.lastSeenAt, idleMs) <= at;

/** The roles of a session: those of the token that granted it; none if nobody has this token any more. */
export const rolesOfSession = (session: Session, people: readonly Person[]): readonly Role[] =>
  session.grantedBy === null
    ? session.roles
    : (people.find(({ sha256: token, person }) => token === session.grantedBy && person === session.person)?.roles ??
      []);

/** The CSRF token of a session. It cannot be made without the session's token, and it shows nothing of that token. */
export const csrfTokenOf = (token: string): string => createHmac('sha256', token).update('csrf').digest('base64url');

/** Whether two texts are equal. The comparison takes the same time for every text of the same length. */
export const isSame = (given: string, expected: string): boolean =>
  timingSafeEqual(createHash('sha256').update(given).digest(), createHash('sha256').update(expected).digest());

/** What a browser says about the origin of a request. */
export interface Provenance {
  readonly site: string | undefined;
  readonly origin: string | undefined;
  readonly host: string | undefined;
}

/**
 * Whether a browser sent a request for a page that is not the console's own. A request without both headers does not come from a
 * page in a browser.
 */
export function isForeign({ site, origin, host }: Provenance, publicUrl: string): boolean {
  if (site !== undefined && site !== 'same-origin') return true;
  if (origin === undefined) return false;
  const own = new URL(publicUrl);
  if (origin === own.origin) return false;
  // Over plain HTTP the console has more than one name, such as localhost. Behind TLS it has only this one.
  return !(own.protocol === 'http:' && host !== undefined && origin === `http://${host}`);
}

const safe = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Whether a request of this method may change something. */
export const changesSomething = (method: string): boolean => !safe.has(method);

/** Why a request of a session is refused although its cookie is valid; undefined if it is not refused. */
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
