import { joined, type Mapped, type Mapping, none, signal } from './mapping.js';
import { cell } from './rows.js';
import { currencyCode, earliest, instant, millionths, minorUnits, text, whole } from './values.js';

type Cells = Readonly<Record<string, string>>;
type Platform = 'google-ads' | 'linkedin-ads';

const SOURCE = '/sources/upstream/ads';

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
  impressions: number;
  clicks: number;
  conversions: number;
  syncedAt: string | undefined;
}

interface CampaignState {
  readonly at: string;
  readonly account: string | undefined;
  readonly name: string | undefined;
  readonly status: 'active' | 'paused' | undefined;
}

/**
 * Daily campaign statistics of Google Ads and LinkedIn Ads as Fivetran exports them. `currency` is taken where an export does
 * not say which an account has.
 */
export function ads({ currency }: { readonly currency?: string | undefined } = {}): Mapping {
  const sums = new Map<string, DaySum>();
  const accounts = new Map<string, { readonly at: string; readonly currency: string }>();
  const campaigns = new Map<string, CampaignState[]>();
  /** LinkedIn accounts whose cost is the same in US dollars and in their own currency, in all rows that give both. */
  const inDollars = new Map<string, boolean>();

  const account = (platform: Platform, cells: Cells): Mapped => {
    const [id, code] = [cell(cells, 'id'), currencyCode(cell(cells, 'currency_code', 'currency'))];
    if (id === undefined || code === undefined) return none('names no account or no currency');
    const at = instant(cell(cells, 'updated_at', 'last_modified_time')) ?? '';
    const key = `${platform}/${id}`;
    if ((accounts.get(key)?.at ?? '') <= at) accounts.set(key, { at, currency: code });
    return joined;
  };

  const campaign = (platform: Platform, cells: Cells): Mapped => {
    const id = cell(cells, 'id');
    if (id === undefined) return none('has no id');
    const status = cell(cells, 'status')?.toUpperCase();
    const state: CampaignState = {
      at: instant(cell(cells, 'updated_at', 'last_modified_time')) ?? '',
      account: cell(cells, 'customer_id', 'account_id'),
      name: text(cell(cells, 'name'), 200),
      status: status === undefined ? undefined : /^(ENABLED|ACTIVE)$/.test(status) ? 'active' : 'paused',
    };
    const key = `${platform}/${id}`;
    campaigns.set(key, [...(campaigns.get(key) ?? []), state]);
    return joined;
  };

  const add = (platform: Platform, table: string, cells: Cells, is: Omit<Figures, 'day'>): Mapped => {
    const day = instant(cell(cells, 'date', 'day'))?.slice(0, 10);
    if (is.campaign === undefined || day === undefined) return none('names no campaign or no day');
    if (is.spend === undefined || is.revenue === undefined)
      return none('its cost or its conversion value is no number');
    const key = `${platform}/${is.account ?? ''}/${is.campaign}/${day}`;
    const sum = sums.get(key) ?? {
      platform,
      table,
      account: is.account,
      campaign: is.campaign,
      day,
      rows: 0,
      spend: 0n,
      revenue: 0n,
      impressions: 0,
      clicks: 0,
      conversions: 0,
      syncedAt: undefined,
    };
    sum.rows += 1;
    sum.spend += is.spend;
    sum.revenue += is.revenue;
    sum.impressions += whole(cell(cells, 'impressions')) ?? 0;
    sum.clicks += whole(cell(cells, 'clicks')) ?? 0;
    sum.conversions += Number(is.conversions) || 0;
    sum.syncedAt = [sum.syncedAt, instant(cell(cells, '_fivetran_synced'))]
      .filter((at) => at !== undefined)
      .sort()
      .at(-1);
    sums.set(key, sum);
    return joined;
  };

  const google = (table: string, cells: Cells): Mapped =>
    add('google-ads', table, cells, {
      account: cell(cells, 'customer_id'),
      campaign: cell(cells, 'id', 'campaign_id'),
      // Micros are millionths already.
      spend: wholeNumber(cell(cells, 'cost_micros') ?? '0'),
      revenue: millionths(cell(cells, 'conversions_value') ?? '0'),
      conversions: cell(cells, 'conversions'),
    });

  const linkedin = (table: string, cells: Cells): Mapped => {
    const id = cell(cells, 'campaign_id');
    const owner = campaigns.get(`linkedin-ads/${id}`)?.find((state) => state.account !== undefined)?.account;
    const [local, dollars] = [
      millionths(cell(cells, 'cost_in_local_currency')),
      millionths(cell(cells, 'cost_in_usd')),
    ];
    if (owner !== undefined && local && dollars) {
      inDollars.set(owner, (inDollars.get(owner) ?? true) && local === dollars);
    }
    return add('linkedin-ads', table, cells, {
      account: owner,
      campaign: id,
      spend: millionths(cell(cells, 'cost_in_local_currency') ?? '0'),
      revenue: millionths(cell(cells, 'conversion_value_in_local_currency') ?? '0'),
      conversions: cell(cells, 'external_website_conversions'),
    });
  };

  const currencyOf = (platform: Platform, id: string): string | undefined =>
    accounts.get(`${platform}/${id}`)?.currency ??
    (platform === 'linkedin-ads' && inDollars.get(id) ? 'USD' : undefined) ??
    currency;

  return {
    source: SOURCE,
    stage: (table) => (table.endsWith('_history') ? 0 : 1),
    row: (table, cells) => {
      switch (table) {
        case 'google_ads_account_history':
          return account('google-ads', cells);
        case 'linkedin_ad_account_history':
          return account('linkedin-ads', cells);
        case 'google_ads_campaign_history':
          return campaign('google-ads', cells);
        case 'linkedin_ad_campaign_history':
          return campaign('linkedin-ads', cells);
        case 'google_ads_campaign_stats':
          return google(table, cells);
        case 'linkedin_ad_analytics_by_campaign':
          return linkedin(table, cells);
        case 'linkedin_ad_campaign_group_history':
          return none('a group of campaigns is no signal');
        default:
          return none('no canonical signal for this table');
      }
    },
    *finish() {
      for (const sum of sums.values()) {
        const { platform, table, rows, campaign: id, day } = sum;
        if (sum.account === undefined) {
          yield { table, rows, why: 'names no ad account: the campaign history has none for the campaign' };
          continue;
        }
        const code = currencyOf(platform, sum.account);
        if (code === undefined) {
          yield { table, rows, why: 'its currency is not stated: give --currency' };
          continue;
        }
        const dayEnds = new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString();
        const state = stateAt(campaigns.get(`${platform}/${id}`) ?? [], dayEnds);
        const key = `${sum.account}/${id}/${day}`;
        const made = signal(SOURCE, table, key, 'CampaignPerformanceReported', earliest(dayEnds, sum.syncedAt), {
          adAccountId: `${platform}:${sum.account}`,
          campaignId: `${platform}:${id}`,
          day,
          spendMinor: minorUnits(sum.spend, code),
          revenueMinor: minorUnits(sum.revenue, code),
          currency: code,
          impressions: sum.impressions,
          clicks: sum.clicks,
          conversions: sum.conversions,
          status: state?.status,
          name: state?.name,
        });
        yield made.ok ? { table, rows, signal: made.signal } : { table, rows, why: made.why };
      }
    },
  };
}

interface Figures {
  readonly account: string | undefined;
  readonly campaign: string | undefined;
  readonly day: string;
  readonly spend: bigint | undefined;
  readonly revenue: bigint | undefined;
  readonly conversions: string | undefined;
}

const wholeNumber = (value: string): bigint | undefined => (/^-?\d+$/.test(value) ? BigInt(value) : undefined);

/** The campaign as it was at a time: its last state until then, else its first. */
function stateAt(states: readonly CampaignState[], at: string): CampaignState | undefined {
  const sorted = states.toSorted((a, b) => (a.at < b.at ? -1 : 1));
  return sorted.findLast((state) => state.at <= at) ?? sorted[0];
}
