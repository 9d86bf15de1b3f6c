import {
  type AccountProfile,
  type AdAccountProfile,
  type CampaignFacts,
  type CampaignProfile,
  type ContactProfile,
  campaignKnown,
  kindSpec,
  own,
  type PolicyContent,
  type Profile,
  profileKey,
  type Sequence,
  type TaskAssigned,
  type Versions,
} from '@countersign/contracts';
import type { Draft } from './plan.js';
import { readSettings, type Settings } from './settings.js';

/**
 * A campaign as planners see it. The members are listed one by one, so that a new member of the profile stays out until somebody
 * decides that planners may read it.
 */
export type Campaign = Pick<
  CampaignFacts,
  'campaignId' | 'status' | 'dailyBudgetMinor' | 'bidMinor' | 'returnFloorPercent'
> & { readonly days: readonly CampaignDay[] };
type CampaignDay = Pick<CampaignFacts['days'][number], 'day' | 'spendMinor' | 'revenueMinor' | 'reportedAt'>;

/** What a planner may know: ids, figures and words from closed lists. Names and other free text from outside stay out. */
export interface Facts {
  readonly settings: Settings;
  readonly account?: Pick<AccountProfile, 'accountId' | 'tier' | 'ownerId'>;
  readonly contacts: readonly Pick<
    ContactProfile,
    'contactId' | 'seniority' | 'reachable' | 'firstTouchedAt' | 'lastEngagedAt'
  >[];
  readonly adAccount?: {
    readonly adAccountId: string;
    readonly currency: string;
    readonly campaigns: readonly Campaign[];
  };
  readonly sequences: readonly Sequence[];
  /** The versions that were read. They are never lower than those that the task was made from. */
  readonly madeFrom: Versions;
  /** The versions of the other campaigns' profiles. All are included, because it is not known yet which of them a plan will name. */
  readonly campaignVersions: Versions;
  /** Profiles that were older than the task when they were read. */
  readonly behind: readonly string[];
}

/** The ad account of a task. */
export function adAccountOf({ adAccountId, settings }: TaskAssigned): string | undefined {
  const id = adAccountId ?? settings.adAccountId;
  return id === undefined ? undefined : String(id);
}

/**
 * The keys on `profiles.v1` of the subjects of a task. In addition to its campaign, a planner sees the other campaigns of the ad
 * account.
 */
export function profileKeysOf(task: TaskAssigned): readonly string[] {
  const adAccountId = adAccountOf(task);
  const campaignId = task.campaignId ?? task.settings.campaignId;
  return [
    ...(task.accountId === undefined ? [] : [profileKey.account(task.accountId)]),
    ...task.contactIds.map(profileKey.contact),
    ...(adAccountId === undefined ? [] : [profileKey.adAccount(adAccountId)]),
    ...(adAccountId === undefined || campaignId === undefined
      ? []
      : [profileKey.campaign(adAccountId, String(campaignId))]),
  ];
}

const prefix = 'profile:';

/** The profile versions that a task was made from, by their key on `profiles.v1`. */
export const neededProfiles = (madeFrom: Versions): readonly { readonly key: string; readonly version: number }[] =>
  Object.entries(madeFrom)
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, version]) => ({ key: name.slice(prefix.length), version }));

/** The versions that a plan was made from: those of its facts, and those of the campaigns that it names. */
export function plannedFrom(
  { proposals }: { readonly proposals: readonly Pick<Draft, 'kind' | 'payload'>[] },
  { madeFrom, campaignVersions, behind }: Facts,
): Pick<Facts, 'madeFrom' | 'behind'> {
  const named = proposals.flatMap(({ kind, payload }) => {
    const spec = kindSpec(kind);
    const adAccountId = spec?.adAccountId(payload);
    if (!spec || adAccountId === undefined) return [];
    return spec.campaignIds(payload).map((id) => `${prefix}${profileKey.campaign(adAccountId, id)}`);
  });
  const versions = named.flatMap((name) => {
    const version = own(madeFrom, name) ?? own(campaignVersions, name);
    return version === undefined ? [] : [[name, version] as const];
  });
  return { madeFrom: { ...madeFrom, ...Object.fromEntries(versions) }, behind };
}

