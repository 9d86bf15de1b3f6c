import { type Consents, type Control, campaignKnown, own, type Profile } from '@countersign/contracts';
import type {
  AccountFact,
  AdAccountFact,
  CampaignFact,
  ConsentFact,
  ContactFact,
  ControlFact,
  OriginFact,
  WhereaboutsFact,
} from './facts.js';

/* The part of a state topic's row that a verdict depends on. The validator and every later comparison use these functions. */

/** A row of a state topic as its reader has it. Version 0 and no data if there is none. */
export interface Known<T> {
  readonly version: number;
  readonly data: T | null;
}

/** `touched`: whether a touch of the contact was ever executed. Null if there is neither a profile nor a touch. */
export function contactFact({ version, data }: Known<Profile>, touched: boolean): ContactFact | null {
  if (data?.kind !== 'contact') return touched ? { version: 0, seniority: 'unknown', touched: true } : null;
  return {
    version,
    seniority: data.seniority,
    ...(data.accountId !== undefined && { accountId: data.accountId }),
    ...(data.firstTouchedAt !== undefined && { firstTouchedAt: data.firstTouchedAt }),
    touched,
  };
}

export function originFact({ version, data }: Known<Profile>): OriginFact | null {
  if (data?.kind !== 'contact') return null;
  const sources = [...new Set(Object.values(data.provenance).map(({ source }) => source))].sort();
  // The key under which ingestion stores who gave the address.
  const address = own(data.provenance, 'email')?.source;
  return {
    version,
    ...(data.country !== undefined && { country: data.country }),
    ...(address !== undefined && { address }),
    sources,
  };
}

export function whereaboutsFact({ version, data }: Known<Profile>): WhereaboutsFact | null {
  if (data?.kind !== 'contact') return null;
  const { timeZone, country } = data;
  return { version, ...(timeZone !== undefined && { timeZone }), ...(country !== undefined && { country }) };
}

export const accountFact = ({ version, data }: Known<Profile>): AccountFact | null =>
  data?.kind === 'account' ? { version, ...(data.ownerId !== undefined && { ownerId: data.ownerId }) } : null;

/** Only the campaigns in `campaignIds`, each from its own profile if it has one. Null if the ad account has no profile. */
export function adAccountFact(
  { version, data }: Known<Profile>,
  campaignIds: readonly string[],
  profileOf: (campaignId: string) => Known<Profile> | undefined,
): AdAccountFact | null {
  if (data?.kind !== 'ad-account') return null;
  const known = campaignIds.flatMap((campaignId) => {
    const profile = profileOf(campaignId)?.data;
    const own = profile?.kind === 'campaign' ? profile : undefined;
    const campaign = campaignKnown(data, campaignId, own);
    if (!campaign) return [];
    const { dailyBudgetMinor, bidMinor } = campaign;
    const fact: CampaignFact = {
      ...(own && { version: own.version }),
      ...(dailyBudgetMinor !== undefined && { dailyBudgetMinor }),
      ...(bidMinor !== undefined && { bidMinor }),
    };
    return [[campaignId, fact] as const];
  });
  return { version, currency: data.currency, campaigns: Object.fromEntries(known) };
}

export const consentFact = ({ version, data }: Known<Consents>): ConsentFact => ({
  version,
  entries: data?.entries ?? [],
  suppressions: data?.suppressions ?? [],
});

export const controlFact = ({ version, data }: Known<Control>): ControlFact =>
  data ? { version, state: data.state, by: data.by, reason: data.reason } : { version, state: 'running' };
