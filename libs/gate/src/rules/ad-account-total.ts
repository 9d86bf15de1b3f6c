import { money } from '@countersign/contracts';
import { bounded, comparable, totalIn, whyNot } from '../rates.js';
import { escalate, pass, type Rule, refuse } from '../rule.js';
import { ledgerOf, spendsOf } from './spend-cap.js';

/**
 * A person is asked when the day's total of an ad account becomes large, by all agents on all its campaigns, so that many small
 * actions are not judged more lightly than a large one.
 */
export const adAccountTotal: Rule = {
  name: 'ad-account-total',
  weigh: (context) => {
    const { charter, facts, at } = context;
    const draw = spendsOf(context, 'ad-account').find(({ period }) => period === 'day');
    if (!draw) return undefined;
    const above = charter.limits.approvalAboveAdAccountTotalPerDayMinor;
    if (above === undefined) return pass('the charter asks no person for the total of an ad account');
    const to = charter.currency;
    const compared = { rates: facts.rates, to, at };
    const asked = comparable(draw.amount, draw.currency, compared);
    const known = totalIn(ledgerOf(draw, context), compared);
    if (!asked || 'foreign' in known) {
      const foreign = 'foreign' in known ? known.foreign : draw.currency;
      return refuse(`${foreign} cannot be counted in a total in ${to}: ${whyNot(foreign, compared)}`, {
        currency: foreign,
        total: to,
      });
    }
    const used = bounded(known.held + known.committed);
    const total = bounded(used + asked.minor);
    const figures = {
      amountMinor: asked.minor,
      usedMinor: used,
      totalMinor: total,
      aboveMinor: above,
      currency: to,
      ...(facts.rates && { rates: facts.rates.day }),
    };
    return total > above
      ? escalate(
          `with ${asked.text} asked for, ${money(total, to)} are held or spent today on ${draw.holder} by all agents, above ${money(above, to)}, the most without a person`,
          figures,
        )
      : pass(`${money(total, to)} held or spent today on ${draw.holder}, this included`, figures);
  },
};
