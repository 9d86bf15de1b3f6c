import { time } from '../app/console-time.js';
import { scopeWords } from './scope.js';
import { clock } from './times.js';

const instant = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;
const scope = '(?:all|(?:agent|play|channel|account):[^\\s:]+)';
const stopped = new RegExp(`^((?:refused: )?stopped: )(${scope})(?= by |:|$)`);
const resumed = new RegExp(`(${scope}) was stopped and resumed since: version \\d+, signed at \\d+`);

/**
 * Why something was refused, for people. The protected people are described, quotation marks are those of the pages, times are in the
 * reader's zone, and versions are left out. `scopes` has the names of plays and accounts by the scopes of their stops.
 */
export function plainReason(
  text: string,
  people: ReadonlyMap<string, string>,
  now: number,
  scopes: ReadonlyMap<string, string> = new Map(),
): string {
  const scopeText = (scope: string): string => scopeWords({ scope, name: scopes.get(scope) ?? null });
  let words = text;
  for (const [contactId, description] of people) words = words.replaceAll(`contact ${contactId}`, description);
  words = words
    .replace(
      /(\d+) of (\d+) touches of (.+?) in (\d+) days are used; the next slot opens /,
      (all, used: string, limit: string, person: string, days: string) =>
        used === limit
          ? `${person} may be contacted at most ${times(limit)} in ${span(days)}, and that is used up; possible again from `
          : all,
    )
    .replace(/\bin 1 days\b/, 'in 1 day')
    .replace(/\b(consent of .+?) changed: version \d+, signed at \d+/, 'the $1 changed after this was approved')
    .replace(stopped, (_all, before: string, scope: string) => before + scopeText(scope))
    .replace(resumed, (_all, scope: string) => `${scopeText(scope)} was stopped and resumed after this was approved`)
    .replaceAll(instant, (at) => clock(at, now));
  return quoted(words);
}

/** A text of a service with the quotation marks of the pages. Marks within a word, as in markup that others wrote, stay as they are. */
export const quoted = (text: string): string => text.replaceAll(/(?<=^|[\s(])"([^"]*)"(?=$|[\s),.:;])/g, '“$1”');

const contact = /\bcontact [0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g;
/** For a list that does not know who its contacts are. The story of each action shows this. */
export const withoutContacts = (text: string): string => text.replaceAll(contact, 'a contact');

/** A text of the console for a reader who is told of no contact by name: no ids, times in the reader's zone. */
export const plainText = (text: string, now = time.now()): string => plainReason(withoutContacts(text), new Map(), now);

const times = (n: string): string => (n === '1' ? 'once' : `${n} times`);
const span = (days: string): string => (days === '1' ? 'a day' : `${days} days`);
