import { gravest, pass, type Rule, refuse } from '../rule.js';

/**
 * Whom an action concerns belongs to the account that it names. Otherwise its author could choose under which stops and which
 * route it falls, or name no account and fall under none.
 */
export const account: Rule = {
  name: 'account',
  weigh: ({ proposal, subject, facts }) => {
    const named = proposal.action.accountId;
    return gravest(
      subject.recipients.map((contact) => {
        const known = facts.contacts[contact]?.accountId;
        const figures = { contact, account: known ?? null, named: named ?? null };
        return known === undefined || known === named
          ? pass(
              `contact ${contact} is of ${known === undefined ? 'no account that is known' : `account ${known}`}`,
              figures,
            )
          : refuse(`contact ${contact} is of account ${known}, the action names ${named ?? 'none'}`, figures);
      }),
    );
  },
};
