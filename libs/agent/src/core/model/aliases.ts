import type { Facts } from '../facts.js';

/**
 * Replaces identifiers that other systems chose by names of ours. An ad platform or a CRM chose them, so they are text from
 * outside, and no such text reaches a model.
 */
export interface Aliases {
  readonly aliasOf: (id: string) => string;
  readonly idOf: (alias: string) => string;
  /** A text with the aliases replaced by the ids. */
  readonly resolve: (text: string) => string;
}

/** The aliases of a task's facts: `account`, `owner`, `ad-account`, then `campaign-1` and so on in the order of the facts. */
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

/** The payload members whose values are sent as aliases. */
export const aliased: ReadonlySet<string> = new Set([
  'adAccountId',
  'campaignId',
  'fromCampaignId',
  'toCampaignId',
  'ownerId',
]);
