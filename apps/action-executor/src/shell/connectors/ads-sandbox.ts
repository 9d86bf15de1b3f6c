import type { ApprovedAction } from '@countersign/gate';
import { Inject, Injectable } from '@nestjs/common';
import { type Campaign, campaignsOf, runOnCampaigns } from '../../core/ads.js';
import type { Answer, Found } from '../../core/answer.js';
import type { Connector } from '../connector.js';
import { Sandbox, type SandboxTx } from './sandbox.js';

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

/** The sandbox advertising platform: campaigns with budgets, bids, a status and creatives. */
@Injectable()
export class AdsSandbox implements Connector {
  readonly name = 'ads';
  readonly timeoutMs = 5_000;

  constructor(@Inject(Sandbox) private readonly sandbox: Sandbox) {}

  call({ action }: ApprovedAction, key: string, signal: AbortSignal): Promise<Answer> {
    return this.sandbox.once(this.name, key, signal, async (tx) => {
      const rows = await tx.query<CampaignRow>(
        'SELECT * FROM sandbox_campaigns WHERE campaign_id = ANY($1) ORDER BY campaign_id FOR UPDATE',
        [campaignsOf(action)],
      );
      const { answer, changed } = runOnCampaigns(action, rows.map(campaignOf));
      await save(tx, changed);
      return answer;
    });
  }

  find(key: string): Promise<Found> {
    return this.sandbox.find(this.name, key);
  }

  /** Every campaign, by ad account and id. */
  async campaigns(): Promise<readonly Campaign[]> {
    const rows = await this.sandbox.query<CampaignRow>(
      'SELECT * FROM sandbox_campaigns ORDER BY ad_account_id, campaign_id',
    );
    return rows.map(campaignOf);
  }

  /** Makes a campaign, or sets it anew: how a demo or a test prepares the platform. */
  async put(campaign: Campaign): Promise<void> {
    await save(this.sandbox, [campaign]);
  }
}

async function save(tx: SandboxTx, campaigns: readonly Campaign[]): Promise<void> {
  if (campaigns.length === 0) return;
  await tx.query(
    `INSERT INTO sandbox_campaigns (campaign_id, ad_account_id, status, daily_budget_minor, bid_minor, currency, creatives)
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
  );
}
