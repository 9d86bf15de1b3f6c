import type { PolicyContent } from '@countersign/contracts';

/** What one holder of a daily cap has reserved and spent today. */
export interface SpendFigure {
  readonly id: string;
  /** Of a campaign, if it is known. */
  readonly name: string | null;
  readonly day: string;
  readonly currency: string;
  /** Approved, and not settled yet, or unresolved. */
  readonly heldMinor: number;
  /** Executed. */
  readonly committedMinor: number;
  /** The lowest cap of the agents that use it today; null if the policy in force has none of them. */
  readonly capMinor: number | null;
  readonly agents: readonly string[];
}

type Charter = PolicyContent['charters'][number];

/** An explanation of the figures, for a comparison with another account. */
export const spendExplained =
  'Worked out from approvals and settlements as they were published: reserved is what approved actions hold until they settle, spent is what was executed. An unresolved action keeps its reservation. The validator counts for itself when it checks a cap, so its figures can differ for a moment.';

/** How many of each kind are returned: those nearest to their caps. */
export const mostFigures = 20;

const zones = new Map<string, Intl.DateTimeFormat>();
/** The calendar day in a time zone, `2026-11-21`. */
export function dayOf(timeZone: string, at: string): string {
  let format = zones.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
    zones.set(timeZone, format);
  }
  return format.format(new Date(at));
}

/** The day of an agent's charter, and its caps of that day. */
export interface DayCaps {
  readonly agent: string;
  readonly day: string;
  /** The currency of the caps. Amounts in another currency have no figure of a cap, because the console compares no currencies. */
  readonly currency: string;
  readonly adAccountMinor: number;
  readonly campaignMinor: number;
  /** Null if the charter has no cap on all that its agent spends. */
  readonly agentMinor: number | null;
}

export const dayCaps = (charters: readonly Charter[], at: string): DayCaps[] =>
  charters.map(({ agent, currency, timeZone, limits }) => ({
    agent,
    day: dayOf(timeZone, at),
    currency,
    adAccountMinor: limits.adAccountSpendPerDayMinor,
    campaignMinor: limits.campaignSpendPerDayMinor,
    agentMinor: limits.agentSpendPerDayMinor ?? null,
  }));

export type Holder = 'ad-account' | 'campaign' | 'agent';

/** The first figures of one kind of holder, nearest to their caps first, and how many there are of all. */
export type Figures = Readonly<Record<Holder, { readonly first: readonly SpendFigure[]; readonly count: number }>>;

export function spend(figures: Figures, charters: readonly Charter[]) {
  const { 'ad-account': adAccounts, campaign: campaigns, agent: agents } = figures;
  return {
    explained: spendExplained,
    adAccounts: adAccounts.first,
    campaigns: campaigns.first,
    more: {
      adAccounts: adAccounts.count - adAccounts.first.length,
      campaigns: campaigns.count - campaigns.first.length,
    },
    agents: agents.first,
    caps: charters
      .filter(({ limits }) => limits.adAccountSpendPerDayMinor > 0 || limits.campaignSpendPerDayMinor > 0)
      .map(({ agent, currency, limits }) => ({
        agent,
        currency,
        adAccountMinor: limits.adAccountSpendPerDayMinor,
        campaignMinor: limits.campaignSpendPerDayMinor,
      })),
  };
}
