import type { Fault, OpenedReveal, RevealRequested } from '@countersign/contracts';
import type { Points } from './contact-points.js';

/** What is known of the person somebody asks about. */
export interface Sought {
  /** Absent where no signal told of a name or an address. */
  readonly points: Points | undefined;
  /** The contact that is the same person and has what is known. */
  readonly joinedInto: string | undefined;
  readonly erased: boolean;
}

export type Reveal =
  | { readonly ok: true; readonly fields: RevealRequested['fields']; readonly opened: OpenedReveal }
  | { readonly ok: false; readonly reason: Fault };

/** What of a person is told to whoever asks. `left` is how many more may be told this hour, to all who ask together. */
export function reveal(request: RevealRequested, sought: Sought, at: string, left: number): Reveal {
  const { revealId, contactId } = request;
  if (at > request.expiresAt) return refused('expired', 'the request was too old when it came here; ask again');
  if (sought.joinedInto !== undefined)
    return refused(
      'joined',
      `what is known of this person is kept under contact ${sought.joinedInto}; ask for that one`,
    );
  if (sought.erased) return refused('erased', 'what was known of this person was erased');
  if (left <= 0)
    return refused('too-many', 'as many people were revealed within an hour as may be; ask again an hour later');
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
