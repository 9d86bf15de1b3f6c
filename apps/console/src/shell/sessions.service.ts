import { type Headers, RUNTIME, type Runtime, type Tx } from '@countersign/runtime';
import { fastifyCookie as cookies } from '@fastify/cookie';
import { Inject, Injectable } from '@nestjs/common';
import type { Person } from '../core/people.js';
import {
  couldBeSecret,
  endOf,
  isOver,
  later,
  newSecret,
  rolesOfSession,
  type Session,
  seenEveryMs,
  sha256,
  sooner,
} from '../core/session.js';
import { SessionStore } from './sessions.repository.js';
import { PEOPLE, SETTINGS, type Settings } from './settings.js';

/** A session, with the token from its cookie. */
export interface Held {
  readonly session: Session;
  readonly token: string;
}

/** What granted a session. */
export type Grant = Pick<Session, 'person' | 'roles' | 'grantedBy'> & { readonly sessionUntil: string | null };

/** Begins, finds and ends the sessions of people's browsers. */
@Injectable()
export class Sessions {
  private readonly cookie: { readonly name: string; readonly secure: boolean };

  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(SessionStore) private readonly store: SessionStore,
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(PEOPLE) private readonly people: readonly Person[],
  ) {
    const secure = settings.publicUrl.startsWith('https:');
    this.cookie = { secure, name: secure ? '__Host-countersign' : 'countersign' };
  }

  /** The session's token in a request; undefined if there is none. */
  tokenOf({ cookie }: Headers): string | undefined {
    const token = typeof cookie === 'string' ? cookies.parse(cookie)[this.cookie.name] : undefined;
    return token !== undefined && couldBeSecret(token) ? token : undefined;
  }

  /** The SHA-256 of the session's token in a request, if there is one: what `begin` ends. */
  heldIn(headers: Headers): readonly string[] {
    const token = this.tokenOf(headers);
    return token === undefined ? [] : [sha256(token)];
  }

  /** The session of a token, with its present roles; undefined if it is over, or its grant no longer exists. */
  async of(token: string): Promise<Session | undefined> {
    const found = await this.store.find(sha256(token));
    const at = this.runtime.now();
    if (!found) return undefined;
    // Today's settings apply: if they were shortened, an older session does not last longer than they allow.
    const session = { ...found, expiresAt: sooner(found.expiresAt, endOf(found, this.settings)) };
    if (isOver(session, at, this.settings.sessionIdleMs)) return undefined;
    // Without the provider, it cannot be confirmed that this person may still come in.
    if (session.grantedBy === null && !this.settings.oidc) return undefined;
    const roles = rolesOfSession(session, this.people);
    return roles.length > 0 ? { ...session, roles } : undefined;
  }

  /** Restarts its idle time. */
  async seen(session: Session): Promise<void> {
    const at = this.runtime.now();
    if (later(session.lastSeenAt, Math.min(seenEveryMs, this.settings.sessionIdleMs / 2)) > at) return;
    await this.runtime.write(async (tx) => this.store.seen(tx, session.tokenSha256, at));
  }

  /** Begins a session under a new token, and ends those that the browser had before. Returns the header of its cookie. */
  async begin(
    tx: Tx,
    grant: Grant,
    at: string,
    before: readonly string[],
  ): Promise<{ readonly held: Held; readonly cookie: string }> {
    const token = newSecret();
    const { person, roles, grantedBy, sessionUntil } = grant;
    const end = endOf({ grantedBy, createdAt: at }, this.settings);
    const expiresAt = sessionUntil === null ? end : sooner(sessionUntil, end);
    const session: Session = {
      ...{ person, roles, grantedBy, expiresAt },
      tokenSha256: sha256(token),
      createdAt: at,
      lastSeenAt: at,
      endedAt: null,
    };
    await this.store.begin(tx, session);
    for (const tokenSha256 of before) this.store.end(tx, tokenSha256, at);
    return { held: { session, token }, cookie: this.header(token, Date.parse(expiresAt) - Date.parse(at)) };
  }

  /** Ends a session. Returns the header that deletes its cookie. */
  async end({ tokenSha256 }: Session): Promise<string> {
    await this.runtime.write(async (tx) => this.store.end(tx, tokenSha256, this.runtime.now()));
    return this.header('', 0);
  }

  private header(token: string, ms: number): string {
    return cookies.serialize(this.cookie.name, token, {
      httpOnly: true,
      sameSite: 'strict',
      path: '/',
      secure: this.cookie.secure,
      maxAge: Math.floor(ms / 1_000),
    });
  }
}
