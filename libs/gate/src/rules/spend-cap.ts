import { money, own } from '@countersign/contracts';
import { type Context, type Finding, pass, type Rule, refuse } from '../rule.js';

/** A connected system may report a spend as large as a number can be. The figure stays an exact number. */
const bounded = (minor: number): number => Math.min(minor, Number.MAX_SAFE_INTEGER);

const cap =
  (kind: 'spend-campaign' | 'spend-ad-account') =>
  ({ draws, facts, charter }: Context): Finding | undefined => {
    const draw = draws.find((d) => d.kind === kind);
    if (draw?.kind !== kind) return undefined;
    const ledger = own(facts.ledgers, draw.ledger);
    if (!ledger || !('currency' in ledger)) {
      throw new Error(`${draw.ledger} is not among the facts`);
    }
    const known = ledger.currency;
    for (const currency of [charter.currency, known]) {
      if (currency !== null && currency !== draw.currency) {
        return refuse(`${draw.currency} cannot be counted against a cap in ${currency}`, {
          currency: draw.currency,
          cap: currency,
        });
      }
    }
    const inCurrency = (minor: number): string => money(minor, draw.currency);
    const used = bounded(ledger.held + ledger.committed);
    const total = bounded(used + draw.amount);
    const over = bounded(used + draw.amount - draw.cap);
    const figures = {
      amountMinor: draw.amount,
      heldMinor: ledger.held,
      committedMinor: ledger.committed,
      capMinor: draw.cap,
      currency: draw.currency,
    };
    return over > 0
      ? refuse(
          `${inCurrency(over)} over the daily cap of ${inCurrency(draw.cap)} of ${draw.holder}: ${inCurrency(used)} held or spent today, ${inCurrency(draw.amount)} asked for`,
          { ...figures, overMinor: over },
        )
      : pass(`${inCurrency(total)} of the daily cap of ${inCurrency(draw.cap)} of ${draw.holder}`, figures);
  };

/** Money committed in one day on one campaign, by all agents. */
export const campaignSpendCap: Rule = { name: 'spend-cap-campaign', weigh: cap('spend-campaign') };
/** Money committed in one day on one ad account, by all agents. */
export const adAccountSpendCap: Rule = { name: 'spend-cap-ad-account', weigh: cap('spend-ad-account') };
