import { plainReason, withoutContacts } from './reason.js';
import { scopeWords } from './scope.js';
import { type CampaignKnown, personWords, withAccount } from './sentence.js';

interface PersonNamed {
  readonly contactId: string;
  readonly seniority: string;
  readonly jobFunction: string | null;
  readonly accountName: string | null;
}
/** What the texts about an action name by an id, as the console's answers describe it. */
export interface Named {
  readonly people: readonly PersonNamed[];
  readonly campaigns: readonly CampaignKnown[];
  readonly play?: { readonly id: string; readonly title: string };
  readonly account?: { readonly id: string; readonly name: string | null } | null;
}
export const nothingNamed: Named = { people: [], campaigns: [] };

export const wordsOf = ({ seniority, jobFunction, accountName }: PersonNamed): string =>
  personWords({ seniority, jobFunction: jobFunction ?? undefined, accountName: accountName ?? undefined });

/**
 * A text of the console without ids: people are described, campaigns and the play have their names, and times are in the reader's zone. A
 * contact whom nobody describes stays as it is.
 */
export function legible(text: string, named: Named, now: number): string {
  const people = new Map(named.people.map((person) => [person.contactId, wordsOf(person)]));
  return withAccount(plainReason(withNames(text, named), people, now, scopesOf(named)), named.people);
}

/** What an action does, or why it ended, as a line of a list. */
export const actionText = (
  text: string,
  { people, campaigns }: Pick<Named, 'people' | 'campaigns'>,
  now: number,
): string => withoutContacts(legible(text, { people, campaigns }, now));

/** The names of what a stop can cover, by scope. */
export const scopesOf = ({ play, account }: Pick<Named, 'play' | 'account'>): ReadonlyMap<string, string> =>
  new Map([
    ...(play ? [[`play:${play.id}`, play.title] as const] : []),
    ...(account?.name ? [[`account:${account.id}`, account.name] as const] : []),
  ]);

/** The same text with names in place of ids. An id is replaced only as a whole, and no name is searched for ids. */
export function withNames(text: string, named: Omit<Named, 'people'>): string {
  const names = new Map(
    named.campaigns.flatMap(({ campaignId, name }) => (name === undefined ? [] : [[campaignId, name] as const])),
  );
  for (const [scope, name] of scopesOf(named)) names.set(scopeWords({ scope }), scopeWords({ scope, name }));
  if (names.size === 0) return text;
  const ids = [...names.keys()].sort((a, b) => b.length - a.length).map(literally);
  const whole = new RegExp(`(?<![\\p{L}\\p{N}_.-])(?:${ids.join('|')})(?![.-]?[\\p{L}\\p{N}_])(?!-)`, 'gu');
  return text.replace(whole, (id) => names.get(id) ?? id);
}

const literally = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');
