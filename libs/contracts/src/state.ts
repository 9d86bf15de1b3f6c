import { z } from 'zod';
import { listOf, recordOf } from './at-most.js';
import { own } from './own.js';
import { PolicyContent } from './policy.js';
import {
  Channel,
  ConsentPurpose,
  Currency,
  Day,
  ForeignId,
  Instant,
  Minor,
  Name,
  Seen,
  Seniority,
  Sha256,
  Text,
  Uuid,
} from './primitives.js';

/**
 * The highest version that a state record may have if the broker accepted it at this time, in milliseconds since 1970: one for each
 * microsecond. No key changes that often, and the bound rises with time. So above any version that somebody wrote, there is soon
 * room again.
 */
export const highestVersionAt = (takenAtMs: number): number => takenAtMs * 1_000;

/** `causationid` of the state event with which a writer publishes its own state again above `version`, which somebody else wrote. */
export const aboveForeign = (topic: string, key: string, version: number): string =>
  `foreign ${topic} ${key} ${version}`;

/**
 * State topics: the last version of each key is valid. A reader ignores a version that is older than its own, and versions never
 * restart. Keys: `account:<id>`, `contact:<uuid>`, `ad-account:<id>`, `campaign:<ad account> <id>` for profiles; the bare contact
 * id for consents and contact points; the scope for controls; the bundle for policies.
 */
const versioned = { version: z.int().positive(), changedAt: Instant };

/** A short text of a signal. Addresses in it were replaced, which may have made it longer. */
const Words = z.string().max(1000);

/** The origin of a profile's field. */
const provenance = recordOf(
  z.string().max(300),
  z.object({ source: z.string().max(300), signalId: z.string().max(300), at: Instant }),
  1000,
);

export const AccountProfile = z.object({
  ...versioned,
  kind: z.literal('account'),
  accountId: ForeignId,
  name: Words.optional(),
  tier: z.int().min(1).max(3).optional(),
  industry: Words.optional(),
  country: z.string().max(100).optional(),
  ownerId: z.string().max(200).optional(),
  /** The hundred that changed last. */
  deals: listOf(
    z.object({
      dealId: ForeignId,
      stage: Words,
      amountMinor: Minor.optional(),
      currency: Currency.optional(),
    }),
    500,
  ),
  lastSignalAt: Instant,
  signals: z.int().nonnegative(),
  provenance,
});

export const ContactProfile = z.object({
  ...versioned,
  kind: z.literal('contact'),
  contactId: Uuid,
  accountId: ForeignId.optional(),
  seniority: Seniority,
  jobFunction: Words.optional(),
  timeZone: z.string().max(100).optional(),
  country: z.string().max(100).optional(),
  /** Whether an address is known (it is sealed); never the address. */
  reachable: listOf(Channel, 20),
  firstTouchedAt: Instant.optional(),
  lastEngagedAt: Instant.optional(),
  signals: z.int().nonnegative(),
  /** The contact that is the same person. New facts about the person are stored there, and this id is used for nothing new. */
  joinedInto: Uuid.optional(),
  provenance,
});

export const CampaignFacts = z.object({
  campaignId: ForeignId,
  name: Words.optional(),
  status: z.enum(['active', 'paused']),
  dailyBudgetMinor: Minor.optional(),
  bidMinor: Minor.optional(),
  returnFloorPercent: z.int().optional(),
  /**
   * The last 35 reported days, oldest first. A later report of a day replaces an earlier one, see `compareStatements`. `source` and
   * `signalId` are of the report that counts.
   */
  days: listOf(
    z.object({
      day: Day,
      spendMinor: Minor,
      revenueMinor: Minor,
      reportedAt: Instant,
      source: z.string().max(300).optional(),
      signalId: z.string().max(300).optional(),
    }),
    400,
  ),
});
export type CampaignFacts = z.infer<typeof CampaignFacts>;

export const AdAccountProfile = z.object({
  ...versioned,
  kind: z.literal('ad-account'),
  adAccountId: ForeignId,
  currency: Currency,
  /** The facts about campaigns from before each campaign had a profile of its own, see `campaignKnown`. Nothing is added to it. */
  campaigns: recordOf(z.string().max(200), CampaignFacts, 10_000),
  lastSignalAt: Instant,
});

/** A campaign of an ad account. It has a profile of its own, so that a report costs the same with any number of campaigns. */
export const CampaignProfile = z.object({
  ...versioned,
  kind: z.literal('campaign'),
  adAccountId: ForeignId,
  /** The currency of the ad account. */
  currency: Currency,
  ...CampaignFacts.shape,
});

