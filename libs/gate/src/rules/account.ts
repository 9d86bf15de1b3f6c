import { own } from '@countersign/contracts';
import { gravest, pass, type Rule, refuse, unclear } from '../rule.js';

/**
 * The account is the one of whom the action concerns, by their profiles, and not its author's to choose: stops and routes go by it.
 * An action that concerns nobody whose account is known needs a person who knows what it is about.
 */
export const account: Rule = {
  name: 'account',
  weigh: ({ proposal, subject, facts }) => {
    const named = proposal.action.accountId;
    // What concerns an ad account is stopped and capped by that one.
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
