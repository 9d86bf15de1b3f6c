import fs from 'node:fs';
import { textOfFile } from '@countersign/contracts';
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
import { People, type Person, personOf, type Role } from '../core/people.js';

/** Who may use the console, by token; from CONSOLE_TOKENS_FILE. */
export const PEOPLE = Symbol('PEOPLE');

/** Reads the file named by CONSOLE_TOKENS_FILE. Throws, naming the variable, where it cannot be used. */
export function readPeople(env: NodeJS.ProcessEnv): readonly Person[] {
  const path = env.CONSOLE_TOKENS_FILE;
  if (!path) throw new Error('CONSOLE_TOKENS_FILE is not set: a JSON list of {"sha256", "person", "roles"}');
  let content: unknown;
  try {
    content = JSON.parse(textOfFile(path, fs));
  } catch (error) {
    const reason =
      error instanceof SyntaxError ? 'it is not JSON' : ((error as NodeJS.ErrnoException).code ?? 'unreadable');
    throw new Error(`CONSOLE_TOKENS_FILE: ${path} cannot be read: ${reason}`);
  }
  const parsed = People.safeParse(content);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Error(`CONSOLE_TOKENS_FILE: ${path}: ${issue?.path.join('.')}: ${issue?.message}`);
}

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
