import { own } from '@countersign/contracts';
import { gravest, pass, type Rule, refuse, unclear } from '../rule.js';

/**
 * The account must be the account of the contacts, by their profiles. The author cannot choose it, because stops and routes
 * depend on it. An action for contacts whose account is unknown needs a person.
 */
export const account: Rule = {
  name: 'account',
  weigh: ({ proposal, subject, facts }) => {
    const named = proposal.action.accountId;
    // The ad account itself stops and caps such an action.
    if (subject.contacts.length === 0 && subject.adAccountId !== undefined) return undefined;
    if (subject.contacts.length === 0) {
      return unclear(`it names no contact, so no profile says that it is of account ${named ?? 'none'}`, {
        named: named ?? null,
      });
    }
    return gravest(
      subject.contacts.map((contact) => {
        const known = own(facts.contacts, contact)?.accountId;
        const figures = { contact, account: known ?? null, named: named ?? null };
        const ownAccount = known === undefined ? 'no account that is known' : `account ${known}`;
        if (known === undefined && named === undefined)
          return unclear(`contact ${contact} is of ${ownAccount}, and the action names none`, figures);
        return known === named
          ? pass(`contact ${contact} is of ${ownAccount}`, figures)
          : refuse(`contact ${contact} is of ${ownAccount}, the action names ${named ?? 'none'}`, figures);
      }),
    );
  },
};
