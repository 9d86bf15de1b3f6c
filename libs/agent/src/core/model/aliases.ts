import type { Facts } from '../facts.js';

/**
 * Identifiers that other systems chose, under names of ours: what an ad platform or a CRM calls a thing is text from
 * outside, and no such text reaches a model.
 */
export interface Aliases {
  readonly aliasOf: (id: string) => string;
  readonly idOf: (alias: string) => string;
  /** A text in which aliases stand, with the ids in their place. */
  readonly resolve: (text: string) => string;
}

/** The aliases of a task's facts: `account`, `owner`, `ad-account`, `campaign-1` and on in the order of the facts. */
export function aliasesOf(facts: Facts): Aliases {
  const ids = new Map<string, string>();
  facts.adAccount?.campaigns.forEach((c, n) => {
    ids.set(`campaign-${n + 1}`, c.campaignId);
  });
  if (facts.adAccount) ids.set('ad-account', facts.adAccount.adAccountId);
  if (facts.account?.ownerId !== undefined) ids.set('owner', facts.account.ownerId);
  const aliases = new Map([...ids].map(([alias, id]) => [id, alias]));
  return {
    aliasOf: (id) => aliases.get(id) ?? id,
    idOf: (alias) => ids.get(alias) ?? alias,
    resolve: (text) => text.replace(/\bcampaign-\d+\b/g, (alias) => ids.get(alias) ?? alias),
  };
}

/** The payload members whose values travel as aliases. */
export const aliased: ReadonlySet<string> = new Set([
  'adAccountId',
  'campaignId',
  'fromCampaignId',
  'toCampaignId',
  'ownerId',
]);
