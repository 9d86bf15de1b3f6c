import { own } from '@countersign/contracts';
import { pass, type Rule, refuse } from '../rule.js';

/** Money of different currencies is never compared. */
export const currency: Rule = {
  name: 'currency',
  weigh: ({ subject, charter, facts }) => {
    const named = subject.currency;
    if (named === undefined) return undefined;
    if (named !== charter.currency) {
      return refuse(`the action is in ${named}, the charter's limits are in ${charter.currency}`, {
        action: named,
        charter: charter.currency,
      });
    }
    const account = subject.adAccountId === undefined ? null : own(facts.adAccounts, subject.adAccountId);
    if (account && account.currency !== named) {
      return refuse(`the action is in ${named}, ad account ${subject.adAccountId} is in ${account.currency}`, {
        action: named,
        adAccount: account.currency,
      });
    }
    return pass(`${named} throughout`);
  },
};
