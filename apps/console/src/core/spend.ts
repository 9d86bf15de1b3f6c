import type { PolicyContent } from '@countersign/contracts';

/** Money of approvals of one day that share agent, ad account, campaign and currency. */
export interface SpendRow {
  readonly day: string;
  readonly agent: string;
  readonly adAccountId: string | null;
  readonly campaignId: string | null;
  readonly currency: string;
  readonly heldMinor: number;
  readonly committedMinor: number;
}

/** What one holder of a daily cap has reserved and spent today. */
export interface SpendFigure {
  readonly id: string;
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
const most = 20;

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

/** The days that are today for any of these charters; UTC if there is none. */
export const daysOf = (charters: readonly Pick<Charter, 'timeZone'>[], at: string): string[] => [
  ...new Set([dayOf('UTC', at), ...charters.map(({ timeZone }) => dayOf(timeZone, at))]),
];

export function spend(rows: readonly SpendRow[], charters: readonly Charter[], at: string) {
  const charterOf = new Map(charters.map((charter) => [charter.agent, charter]));
  const today = rows.filter(({ agent, day }) => day === dayOf(charterOf.get(agent)?.timeZone ?? 'UTC', at));
  const adAccounts = figures(
    today,
    (row) => row.adAccountId,
    charterOf,
    ({ limits }) => limits.adAccountSpendPerDayMinor,
  );
  const campaigns = figures(
    today,
    (row) => row.campaignId,
    charterOf,
    ({ limits }) => limits.campaignSpendPerDayMinor,
  );
  return {
    explained: spendExplained,
    adAccounts: adAccounts.slice(0, most),
    campaigns: campaigns.slice(0, most),
    more: { adAccounts: Math.max(0, adAccounts.length - most), campaigns: Math.max(0, campaigns.length - most) },
    /** A charter has no cap on the total spend of its agent. */
    agents: figures(today, (row) => row.agent, charterOf).slice(0, most),
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

/** Nearest to its cap first. */
function figures(
  rows: readonly SpendRow[],
  idOf: (row: SpendRow) => string | null,
  charterOf: ReadonlyMap<string, Charter>,
  capOf?: (charter: Charter) => number,
): SpendFigure[] {
  const found = new Map<string, SpendFigure>();
  for (const row of rows) {
    const id = idOf(row);
    if (id === null) continue;
    const name = `${id} ${row.currency} ${row.day}`;
    const before = found.get(name);
    const charter = charterOf.get(row.agent);
    const limit = charter && capOf?.(charter);
    const caps = [before?.capMinor ?? undefined, limit].filter((n) => n !== undefined);
    found.set(name, {
      ...{ id, day: row.day, currency: row.currency },
      heldMinor: bounded((before?.heldMinor ?? 0) + row.heldMinor),
      committedMinor: bounded((before?.committedMinor ?? 0) + row.committedMinor),
      capMinor: caps.length > 0 ? Math.min(...caps) : null,
      agents: [...new Set([...(before?.agents ?? []), row.agent])].sort(),
    });
  }
  return [...found.values()].sort((a, b) => share(b) - share(a) || (a.id < b.id ? -1 : 1));
}

const share = ({ heldMinor, committedMinor, capMinor }: SpendFigure): number =>
  (heldMinor + committedMinor) / Math.max(1, capMinor ?? 1);
/** A connected system may report any spend. The figure stays an exact number. */
const bounded = (minor: number): number => Math.min(minor, Number.MAX_SAFE_INTEGER);
