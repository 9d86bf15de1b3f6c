import {
  type Access,
  type Asked,
  type Authenticated,
  bearerToken,
  type Found,
  type Headers,
  type Principal,
  type Refusal,
  Roles,
  unknownToken,
} from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { type Person, personOf, type Role } from '../core/people.js';
import { forged, type Provenance } from '../core/session.js';
import { type Held, Sessions } from './sessions.service.js';
import { PEOPLE, SETTINGS, type Settings } from './settings.js';

/** The role that a route needs. A route without one is open to everyone who is signed in or has a token. */
export const Needs = (role: Role) => Roles(role);

/** The caller: a person, identified by their token or by the session of their browser. */
export type Caller = Principal &
  Pick<Person, 'person' | 'roles'> & {
    /** SHA-256 of the token, or of the token that granted the session; null if an identity provider granted it. */
    readonly grantedBy: string | null;
    /** Absent if the request has a token. */
    readonly held?: Held;
  };

/** A request of a known person. */
export interface ConsoleRequest extends Authenticated<Caller> {
  readonly url: string;
  readonly headers: Headers;
}

const textOf = (header: string | string[] | undefined): string | undefined =>
  typeof header === 'string' ? header : undefined;

/** The browser's information about the page that sends a request. */
export const provenance = (headers: Headers): Provenance => ({
  site: textOf(headers['sec-fetch-site']),
  origin: textOf(headers.origin),
  host: textOf(headers.host),
});

const notSignedIn: Refusal = {
  status: 401,
  title: 'Not signed in',
  detail: 'sign in on the page /sign-in, or send the header Authorization: Bearer <token>',
};
export const ended: Refusal = {
  status: 401,
  title: 'Session ended',
  detail: 'your session has ended: sign in again, then repeat what you did',
};

/** Identifies people by their tokens, and by the sessions of their browsers. */
@Injectable()
export class PeopleAccess implements Access {
  readonly realm = 'countersign';

  constructor(
    @Inject(PEOPLE) private readonly people: readonly Person[],
    @Inject(Sessions) private readonly sessions: Sessions,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  identify(headers: Headers, asked: Asked): Found | Promise<Found> {
    const token = bearerToken(headers);
    if (token !== undefined) return this.byToken(token);
    const held = this.sessions.tokenOf(headers);
    return held === undefined ? { refusal: notSignedIn } : this.bySession(held, headers, asked);
  }

  private byToken(token: string): Found {
    const found = personOf(this.people, token);
    if (!found) return { refusal: unknownToken };
    const { person, roles, sha256 } = found;
    const caller: Caller = { name: person, person, roles, grantedBy: sha256 };
    return { principal: caller };
  }

  private async bySession(token: string, headers: Headers, { method }: Asked): Promise<Found> {
    const session = await this.sessions.of(token);
    if (!session) return { refusal: ended };
    const request = { ...provenance(headers), method, csrfToken: textOf(headers['x-csrf-token']) };
    const why = forged(request, token, this.settings.publicUrl);
    if (why !== undefined) return { refusal: { status: 403, title: 'Not from this page', detail: why } };
    await this.sessions.seen(session);
    const { person, roles, grantedBy } = session;
    const caller: Caller = { name: person, person, roles: [...roles], grantedBy, held: { session, token } };
    return { principal: caller };
  }
}
