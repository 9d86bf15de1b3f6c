import type { Charter, Spend } from '@countersign/contracts';
import { dayIn } from './days.js';

/** What a cap of money counts: all that is spent on a campaign or an ad account, by all agents; or all that one agent spends. */
export type SpendScope = 'campaign' | 'ad-account' | 'agent';
export type SpendPeriod = 'day' | 'month';

/** An amount that an approval would take from a limit of money. */
export interface SpendDraw {
  readonly kind: `spend-${SpendScope}`;
  readonly period: SpendPeriod;
  readonly ledger: string;
  /** The object of the limit, in words. */
  readonly holder: string;
  readonly amount: number;
  readonly currency: string;
  /**
   * In the currency of the charter. Null if the charter has no such cap, but the charter of another agent has one for the same
   * campaign or ad account: then the amount must count for that one.
   */
  readonly cap: number | null;
}

type Limits = Charter['limits'];

interface Cap {
  readonly scope: SpendScope;
  readonly period: SpendPeriod;
  readonly of: (limits: Limits) => number | undefined;
}

/** Every cap, in the order of its ledgers: the name of a month comes before the names of its days. */
const caps: readonly Cap[] = [
  { scope: 'ad-account', period: 'month', of: (limits) => limits.adAccountSpendPerMonthMinor },
  { scope: 'ad-account', period: 'day', of: (limits) => limits.adAccountSpendPerDayMinor },
  { scope: 'agent', period: 'month', of: (limits) => limits.agentSpendPerMonthMinor },
  { scope: 'agent', period: 'day', of: (limits) => limits.agentSpendPerDayMinor },
  { scope: 'campaign', period: 'month', of: (limits) => limits.campaignSpendPerMonthMinor },
  { scope: 'campaign', period: 'day', of: (limits) => limits.campaignSpendPerDayMinor },
];

/**
 * The limits of money that a spend uses, in ledger order. The amount counts in full, whatever else becomes less by the same action.
 * Throws RangeError if the charter's time zone does not exist.
 */
export function spendDraws(
  spend: Spend | undefined,
  agent: string,
  charter: Charter,
  charters: readonly Charter[],
  at: string,
): readonly SpendDraw[] {
  if (!spend || spend.amountMinor <= 0) return [];
  const { amountMinor: amount, currency } = spend;
  const day = dayIn(charter.timeZone, at);
  return caps.flatMap((limit): SpendDraw[] => {
    const { scope, period } = limit;
    const cap = limit.of(charter.limits) ?? null;
    const counts = scope !== 'agent' && charters.some(({ limits }) => limit.of(limits) !== undefined);
    if (cap === null && !counts) return [];
    const { id, holder } = holderOf(scope, spend, agent);
    const ledger = `spend:${scope}:${id}:${period === 'day' ? day : day.slice(0, 'yyyy-mm'.length)}`;
    return [{ kind: `spend-${scope}`, period, ledger, holder, amount, currency, cap }];
  });
}

function holderOf(scope: SpendScope, { adAccountId, campaignId }: Spend, agent: string) {
  switch (scope) {
    case 'ad-account':
      return { id: adAccountId, holder: `ad account ${adAccountId}` };
    case 'campaign':
      return { id: campaignId, holder: `campaign ${campaignId}` };
    case 'agent':
      return { id: agent, holder: agent };
  }
}
