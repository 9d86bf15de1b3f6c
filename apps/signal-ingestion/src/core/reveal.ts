import type { Fault, OpenedReveal, RevealRequested } from '@countersign/contracts';
import type { Points } from './contact-points.js';

/** What is known of the person in the request. */
export interface Sought {
  /** Absent if no signal gave a name or an address. */
  readonly points: Points | undefined;
  /** The contact of the same person that has the data. */
  readonly joinedInto: string | undefined;
  readonly erased: boolean;
}

export type Reveal =
  | { readonly ok: true; readonly fields: RevealRequested['fields']; readonly opened: OpenedReveal }
  | { readonly ok: false; readonly reason: Fault };

/** The other facts that an answer depends on. */
export interface Standing {
  readonly at: string;
  /** The end of the request's time, by `endOf`. */
  readonly expiresAt: string | undefined;
  /** The requests that were answered within the last hour. */
  readonly answered: ReadonlySet<string>;
  /** How many more requests may be answered within this hour, for all callers together. */
  readonly left: number;
}

/** How long after the broker took it a request may be answered, in milliseconds. */
const answeredMs = 120_000;

/**
 * How long a request may be answered: until its own end, but at most two minutes after the broker took it, because its sender
 * writes all its times. Undefined: its age is not known, so it is not answered.
 */
export function endOf({ expiresAt }: Pick<RevealRequested, 'expiresAt'>, takenAt: string | undefined) {
  if (takenAt === undefined) return undefined;
  const latest = new Date(Date.parse(takenAt) + answeredMs).toISOString();
  return expiresAt < latest ? expiresAt : latest;
}

/** The answer to a request for a person's data. */
export function reveal(request: RevealRequested, sought: Sought, { at, expiresAt, answered, left }: Standing): Reveal {
  const { revealId, contactId } = request;
  // The sender chooses the id. An id counts once, so it is answered once.
  if (answered.has(revealId)) return refused('repeated', 'a request with this id was answered before; ask again');
  if (expiresAt === undefined || at > expiresAt)
    return refused('expired', 'the request was too old when it came here; ask again');
  if (sought.joinedInto !== undefined)
    return refused(
      'joined',
      `what is known of this person is kept under contact ${sought.joinedInto}; ask for that one`,
    );
  if (sought.erased) return refused('erased', 'what was known of this person was erased');
  if (left <= 0)
    return refused('too-many', 'the limit for all people together in an hour is reached; ask again an hour later');
  const known = sought.points?.fields ?? {};
  const opened = membersOf(request.fields, known);
  const fields = request.fields.filter((field) => Object.keys(membersOf([field], known)).length > 0);
  if (fields.length === 0)
    return refused('not-known', `no signal has told of ${[...new Set(request.fields)].join(' or ')} of this person`);
  return { ok: true, fields: [...new Set(fields)], opened: { revealId, contactId, ...opened } };
}

const members = [
  ['firstName', 'name'],
  ['lastName', 'name'],
  ['email', 'email'],
  ['phone', 'phone'],
] as const;

const membersOf = (
  fields: RevealRequested['fields'],
  known: Points['fields'],
): Omit<OpenedReveal, 'revealId' | 'contactId'> =>
  Object.fromEntries(
    members.flatMap(([member, field]) => {
      const value = fields.includes(field) ? known[member]?.value : undefined;
      return value === undefined ? [] : [[member, value] as const];
    }),
  );

const refused = (code: string, detail: string): Reveal => ({ ok: false, reason: { code, detail } });

export const wrongKey: Fault = {
  code: 'key',
  detail: 'the public key of the request is not a point on P-256; read the page again, then ask again',
  field: 'publicKey',
};
