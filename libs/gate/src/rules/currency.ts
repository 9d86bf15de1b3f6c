import { currencyFault, own } from '@countersign/contracts';
import { ratesFault } from '../rates.js';
import { pass, type Rule, refuse } from '../rule.js';

/** Money of different currencies is compared only by exchange rates that the policy has and that are not too old. */
export const currency: Rule = {
  name: 'currency',
  // The facts have rates only if the verdict depends on them.
  parts: ({ facts }) => (facts.rates ? ['rates'] : []),
  weigh: ({ subject, charter, facts, at }) => {
    const named = subject.currency;
    if (named === undefined) return undefined;
    const limitsIn = charter.currency;
    const noCurrency = currencyFault(named);
    if (noCurrency !== undefined) return refuse(noCurrency, { action: named, charter: limitsIn });
    const { rates } = facts;
    if (named !== limitsIn) {
      const differ = `the action is in ${named}, the charter's limits are in ${limitsIn}`;
      const fault = rates && ratesFault(rates, named, limitsIn, at);
      if (!rates || fault !== undefined) {
        return refuse(fault === undefined ? differ : `${differ}, and ${fault}`, {
          action: named,
          charter: limitsIn,
          ...(rates && { rates: rates.day }),
        });
      }
    }
    const account = subject.adAccountId === undefined ? null : own(facts.adAccounts, subject.adAccountId);
    if (account && account.currency !== named) {
      return refuse(`the action is in ${named}, ad account ${subject.adAccountId} is in ${account.currency}`, {
        action: named,
        adAccount: account.currency,
      });
    }
    return named === limitsIn || !rates
      ? pass(`${named} throughout`)
      : pass(`${named}, compared with limits in ${limitsIn} by the exchange rates of ${rates.day}`, {
          action: named,
          charter: limitsIn,
          rates: rates.day,
        });
  },
};
