import type { Database, Tx } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { type Campaign, campaignsOf, runOnCampaigns } from '../core/ads.js';
import type { Answer } from '../core/answer.js';
import { ActionCall } from '../core/call.js';
import { DATABASE } from './database.js';
import type { Begun, System } from './systems.js';

interface CampaignRow {
  campaign_id: string;
  ad_account_id: string;
  status: 'active' | 'paused';
  daily_budget_minor: number | string;
  bid_minor: number | string;
  currency: string;
  creatives: string[];
}

const campaignOf = (row: CampaignRow): Campaign => ({
  campaignId: row.campaign_id,
  adAccountId: row.ad_account_id,
  status: row.status,
  dailyBudgetMinor: Number(row.daily_budget_minor),
  bidMinor: Number(row.bid_minor),
  currency: row.currency,
  creatives: row.creatives,
});

/** The advertising platform: campaigns with budgets, bids, a status and creatives. */
@Injectable()
export class Ads implements System<ActionCall> {
  readonly name = 'ads';
  readonly takes = ActionCall;

  constructor(@Inject(DATABASE) private readonly db: Database) {}

  readonly carryOut = async (calls: readonly Begun<ActionCall>[], tx: Tx): Promise<readonly Answer[]> => {
    const ids = [...new Set(calls.flatMap(({ call }) => campaignsOf(call)))].sort();
    const rows = await tx.query<CampaignRow>(
      'SELECT * FROM campaigns WHERE campaign_id = ANY($1) ORDER BY campaign_id FOR UPDATE',
      [ids],
    );
    const known = new Map(rows.map((row) => [row.campaign_id, campaignOf(row)]));
    const touched = new Set<string>();
    const answers = calls.map(({ call }) => {
      const { answer, changed } = runOnCampaigns(call, [...known.values()]);
      for (const campaign of changed) {
        known.set(campaign.campaignId, campaign);
        touched.add(campaign.campaignId);
      }
      return answer;
    });
    const changed = [...known.values()].filter(({ campaignId }) => touched.has(campaignId));
    if (changed.length > 0) tx.write(...saving(changed));
    return answers;
  };

  /** Every campaign, by ad account and id. */
  async campaigns(): Promise<readonly Campaign[]> {
    const rows = await this.db.read<CampaignRow>('SELECT * FROM campaigns ORDER BY ad_account_id, campaign_id');
    return rows.map(campaignOf);
  }

  /** Creates a campaign, or replaces it: a demo or a test prepares the platform in this way. */
  async put(campaign: Campaign): Promise<void> {
    await this.db.read(...saving([campaign]));
  }
}

const saving = (campaigns: readonly Campaign[]): [string, readonly unknown[]] => [
  `INSERT INTO campaigns (campaign_id, ad_account_id, status, daily_budget_minor, bid_minor, currency, creatives)
   SELECT id, account, status, budget, bid, currency, creatives::jsonb
   FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::text[])
     AS n(id, account, status, budget, bid, currency, creatives)
   ON CONFLICT (campaign_id) DO UPDATE SET ad_account_id = excluded.ad_account_id, status = excluded.status,
     daily_budget_minor = excluded.daily_budget_minor, bid_minor = excluded.bid_minor, currency = excluded.currency,
     creatives = excluded.creatives`,
  [
    campaigns.map((c) => c.campaignId),
    campaigns.map((c) => c.adAccountId),
    campaigns.map((c) => c.status),
    campaigns.map((c) => c.dailyBudgetMinor),
    campaigns.map((c) => c.bidMinor),
    campaigns.map((c) => c.currency),
    campaigns.map((c) => JSON.stringify(c.creatives)),
  ],
];
