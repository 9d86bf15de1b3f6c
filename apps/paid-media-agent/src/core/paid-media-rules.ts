import {
  type Campaign,
  type Draft,
  decline,
  type Facts,
  type Plan,
  type RulePlanner,
  shareOf,
} from '@countersign/agent';
import type { TaskAssigned } from '@countersign/contracts';
import { percentOf, type RankedCampaign, ranked, returnOf } from './campaign-return.js';

type AdAccount = NonNullable<Facts['adAccount']>;

/**
 * A task about a campaign asks to rescue it: pause it if its return is far below the floor, else move budget to the best
 * campaign. Any other task asks for reach: raise the bid of the play's campaign, else move budget to it from the weakest
 * campaign.
 */
export const paidMediaRules: RulePlanner = {
  name: 'paid-media rules',
  plan: (task, facts) => {
    const { adAccount } = facts;
    if (!adAccount) return decline('facts unclear: nothing is known of the ad account');
    return task.campaignId === undefined
      ? reach(task, facts, adAccount)
      : rescue(task, facts, adAccount, task.campaignId);
  },
};

function rescue(task: TaskAssigned, facts: Facts, adAccount: AdAccount, campaignId: string): Plan {
  const { settings } = facts;
  const campaign = adAccount.campaigns.find((c) => c.campaignId === campaignId);
  if (!campaign) return decline(`facts unclear: nothing is known of ${campaignId}`);
  if (campaign.status === 'paused') return decline(`${campaignId} is paused already`);
  const floor = campaign.returnFloorPercent ?? settings.floorPercent;
  const percent = percentOf(returnOf(campaign, settings.windowDays));
  if (floor === undefined) return decline(`facts unclear: ${campaignId} has no floor`);
  if (percent === undefined) return decline(`${campaignId} spent nothing in ${settings.windowDays} days`);
  if (percent >= floor) return decline(`${campaignId} returned ${percent}%, its floor of ${floor}% is met`);

  const finding = `${campaignId} returned ${percent}% of its spend over ${settings.windowDays} days, its floor is ${floor}%`;
  const far = percent * 100 < settings.pauseBelowShare * floor;
  const best = ranked(adAccount.campaigns, settings.windowDays).find(
    (c) => c.campaignId !== campaignId && c.percent > percent && c.percent >= (c.returnFloorPercent ?? 0),
  );
  const pause = task.kinds.includes('ads.pause_campaign')
    ? pauseOf(task, adAccount, campaign, finding, far)
    : undefined;
  const shift =
    task.kinds.includes('ads.shift_budget') && best
      ? shiftOf(task, facts, adAccount, campaign, best, finding, far)
      : undefined;
  const chosen = far ? (pause ?? shift) : shift;
  return chosen
    ? { proposals: [chosen] }
    : decline(`${finding}; no kind of this task helps: no better campaign to move to`);
}

function pauseOf(task: TaskAssigned, adAccount: AdAccount, campaign: Campaign, finding: string, far: boolean): Draft {
  return {
    kind: 'ads.pause_campaign',
    payload: { adAccountId: adAccount.adAccountId, campaignId: campaign.campaignId },
    rationale: `${finding}. That is ${far ? 'too far below to be mended by a smaller budget' : 'below it'}.`,
    evidence: task.evidence,
    confidence: 0.9,
    alternatives: [
      {
        detail: 'move part of its budget to another campaign',
        rejectedBecause: 'what is left would go on losing money',
      },
      { detail: 'leave it as it is', rejectedBecause: 'every day below the floor costs more than it brings in' },
    ],
  };
}

function shiftOf(
  task: TaskAssigned,
  facts: Facts,
  adAccount: AdAccount,
  from: Campaign,
  to: RankedCampaign,
  finding: string,
  far: boolean,
): Draft | undefined {
  if (from.dailyBudgetMinor === undefined || from.dailyBudgetMinor === 0) return undefined;
  const { shiftPercent } = facts.settings;
  return {
    kind: 'ads.shift_budget',
    payload: {
      adAccountId: adAccount.adAccountId,
      fromCampaignId: from.campaignId,
      toCampaignId: to.campaignId,
      amountMinor: shareOf(from.dailyBudgetMinor, shiftPercent),
      currency: adAccount.currency,
    },
    rationale: `${finding}; ${to.campaignId} returned ${to.percent}%. ${shiftPercent}% of the weaker budget earns more there.`,
    evidence: task.evidence,
    confidence: 0.7,
    alternatives: [
      far
        ? { detail: `pause ${from.campaignId}`, rejectedBecause: 'the task does not allow it' }
        : { detail: `pause ${from.campaignId}`, rejectedBecause: 'it is close enough to recover' },
    ],
  };
}

function reach(task: TaskAssigned, facts: Facts, adAccount: AdAccount): Plan {
  const { settings } = facts;
  const campaign = adAccount.campaigns.find((c) => c.campaignId === settings.campaignId);
  if (settings.campaignId !== undefined && !campaign) {
    return decline(`facts unclear: nothing is known of ${settings.campaignId}`);
  }
  if (campaign && task.kinds.includes('ads.set_bid') && campaign.status === 'active' && campaign.bidMinor) {
    return { proposals: [raiseOf(task, facts, adAccount, campaign, campaign.bidMinor)] };
  }
  if (!task.kinds.includes('ads.shift_budget')) {
    return decline('no bid to raise: the campaign is not named, not active, or its bid is not known');
  }
  const order = ranked(adAccount.campaigns, settings.windowDays);
  const to = campaign ? order.find((c) => c.campaignId === campaign.campaignId) : order[0];
  const from = order.findLast((c) => c.campaignId !== to?.campaignId);
  if (!to || !from || from.percent >= to.percent) return decline('no weaker campaign to take budget from');
  const finding = `${reachFinding(task)} ${from.campaignId} returned ${from.percent}% over ${settings.windowDays} days`;
  const shift = shiftOf(task, facts, adAccount, from, to, finding, false);
  return shift ? { proposals: [shift] } : decline(`${from.campaignId} has no budget to give`);
}

function raiseOf(task: TaskAssigned, facts: Facts, adAccount: AdAccount, campaign: Campaign, bidMinor: number): Draft {
  const { bidStepPercent } = facts.settings;
  return {
    kind: 'ads.set_bid',
    payload: {
      adAccountId: adAccount.adAccountId,
      campaignId: campaign.campaignId,
      bidMinor: bidMinor + shareOf(bidMinor, bidStepPercent),
      currency: adAccount.currency,
    },
    rationale: `${reachFinding(task)} A bid ${bidStepPercent}% higher keeps ${campaign.campaignId} in front of them.`,
    evidence: task.evidence,
    confidence: 0.7,
    alternatives: [
      {
        detail: `move budget to ${campaign.campaignId}`,
        rejectedBecause: 'a bid is the smaller step and is taken back in one call',
      },
      { detail: 'do nothing', rejectedBecause: 'interest of this kind does not last' },
    ],
  };
}

const reachFinding = (task: TaskAssigned): string =>
  `${task.contactIds.length} contact(s) of ${task.accountId ?? 'an account'} show interest.`;
