import type { AdAccountProfile, Consents, Control, Profile } from '@countersign/contracts';
import type { AdAccountFact, ConsentFact, ContactFact, ControlFact } from './facts.js';

/* What of a state topic's row a verdict rests on. Whoever judges takes it from here, and so does whoever compares it later. */

/** A row of a state topic as its reader has it: version 0 without data where there is none. */
export interface Known<T> {
  readonly version: number;
  readonly data: T | null;
}

/** `touched`: whether a touch of the contact was ever executed. Null where there is neither a profile nor a touch. */
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

/** Null where there is no profile. */
export function adAccountFact({ version, data }: Known<Profile>): AdAccountFact | null {
  if (data?.kind !== 'ad-account') return null;
  const campaigns = Object.values((data as AdAccountProfile).campaigns).map(
    ({ campaignId, dailyBudgetMinor, bidMinor }) =>
      [
        campaignId,
        { ...(dailyBudgetMinor !== undefined && { dailyBudgetMinor }), ...(bidMinor !== undefined && { bidMinor }) },
      ] as const,
  );
  return { version, currency: data.currency, campaigns: Object.fromEntries(campaigns) };
}

export const consentFact = ({ version, data }: Known<Consents>): ConsentFact => ({
  version,
  entries: data?.entries ?? [],
  suppressions: data?.suppressions ?? [],
});

export const controlFact = ({ version, data }: Known<Control>): ControlFact =>
  data ? { version, state: data.state, by: data.by, reason: data.reason } : { version, state: 'running' };
