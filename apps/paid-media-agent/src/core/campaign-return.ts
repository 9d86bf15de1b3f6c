import type { Campaign } from '@countersign/agent';

/** The spend and revenue of a campaign over its last reported days, in minor units. */
export interface Return {
  readonly spendMinor: number;
  readonly revenueMinor: number;
}

const dayMs = 86_400_000;

/** Adds up the reported days of a window that ends with the last reported day: by the report's own time, not the clock's. */
export function returnOf(campaign: Campaign, windowDays: number): Return {
  const last = campaign.days.at(-1)?.day;
  const from = last === undefined ? 0 : Date.parse(last) - (windowDays - 1) * dayMs;
  const days = campaign.days.filter(({ day }) => Date.parse(day) >= from);
  return {
    spendMinor: days.reduce((sum, d) => sum + d.spendMinor, 0),
    revenueMinor: days.reduce((sum, d) => sum + d.revenueMinor, 0),
  };
}

/** Revenue per spend in whole percent, rounded down; undefined if nothing was spent. */
export const percentOf = ({ spendMinor, revenueMinor }: Return): number | undefined =>
  spendMinor === 0 ? undefined : Math.floor((revenueMinor * 100) / spendMinor);

/** Active campaigns with a budget and a known return, best return first; equal ones by id. */
export function ranked(campaigns: readonly Campaign[], windowDays: number): readonly RankedCampaign[] {
  return campaigns
    .flatMap((campaign) => {
      const percent = percentOf(returnOf(campaign, windowDays));
      return campaign.status === 'active' && campaign.dailyBudgetMinor !== undefined && percent !== undefined
        ? [{ ...campaign, dailyBudgetMinor: campaign.dailyBudgetMinor, percent }]
        : [];
    })
    .sort((a, b) => b.percent - a.percent || (a.campaignId < b.campaignId ? -1 : 1));
}

export type RankedCampaign = Campaign & { readonly dailyBudgetMinor: number; readonly percent: number };
