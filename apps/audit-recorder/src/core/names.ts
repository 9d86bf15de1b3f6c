import { accountText, contactText, type DataOf, type PersonFacts } from '@countersign/contracts';
import type { Recorded } from './story.js';

/** How a story names people and accounts: by recognisable facts, and by the id. */
export interface Names {
  /** `within`: the account that the sentence already names, so that it is not repeated. */
  readonly contact: (contactId: string, within?: string) => string;
  readonly account: (accountId: string) => string;
}

type Contact = Pick<PersonFacts, 'seniority' | 'jobFunction' | 'accountName'> & {
  readonly accountId?: string | undefined;
};

/**
 * The facts about people and accounts in the records themselves: the latest profile, or else the card of an escalation. Nothing
 * else is looked up.
 */
export function namesIn(records: readonly Recorded[]): Names {
  const contacts = new Map<string, Contact>();
  const accounts = new Map<string, string>();
  for (const { event } of records) {
    if (event?.type === 'ActionEscalated') {
      const { action, card } = event.data as DataOf<'ActionEscalated'>;
      if (action.accountId !== undefined && card.accountName !== undefined)
        accounts.set(action.accountId, card.accountName);
      for (const { contactId, ...person } of card.people) contacts.set(contactId, person);
    }
    if (event?.type === 'TaskEscalated') {
      const { accountId, accountName } = event.data as DataOf<'TaskEscalated'>;
      if (accountId !== undefined && accountName !== undefined) accounts.set(accountId, accountName);
    }
  }
  for (const profile of profilesIn(records)) {
    if (profile.kind === 'account' && profile.name !== undefined) accounts.set(profile.accountId, profile.name);
    if (profile.kind === 'contact') contacts.set(profile.contactId, profile);
  }
  return {
    contact: (contactId, within) => {
      const known = contacts.get(contactId);
      if (!known) return contactText(contactId);
      const { seniority, jobFunction, accountId } = known;
      const isNamed = within !== undefined && within === accountId;
      const accountName = isNamed ? undefined : (accounts.get(accountId ?? '') ?? known.accountName);
      return contactText(contactId, { seniority, jobFunction, accountName });
    },
    account: (accountId) => accountText(accountId, accounts.get(accountId)),
  };
}

/** Every profile of the records, the latest version of each last. */
const profilesIn = (records: readonly Recorded[]): DataOf<'ProfileChanged'>[] =>
  records
    .flatMap(({ event }) => (event?.type === 'ProfileChanged' ? [event.data as DataOf<'ProfileChanged'>] : []))
    .sort((a, b) => a.version - b.version);
