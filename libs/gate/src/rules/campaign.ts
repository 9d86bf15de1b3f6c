import { own } from '@countersign/contracts';
import { gravest, pass, type Rule, unclear } from '../rule.js';

/** A campaign is known to be of the ad account that the action names: whose caps and stops it falls under. */
export const campaign: Rule = {
  name: 'campaign',
  weigh: ({ subject, facts }) => {
    const { adAccountId, campaignIds } = subject;
    if (adAccountId === undefined) return undefined;
    const known = own(facts.adAccounts, adAccountId)?.campaigns ?? {};
    return gravest(
      campaignIds.map((campaignId) =>
        Object.hasOwn(known, campaignId)
          ? pass(`campaign ${campaignId} is of ad account ${adAccountId}`)
          : unclear(`ad account ${adAccountId} is not known to have campaign ${campaignId}`, {
              adAccount: adAccountId,
              campaign: campaignId,
            }),
      ),
    );
  },
};
