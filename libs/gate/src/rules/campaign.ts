import { own } from '@countersign/contracts';
import { gravest, pass, type Rule, unclear } from '../rule.js';

/** The campaign must belong to the ad account that the action names, because the caps and stops of that ad account apply. */
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
