import { money } from '@countersign/contracts';
import { escalate, gravest, pass, type Rule, unclear } from '../rule.js';

/** A change of a daily budget above the charter's amount, or above its share of what the budget is now, needs a person. */
export const budgetThreshold: Rule = {
  name: 'budget-threshold',
  weigh: ({ subject, charter, facts }) => {
    const { approvalAboveMinor: amountLimit, approvalAbovePercent: percentLimit } = charter.limits;
    return gravest(
      subject.budgetChanges.map((change) => {
        const { campaignId, adAccountId, currency } = change;
        const budget = facts.adAccounts[adAccountId]?.campaigns[campaignId]?.dailyBudgetMinor;
        // What sets a budget without regard to the present one changes it by what it adds, or by all of it.
        const amountMinor = 'amountMinor' in change ? change.amountMinor : Math.max(0, change.toMinor - (budget ?? 0));
        const amount = money(amountMinor, currency);
        const figures = { campaign: campaignId, amountMinor, currency, aboveMinor: amountLimit };
        if (amountMinor > amountLimit) {
          return escalate(
            `a change of ${amount} for campaign ${campaignId} is above ${money(amountLimit, currency)}, the most without a person`,
            figures,
          );
        }
        if (budget === undefined) {
          return unclear(`the daily budget of campaign ${campaignId} is not known`, figures);
        }
        const more = { ...figures, budgetMinor: budget, abovePercent: percentLimit };
        // Compared by multiplication: a share of a budget is no whole number of percent.
        if (amountMinor * 100 > budget * percentLimit) {
          const share = budget === 0 ? 'more than all' : `${((amountMinor * 100) / budget).toFixed(1)} %`;
          return escalate(
            `a change of ${amount} is ${share} of the daily budget ${money(budget, currency)} of campaign ${campaignId}, above ${percentLimit} %`,
            more,
          );
        }
        return pass(`a change of ${amount} of ${money(budget, currency)} a day for campaign ${campaignId}`, more);
      }),
    );
  },
};
