import { own } from '@countersign/contracts';
import { type FigureKind, isMarkOf, NumberStyle } from './figures.js';
import { joined, type Mapped, type Mapping, none, refusing, signal } from './mapping.js';
import { type Amount, Reader, Unread } from './reader.js';
import { currencyCode, minorUnits, text } from './values.js';

type Platform = 'google-ads' | 'linkedin-ads';

/** All rows of one campaign and day (devices, networks), summed exactly; rounded once. */
interface DaySum {
  readonly platform: Platform;
  readonly table: string;
  readonly account: string | undefined;
  readonly campaign: string;
  readonly day: string;
  rows: number;
  /** Millionths of the account's currency. */
  spend: bigint;
  revenue: bigint;
  /** Undefined if a row does not give it, because a sum of the other rows would be wrong. */
  impressions: number | undefined;
  clicks: number | undefined;
  /** Millionths. */
  conversions: bigint | undefined;
  syncedAt: string | undefined;
  /** Codes and signs of currencies beside the amounts. */
  readonly marks: Set<string>;
  /** A row of the day cannot be read, so the sum of the others is not that of the day. */
  broken: boolean;
}

interface CampaignState {
  readonly at: string;
  readonly account: string | undefined;
  readonly name: string | undefined;
  readonly status: 'active' | 'paused' | undefined;
}

/** What the platforms call a state. A campaign that Google Ads does not tell of has none. */
const statuses: Readonly<Record<string, 'active' | 'paused' | undefined>> = {
  ENABLED: 'active',
  ACTIVE: 'active',
  PAUSED: 'paused',
  REMOVED: 'paused',
  ARCHIVED: 'paused',
  COMPLETED: 'paused',
  CANCELED: 'paused',
  DRAFT: 'paused',
  PENDING_DELETION: 'paused',
  UNKNOWN: undefined,
  UNSPECIFIED: undefined,
};

const google: Readonly<Record<string, FigureKind>> = {
  clicks: 'count',
  impressions: 'count',
  cost_micros: 'count',
  conversions: 'decimal',
  conversions_value: 'decimal',
};
const linkedin: Readonly<Record<string, FigureKind>> = {
  clicks: 'count',
  impressions: 'count',
  cost_in_local_currency: 'decimal',
  cost_in_usd: 'decimal',
  conversion_value_in_local_currency: 'decimal',
  external_website_conversions: 'decimal',
};
const numbersOf: Readonly<Record<string, Readonly<Record<string, FigureKind>>>> = {
  google_ads_campaign_stats: google,
  linkedin_ad_analytics_by_campaign: linkedin,
};
const numbers = (table: string): Readonly<Record<string, FigureKind>> => own(numbersOf, table) ?? {};

/**
 * Daily campaign statistics of Google Ads and LinkedIn Ads as Fivetran exports them. `currency` is taken where an export does
 * not say which an account has; `from` is the CloudEvents source that publishes.
 */
