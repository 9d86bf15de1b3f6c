import type { TaskAssigned } from '@countersign/contracts';
import type { Facts } from './facts.js';

const optional = (value: string | undefined): readonly string[] => (value === undefined ? [] : [value]);
const campaigns = (_task: TaskAssigned, facts: Facts): readonly string[] =>
  facts.adAccount?.campaigns.map((c) => c.campaignId) ?? [];
/** The campaign of a task, if the task concerns one. The gate refuses any other campaign. */
export const campaignOf = (task: TaskAssigned, facts: Facts): string | undefined =>
  task.campaignId ?? facts.settings.campaignId;

/**
 * The allowed origins of each identifier in a payload: the task, its settings or its facts. A planner can name only these
 * identifiers, so a proposal never goes beyond the subject of its task.
 */
const sources = {
  contactId: (task) => task.contactIds,
  ownerId: (_task, facts) => optional(facts.account?.ownerId),
  adAccountId: (_task, facts) => optional(facts.adAccount?.adAccountId),
  campaignId: (task, facts) => {
    const about = campaignOf(task, facts);
    return campaigns(task, facts).filter((id) => about === undefined || id === about);
  },
  fromCampaignId: campaigns,
  toCampaignId: campaigns,
  currency: (_task, facts) => optional(facts.adAccount?.currency),
  sequenceId: (_task, facts) =>
    facts.sequences
      .map((s) => s.id)
      .filter((id) => facts.settings.sequence === undefined || id === facts.settings.sequence),
  template: (_task, facts) => optional(facts.settings.template),
  creativeId: (_task, facts) => optional(facts.settings.creativeId),
  url: (_task, facts) => optional(facts.settings.url),
} satisfies Record<string, (task: TaskAssigned, facts: Facts) => readonly string[]>;

/** The values that a payload member may have, or undefined if the member is not an identifier. */
export const allowedValues = (member: string, task: TaskAssigned, facts: Facts): readonly string[] | undefined =>
  Object.hasOwn(sources, member) ? sources[member as keyof typeof sources](task, facts) : undefined;

/** The name of the first payload member whose identifier its task does not know; never the value. */
export function foreignIdentifier(
  payload: Readonly<Record<string, unknown>>,
  task: TaskAssigned,
  facts: Facts,
): string | undefined {
  return Object.entries(payload).find(([member, value]) => {
    const allowed = allowedValues(member, task, facts);
    return allowed !== undefined && value !== undefined && !allowed.includes(value as string);
  })?.[0];
}
