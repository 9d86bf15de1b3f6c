import { type FigureChange, money, own } from '@countersign/contracts';
import { comparable } from '../rates.js';
import { escalate, gravest, pass, type Rule, unclear } from '../rule.js';

/**
 * A larger change of this figure than the charter's amount, or than the charter's share of the current figure, needs a person.
 */
const threshold = (name: string, figure: FigureChange['figure']): Rule => ({
  name,
  weigh: ({ subject, charter, facts, at }) => {
    const compared = { rates: facts.rates, to: charter.currency, at };
    const { approvalAboveMinor: amountLimit, approvalAbovePercent: percentLimit } = charter.limits;
    return gravest(
      subject.changes.flatMap((change) => {
        if (change.figure !== figure) return [];
        const { campaignId, adAccountId, currency } = change;
        const now = nowOf(change, own(own(facts.adAccounts, adAccountId)?.campaigns ?? {}, campaignId));
        const amountMinor = 'amountMinor' in change ? change.amountMinor : changeTo(figure, change.toMinor, now);
        const asked = comparable(amountMinor, currency, compared);
        // Where currencies cannot be compared, the rule about them refuses.
        const { minor, text: amount } = asked ?? { minor: amountMinor, text: money(amountMinor, currency) };
        const limitsIn = asked ? charter.currency : currency;
        const figures = { campaign: campaignId, amountMinor: minor, currency: limitsIn, aboveMinor: amountLimit };
        if (minor > amountLimit) {
          return escalate(
            `a change of ${amount} for campaign ${campaignId} is above ${money(amountLimit, limitsIn)}, the most without a person`,
            figures,
          );
        }
        if (now === undefined) return unclear(`the ${figure} of campaign ${campaignId} is not known`, figures);
        const more = { ...figures, nowMinor: now, abovePercent: percentLimit };
        // Compared by multiplication, because a share of a figure need not be a whole percentage.
        if (amountMinor * 100 > now * percentLimit) {
          const share = now === 0 ? 'more than all' : `${((amountMinor * 100) / now).toFixed(1)} %`;
          return escalate(
            `a change of ${amount} is ${share} of the ${figure} ${money(now, currency)} of campaign ${campaignId}, above ${percentLimit} %`,
            more,
          );
        }
        return pass(`a change of ${amount} of the ${figure} ${money(now, currency)} of campaign ${campaignId}`, more);
      }),
    );
  },
});

const nowOf = (
  { figure }: FigureChange,
  known: { readonly dailyBudgetMinor?: number; readonly bidMinor?: number } | undefined,
): number | undefined => (figure === 'bid' ? known?.bidMinor : known?.dailyBudgetMinor);

/**
 * The size of the change if a figure is set to a new value. If the current value is unknown, the whole new value counts. A lower
 * budget spends nothing and does not count. A lower bid hides a campaign, so it counts.
 */
const changeTo = (figure: FigureChange['figure'], to: number, now = 0): number =>
  figure === 'bid' ? Math.abs(to - now) : Math.max(0, to - now);

export const budgetThreshold = threshold('budget-threshold', 'daily budget');
export const bidThreshold = threshold('bid-threshold', 'bid');
