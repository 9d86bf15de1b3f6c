import { type Action, kindSpec, profileKey } from '@countersign/contracts';

/** The keys of the campaigns that an action is about: their names are found by these. None for an unreadable action. */
export function campaignKeys(action: Action): string[] {
  const spec = kindSpec(action.kind);
  const payload = spec?.payload.safeParse(action.payload);
  if (!spec || !payload?.success) return [];
  const adAccountId = spec.adAccountId(payload.data);
  if (adAccountId === undefined) return [];
  return [...new Set(spec.campaignIds(payload.data).map((id) => profileKey.campaign(adAccountId, id)))];
}