export const Profile = z.discriminatedUnion('kind', [
  AccountProfile,
  ContactProfile,
  AdAccountProfile,
  CampaignProfile,
]);
export type Profile = z.infer<typeof Profile>;
export type AccountProfile = z.infer<typeof AccountProfile>;
export type ContactProfile = z.infer<typeof ContactProfile>;
export type AdAccountProfile = z.infer<typeof AdAccountProfile>;
export type CampaignProfile = z.infer<typeof CampaignProfile>;

/** The key of a profile on its topic. */
export const profileKey = {
  account: (id: string) => `account:${id}`,
  contact: (id: string) => `contact:${id}`,
  adAccount: (id: string) => `ad-account:${id}`,
  /** An id from outside contains no space, so no two campaigns have the same key. */
  campaign: (adAccountId: string, id: string) => `campaign:${adAccountId} ${id}`,
};

type ProfileId =
  | Pick<AccountProfile, 'kind' | 'accountId'>
  | Pick<ContactProfile, 'kind' | 'contactId'>
  | Pick<AdAccountProfile, 'kind' | 'adAccountId'>
  | Pick<CampaignProfile, 'kind' | 'adAccountId' | 'campaignId'>;

/** The key of a profile on its topic. */
export function keyOfProfile(profile: ProfileId): string {
  switch (profile.kind) {
    case 'account':
      return profileKey.account(profile.accountId);
    case 'contact':
      return profileKey.contact(profile.contactId);
    case 'ad-account':
      return profileKey.adAccount(profile.adAccountId);
    case 'campaign':
      return profileKey.campaign(profile.adAccountId, profile.campaignId);
  }
}

/** The facts about a campaign: its own profile, or the older facts in its ad account's profile. */
export const campaignKnown = (
  adAccount: Pick<AdAccountProfile, 'campaigns'> | null | undefined,
  campaignId: string,
  profile: CampaignFacts | null | undefined,
): CampaignFacts | undefined => profile ?? own(adAccount?.campaigns ?? {}, campaignId);

/**
 * What a contact agreed to, by purpose and channel. A purpose and channel that is not listed is not agreed to. `disputed`: two
 * sources disagree and neither is later. A suppression overrides every consent on its channel.
 */
export const Consents = z.object({
  ...versioned,
  contactId: Uuid,
  entries: listOf(
    z.object({
      purpose: ConsentPurpose,
      channel: Channel,
      status: z.enum(['granted', 'withdrawn', 'disputed']),
      at: Instant,
      source: z.string().max(300),
      signalId: z.string().max(300),
      basis: Words.optional(),
    }),
    200,
  ),
  suppressions: listOf(
    z.object({
      channel: Channel,
      reason: z.enum(['unsubscribed', 'complained', 'hard-bounce', 'erased']),
      at: Instant,
      signalId: z.string().max(300),
    }),
    200,
  ),
});
export type Consents = z.infer<typeof Consents>;

/** Name, address and phone number of a contact: a compact JWE to the executors' public key. */
export const ContactPoints = z.object({ ...versioned, contactId: Uuid, jwe: Text(8000) });
export type ContactPoints = z.infer<typeof ContactPoints>;
/** The content of the JWE. */
export const OpenedContactPoints = z.object({
  email: z.string().optional(),
  firstName: z.string().optional(),
  lastName: z.string().optional(),
  phone: z.string().optional(),
  /** The name of the contact's account when the points were sealed, because executors do not read profiles. */
  accountName: z.string().optional(),
});
export type OpenedContactPoints = z.infer<typeof OpenedContactPoints>;

/** `all`, `agent:<name>`, `play:<id>`, `channel:<channel>` or `account:<id>` (a CRM account or an ad account). */
export const ControlScope = z
  .string()
  .max(220)
  .regex(/^(all|(agent|play|channel|account):[\x21-\x7e]+)$/, 'all, or agent:, play:, channel:, account: and a name');
export const Control = z.object({
  ...versioned,
  scope: ControlScope,
  state: z.enum(['stopped', 'running']),
  by: Name,
  reason: Text(500),
  seen: Seen.optional(),
});
export type Control = z.infer<typeof Control>;

/** One bundle of charters, plays, rules and routes, published whole. `digest` is of `content`; `parts` of its parts. */
export const Policy = z.object({
  ...versioned,
  bundle: z.literal('main'),
  digest: Sha256,
  parts: recordOf(z.string().max(200), Sha256, 10_000),
  by: Name,
  seen: Seen.optional(),
  content: PolicyContent,
});
export type Policy = z.infer<typeof Policy>;
