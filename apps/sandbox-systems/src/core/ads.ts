import { type ActionKindName, money, type PayloadOf } from '@countersign/contracts';
import { type Answer, rejected, type Shown } from './answer.js';
import type { ActionCall } from './call.js';

/** A campaign of the advertising platform. Money in minor units of `currency`. */
export interface Campaign {
  readonly campaignId: string;
  readonly adAccountId: string;
  readonly status: 'active' | 'paused';
  readonly dailyBudgetMinor: number;
  readonly bidMinor: number;
  readonly currency: string;
  readonly creatives: readonly string[];
}

export interface AdsEffect {
  readonly answer: Answer;
  readonly changed: readonly Campaign[];
}

const payload = <K extends ActionKindName>(call: ActionCall, _kind: K) => call.payload as PayloadOf<K>;

/** The campaigns that a call concerns. */
export function campaignsOf(call: ActionCall): readonly string[] {
  const { campaignId, fromCampaignId, toCampaignId } = call.payload;
  return [campaignId, fromCampaignId, toCampaignId].filter((id): id is string => typeof id === 'string');
}

/** What the platform does with a call: the campaigns as they are afterwards, or why nothing changes. */
export function runOnCampaigns(call: ActionCall, known: readonly Campaign[]): AdsEffect {
  const found: Campaign[] = [];
  for (const id of campaignsOf(call)) {
    const campaign = known.find((c) => c.campaignId === id && c.adAccountId === call.payload.adAccountId);
    if (!campaign) return refused('no-such-campaign', `no such campaign: ${id}`);
    if (call.payload.currency !== undefined && call.payload.currency !== campaign.currency) {
      return refused('wrong-currency', `${id} is kept in ${campaign.currency}, not in ${call.payload.currency}`);
    }
    found.push(campaign);
  }
  const [first, second] = found;
  if (!first) return refused('unknown-kind', `the advertising platform does not know ${call.kind}`);

  const done = (after: Campaign, before: Shown, shown: Shown): AdsEffect => ({
    answer: { outcome: 'done', reference: `campaign/${after.campaignId}`, before, after: shown },
    changed: [after],
  });
  switch (call.kind as ActionKindName) {
    case 'ads.shift_budget':
      return second
        ? shift(first, second, payload(call, 'ads.shift_budget').amountMinor)
        : refused('no-such-campaign', 'a shift needs two campaigns');
    case 'ads.set_bid': {
      const { bidMinor, currency } = payload(call, 'ads.set_bid');
      return done({ ...first, bidMinor }, { bidMinor: first.bidMinor, currency }, { bidMinor, currency });
    }
    case 'ads.pause_campaign': {
      // The compensating kind needs exactly these two members of the earlier state.
      const { dailyBudgetMinor, currency } = first;
      return done({ ...first, status: 'paused' }, { dailyBudgetMinor, currency }, { status: 'paused' });
    }
    case 'ads.resume_campaign': {
      const { dailyBudgetMinor, currency } = payload(call, 'ads.resume_campaign');
      return done(
        { ...first, status: 'active', dailyBudgetMinor },
        { status: first.status, dailyBudgetMinor: first.dailyBudgetMinor, currency },
        { status: 'active', dailyBudgetMinor, currency },
      );
    }
    case 'ads.publish_creative': {
      const { creativeId } = payload(call, 'ads.publish_creative');
      if (first.creatives.includes(creativeId)) {
        return refused('already-published', `${creativeId} is already published in ${first.campaignId}`);
      }
      const creatives = [...first.creatives, creativeId];
      return done({ ...first, creatives }, { creatives: first.creatives.length }, { creatives: creatives.length });
    }
    default:
      return refused('unknown-kind', `the advertising platform does not know ${call.kind}`);
  }
}

function shift(from: Campaign, to: Campaign, amountMinor: number): AdsEffect {
  if (from.campaignId === to.campaignId) return refused('same-campaign', 'a shift needs two different campaigns');
  if (from.dailyBudgetMinor < amountMinor) {
    return refused(
      'budget-too-small',
      `${from.campaignId} has a daily budget of ${money(from.dailyBudgetMinor, from.currency)}, less than ${money(amountMinor, from.currency)}`,
    );
  }
  const changed = [
    { ...from, dailyBudgetMinor: from.dailyBudgetMinor - amountMinor },
    { ...to, dailyBudgetMinor: to.dailyBudgetMinor + amountMinor },
  ];
  const budgets = (campaigns: readonly Campaign[]): Shown => ({
    dailyBudgetMinor: Object.fromEntries(campaigns.map((c) => [c.campaignId, c.dailyBudgetMinor])),
    currency: from.currency,
  });
  return {
    answer: {
      outcome: 'done',
      reference: `campaign/${from.campaignId}+${to.campaignId}`,
      before: budgets([from, to]),
      after: budgets(changed),
    },
    changed,
  };
}

const refused = (code: string, detail: string): AdsEffect => ({ answer: rejected(code, detail), changed: [] });
