import {
  type Access,
  type Authenticated,
  bearerToken,
  type Headers,
  noToken,
  type Principal,
  Roles,
  unknownToken,
} from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { type Person, personOf, type Role } from '../core/people.js';

/** Who may use the console, by token; from CONSOLE_TOKENS_FILE. */
export const PEOPLE = Symbol('PEOPLE');

/** The role that a route asks for. A route without one is open to whoever has a token. */
export const Needs = (role: Role) => Roles(role);

/** A request of a known person. */
export interface ConsoleRequest extends Authenticated<Person & Principal> {
  readonly url: string;
}

/** Knows people by their tokens. */
@Injectable()
export class PeopleAccess implements Access {
  readonly realm = 'countersign';

  constructor(@Inject(PEOPLE) private readonly people: readonly Person[]) {}

  identify(headers: Headers): ReturnType<Access['identify']> {
    const token = bearerToken(headers);
    if (!token) return { refusal: noToken };
    const person = personOf(this.people, token);
    return person ? { principal: { ...person, name: person.person } as Person & Principal } : { refusal: unknownToken };
  }
}