export function ads({
  currency,
  from = '/sources/upstream',
}: {
  readonly currency?: string | undefined;
  readonly from?: string;
} = {}): Mapping {
  const source = `${from}/ads`;
  const sums = new Map<string, DaySum>();
  /** `currency` is undefined where ISO 4217 does not have the stated one. */
  const accounts = new Map<string, { readonly at: string; readonly currency: string | undefined }>();
  const campaigns = new Map<string, CampaignState[]>();
  /** LinkedIn accounts whose cost is the same in US dollars and in their own currency, in all rows that give both. */
  const inDollars = new Map<string, boolean>();

  const account = (platform: Platform, row: Reader): Mapped => {
    const [id, stated] = [row.digits('id'), row.text('currency_code', 'currency')];
    if (id === undefined || stated === undefined) return none('names no account or no currency');
    const at = row.instant('updated_at', 'last_modified_time') ?? '';
    const code = currencyCode(stated);
    const key = `${platform}/${id}`;
    if ((accounts.get(key)?.at ?? '') <= at) accounts.set(key, { at, currency: code });
    return code === undefined ? none(`ISO 4217 has no currency ${stated.slice(0, 10).toUpperCase()}`) : joined;
  };

  const campaign = (platform: Platform, row: Reader): Mapped => {
    const id = row.digits('id');
    if (id === undefined) return none('has no id');
    const state: CampaignState = {
      at: row.instant('updated_at', 'last_modified_time') ?? '',
      account: row.digits('customer_id', 'account_id'),
      name: text(row.text('name'), 200),
      status: row.word(statuses, 'status'),
    };
    const key = `${platform}/${id}`;
    campaigns.set(key, [...(campaigns.get(key) ?? []), state]);
    return joined;
  };

  const add = (platform: Platform, table: string, row: Reader, figures: Figures): Mapped => {
    if (figures.campaign === undefined) return none('names no campaign');
    const day = row.day('date', 'day');
    if (day === undefined) return none('names no day');
    const key = `${platform}/${figures.account ?? ''}/${figures.campaign}/${day}`;
    const sum: DaySum = sums.get(key) ?? {
      platform,
      table,
      account: figures.account,
      campaign: figures.campaign,
      day,
      rows: 0,
      spend: 0n,
      revenue: 0n,
      impressions: 0,
      clicks: 0,
      conversions: 0n,
      syncedAt: undefined,
      marks: new Set(),
      broken: false,
    };
    sums.set(key, sum);
    try {
      const [spend, revenue, conversions] = [figures.spend(), figures.revenue(), figures.conversions()];
      const [impressions, clicks] = [row.count('impressions'), row.count('clicks')];
      const synced = row.instant('_fivetran_synced');
      sum.rows += 1;
      sum.spend += spend.amount;
      sum.revenue += revenue.amount;
      for (const { mark } of [spend, revenue]) if (mark !== undefined) sum.marks.add(mark);
      sum.impressions = both(sum.impressions, impressions, (a, b) => a + b);
      sum.clicks = both(sum.clicks, clicks, (a, b) => a + b);
      sum.conversions = both(sum.conversions, conversions, (a, b) => a + b);
      sum.syncedAt = [sum.syncedAt, synced]
        .filter((at) => at !== undefined)
        .sort()
        .at(-1);
    } catch (error) {
      if (error instanceof Unread) sum.broken = true;
      throw error;
    }
    return joined;
  };

  const googleDay = (table: string, row: Reader): Mapped => {
    if (row.isTotal('id', 'campaign_id')) return none(isTotal);
    return add('google-ads', table, row, {
      account: row.digits('customer_id'),
      campaign: row.digits('id', 'campaign_id'),
      spend: () => {
        const { amount, mark } = row.amount('cost_micros');
        // Micros are millionths already.
        return { amount: amount / 1_000_000n, mark };
      },
      revenue: () => row.amount('conversions_value'),
      conversions: () => row.decimal('conversions'),
    });
  };

  const linkedinDay = (table: string, row: Reader): Mapped => {
    if (row.isTotal('campaign_id')) return none(isTotal);
    const id = row.digits('campaign_id');
    const owner = campaigns.get(`linkedin-ads/${id}`)?.find((state) => state.account !== undefined)?.account;
    return add('linkedin-ads', table, row, {
      account: owner,
      campaign: id,
      spend: () => {
        const [local, dollars] = [row.amount('cost_in_local_currency'), row.amountIfAny('cost_in_usd')];
        if (owner !== undefined && local.amount && dollars?.amount) {
          inDollars.set(owner, (inDollars.get(owner) ?? true) && local.amount === dollars.amount);
        }
        return local;
      },
      revenue: () => row.amount('conversion_value_in_local_currency'),
      conversions: () => row.decimal('external_website_conversions'),
    });
  };

  const currencyOf = (platform: Platform, id: string): string | undefined => {
    const stated = accounts.get(`${platform}/${id}`);
    if (stated) return stated.currency;
    return platform === 'linkedin-ads' && inDollars.get(id) ? 'USD' : currency;
  };

  return {
    source,
    stage: (table) => (table.endsWith('_history') ? 0 : 1),
    numbers,
    row: (table, cells, style = new NumberStyle(numbers(table))) =>
      refusing(() => {
        const row = new Reader(cells, style);
        switch (table) {
          case 'google_ads_account_history':
            return account('google-ads', row);
          case 'linkedin_ad_account_history':
            return account('linkedin-ads', row);
          case 'google_ads_campaign_history':
            return campaign('google-ads', row);
          case 'linkedin_ad_campaign_history':
            return campaign('linkedin-ads', row);
          case 'google_ads_campaign_stats':
            return googleDay(table, row);
          case 'linkedin_ad_analytics_by_campaign':
            return linkedinDay(table, row);
          case 'linkedin_ad_campaign_group_history':
            return none('a group of campaigns is no signal');
          default:
            return none('no canonical signal for this table');
        }
      }),
    *finish() {
      for (const sum of sums.values()) {
        const { platform, table, rows, campaign: id, day } = sum;
        if (sum.broken) {
          // Its rows that cannot be read have their own reason.
          if (rows > 0) yield { table, rows, reason: 'another row of its campaign and day cannot be read' };
          continue;
        }
        if (sum.account === undefined) {
          yield { table, rows, reason: 'names no ad account: the campaign history has none for the campaign' };
          continue;
        }
        const code = currencyOf(platform, sum.account);
        if (code === undefined) {
          const reason = accounts.has(`${platform}/${sum.account}`)
            ? "ISO 4217 does not have its account's currency"
            : 'its currency is not stated: give --currency';
          yield { table, rows, reason };
          continue;
        }
        if (![...sum.marks].every((mark) => isMarkOf(mark, code))) {
          yield {
            table,
            rows,
            reason: `its amounts are marked with another currency than ${code}, which its account has`,
          };
          continue;
        }
        const dayEnds = new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString();
        // If a day is stated again later, that is a later statement. Without a time of export, all statements have the time of the
        // day's end.
        const statedAt = sum.syncedAt ?? dayEnds;
        const state = stateAt(campaigns.get(`${platform}/${id}`) ?? [], statedAt);
        const key = `${sum.account}/${id}/${day}`;
        const made = signal(source, table, key, 'CampaignPerformanceReported', statedAt, {
          adAccountId: `${platform}:${sum.account}`,
          campaignId: `${platform}:${id}`,
          day,
          spendMinor: minorUnits(sum.spend, code),
          revenueMinor: minorUnits(sum.revenue, code),
          currency: code,
          impressions: sum.impressions,
          clicks: sum.clicks,
          conversions: sum.conversions === undefined ? undefined : Number(sum.conversions) / 1e6,
          status: state?.status,
          name: state?.name,
        });
        yield made.ok ? { table, rows, signal: made.signal } : { table, rows, reason: made.reason };
      }
    },
  };
}

/** Read one after the other, inside of what knows the campaign and the day. */
interface Figures {
  readonly account: string | undefined;
  readonly campaign: string | undefined;
  readonly spend: () => Amount;
  readonly revenue: () => Amount;
  readonly conversions: () => bigint | undefined;
}

const isTotal = 'is a sum of other rows, as downloads add them';

const both = <T>(a: T | undefined, b: T | undefined, sum: (a: T, b: T) => T): T | undefined =>
  a === undefined || b === undefined ? undefined : sum(a, b);

/** The campaign as it was at a time: its last state until then, else its first. */
function stateAt(states: readonly CampaignState[], at: string): CampaignState | undefined {
  const sorted = states.toSorted((a, b) => (a.at < b.at ? -1 : 1));
  return sorted.findLast((state) => state.at <= at) ?? sorted[0];
}