/** Facts of a task from what was read, or why the task cannot be planned with these settings. */
export function factsOf(
  task: TaskAssigned,
  profiles: ReadonlyMap<string, { readonly version: number; readonly data: Profile | null }>,
  policy: Pick<PolicyContent, 'sequences'> | null,
): { readonly ok: true; readonly facts: Facts } | { readonly ok: false; readonly detail: string } {
  const read = readSettings(task.settings);
  if (!read.ok) return read;
  const keys = profileKeysOf(task);
  const found = keys.flatMap((key) => profiles.get(key)?.data ?? []);
  const account = found.find((p) => p.kind === 'account');
  const adAccount = found.find((p) => p.kind === 'ad-account');
  const campaigns = adAccount ? campaignsOf(adAccount, profiles.values()) : [];
  const versions = keys.map((key) => [`${prefix}${key}`, profiles.get(key)?.version ?? 0] as const);
  return {
    ok: true,
    facts: {
      settings: read.settings,
      ...(account && { account: accountFacts(account) }),
      contacts: found.filter((p) => p.kind === 'contact').map(contactFacts),
      ...(adAccount && { adAccount: adAccountFacts(adAccount, campaigns) }),
      sequences: policy?.sequences ?? [],
      madeFrom: {
        ...task.madeFrom,
        ...Object.fromEntries(versions.map(([name, v]) => [name, Math.max(v, own(task.madeFrom, name) ?? 0)])),
      },
      campaignVersions: Object.fromEntries(
        campaigns.map((c) => [`${prefix}${profileKey.campaign(c.adAccountId, c.campaignId)}`, c.version]),
      ),
      behind: versions.filter(([name, v]) => v < (own(task.madeFrom, name) ?? 0)).map(([name]) => name),
    },
  };
}

const accountFacts = (p: AccountProfile): NonNullable<Facts['account']> => ({
  accountId: p.accountId,
  ...(p.tier !== undefined && { tier: p.tier }),
  ...(p.ownerId !== undefined && { ownerId: p.ownerId }),
});

const contactFacts = (p: ContactProfile): Facts['contacts'][number] => ({
  contactId: p.contactId,
  seniority: p.seniority,
  reachable: p.reachable,
  ...(p.firstTouchedAt !== undefined && { firstTouchedAt: p.firstTouchedAt }),
  ...(p.lastEngagedAt !== undefined && { lastEngagedAt: p.lastEngagedAt }),
});

const campaignsOf = (
  { adAccountId }: AdAccountProfile,
  profiles: Iterable<{ readonly data: Profile | null }>,
): readonly CampaignProfile[] =>
  [...profiles].flatMap(({ data }) => (data?.kind === 'campaign' && data.adAccountId === adAccountId ? [data] : []));

function adAccountFacts(p: AdAccountProfile, profiles: readonly CampaignProfile[]): NonNullable<Facts['adAccount']> {
  const own = new Map(profiles.map((c) => [c.campaignId, c]));
  const ids = [...new Set([...own.keys(), ...Object.keys(p.campaigns)])].sort((a, b) => (a < b ? -1 : 1));
  return {
    adAccountId: p.adAccountId,
    currency: p.currency,
    campaigns: ids.flatMap((id) => campaignKnown(p, id, own.get(id)) ?? []).map(campaignFacts),
  };
}

const campaignFacts = (c: CampaignFacts): Campaign => ({
  campaignId: c.campaignId,
  status: c.status,
  ...(c.dailyBudgetMinor !== undefined && { dailyBudgetMinor: c.dailyBudgetMinor }),
  ...(c.bidMinor !== undefined && { bidMinor: c.bidMinor }),
  ...(c.returnFloorPercent !== undefined && { returnFloorPercent: c.returnFloorPercent }),
  days: c.days.map(({ day, spendMinor, revenueMinor, reportedAt }) => ({ day, spendMinor, revenueMinor, reportedAt })),
});
