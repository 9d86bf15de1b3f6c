import { own } from '@countersign/contracts';
import { pass, type Rule, unclear } from '../rule.js';

/** Work in the CRM goes to the account's owner there. Only a person may give it to somebody else, not the author. */
export const owner: Rule = {
  name: 'owner',
  weigh: ({ proposal: { action }, subject: { ownerId }, facts }) => {
    if (ownerId === undefined) return undefined;
    const account = action.accountId ?? 'none';
    const known = action.accountId === undefined ? undefined : own(facts.accounts, action.accountId)?.ownerId;
    if (known === ownerId) return pass(`${ownerId} is the owner of account ${account}`);
    return unclear(`the owner of account ${account} is ${known ?? 'not known'}, the action is for ${ownerId}`, {
      owner: known ?? null,
      named: ownerId,
    });
  },
};
