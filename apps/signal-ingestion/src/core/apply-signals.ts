import {
  type AccountProfile,
  type AdAccountProfile,
  type AdmissionCode,
  type CampaignProfile,
  type ContactProfile,
  campaignKnown,
  type Fault,
  profileKey,
} from '@countersign/contracts';
import {
  type ConsentState,
  concernsConsent,
  consentFacts,
  consentsAfter,
  goneConsents,
  joinedConsents,
  protects,
} from './consents.js';
import { belonging, joinedPoints, type Points, pointsAfter, pointsOf } from './contact-points.js';
import type { Persons } from './identify.js';
import {
  accountAfter,
  adAccountAfter,
  campaignAfter,
  contactAfter,
  goneContact,
  joinedContact,
  type Unversioned,
  withAddressFrom,
} from './profiles.js';
import type { Origin, Signal } from './signal.js';

/** An admitted signal with its persons. */
export interface Admitted {
  readonly signal: Signal;
  readonly occurredAt: string;
  readonly persons: Persons;
  /** Another contact that this signal shows to be the same person. It is joined into the one of `persons`. */
  readonly joined?: string;
}

type Account = Unversioned<AccountProfile>;
type Contact = Unversioned<ContactProfile>;
type AdAccount = Unversioned<AdAccountProfile>;
type Campaign = Unversioned<CampaignProfile>;
export type AnyProfile = Account | Contact | AdAccount | Campaign;

/** State by key: profiles by profile key, consents and contact points by contact id. */
export interface Known {
  readonly profiles: ReadonlyMap<string, AnyProfile>;
  readonly consents: ReadonlyMap<string, ConsentState>;
  readonly points: ReadonlyMap<string, Points>;
}

/** A key's new value, with the index of the last signal that changed it. */
export interface Change<V> {
  readonly value: V;
  readonly by: number;
}

export type Outcome =
  | { readonly ok: true; readonly profiles: readonly string[]; readonly consents: readonly string[] }
  | { readonly ok: false; readonly fault: Fault };

export interface AppliedSignals {
  readonly profiles: ReadonlyMap<string, Change<AnyProfile>>;
  readonly consents: ReadonlyMap<string, Change<ConsentState>>;
  readonly points: ReadonlyMap<string, Change<Points>>;
  /** One for each signal, in order: the keys that it changed, or why it changed nothing. */
  readonly outcomes: readonly Outcome[];
}

/** Which state a signal may change. It must be loaded and locked before `applySignals`. */
export function keysOf({ signal, persons, joined }: Pick<Admitted, 'signal' | 'persons' | 'joined'>): {
  readonly profiles: readonly string[];
  readonly consents: readonly string[];
  readonly points: readonly string[];
} {
  const [contactId] = persons;
  const accountId = accountOf(signal);
  const other = joined === undefined ? [] : [joined];
  const profiles: string[] = [];
  if (signal.type === 'CampaignPerformanceReported') {
    const { adAccountId, campaignId } = signal.data;
    profiles.push(profileKey.adAccount(adAccountId), profileKey.campaign(adAccountId, campaignId));
  }
  if (accountId !== undefined) profiles.push(profileKey.account(accountId));
  if (contactId !== undefined) profiles.push(profileKey.contact(contactId), ...other.map(profileKey.contact));
  return {
    profiles,
    consents: joined !== undefined || concernsConsent(consentFacts(signal)) ? [...persons, ...other] : [],
    points: contactId === undefined ? [] : [contactId, ...other],
  };
}

/** The contacts of these entries that an earlier signal joined into another contact, by their ids. */
export function goneAmong(entries: readonly Admitted[], profiles: Known['profiles']): Map<string, string> {
  const ids = entries.flatMap(({ persons, joined }) => (joined === undefined ? persons : [...persons, joined]));
  return new Map(
    ids.flatMap((id) => {
      const known = profiles.get(profileKey.contact(id));
      return known?.kind === 'contact' && known.joinedInto !== undefined ? [[id, known.joinedInto] as const] : [];
    }),
  );
}

/** The account that a signal names. */
export const accountOf = (signal: Signal): string | undefined =>
  'account' in signal.data ? signal.data.account?.id : undefined;

/** The account to which a signal gives a new name. The points of its contacts carry the name, and are sealed again later. */
export function renamedBy(signal: Signal, profiles: Known['profiles']): string | undefined {
  if (signal.type !== 'AccountUpserted' || signal.data.name === undefined) return undefined;
  const accountId = accountOf(signal);
  const known = accountId === undefined ? undefined : profiles.get(profileKey.account(accountId));
  return known?.kind === 'account' && known.name === signal.data.name ? undefined : accountId;
}

/**
 * Accounts that contacts came to and whose profiles were not loaded, so that their names are not known here; each with the signal
 * that did it.
 */
export function cameUnheld(
  known: Known,
  { profiles, points }: Pick<AppliedSignals, 'profiles' | 'points'>,
): Map<string, number> {
  const came = new Map<string, number>();
  for (const [contactId, { value, by }] of points) {
    const { accountId } = value;
    if (accountId === undefined || known.points.get(contactId)?.accountId === accountId) continue;
    const key = profileKey.account(accountId);
    if (!known.profiles.has(key) && !profiles.has(key)) came.set(accountId, by);
  }
  return came;
}

/** Applies signals in order to the known state. Pure: the same signals on the same state give the same state. */
export function applySignals(admitted: readonly Admitted[], known: Known): AppliedSignals {
  const profiles = new Map<string, Change<AnyProfile>>();
  const consents = new Map<string, Change<ConsentState>>();
  const points = new Map<string, Change<Points>>();
  const profile = <P extends AnyProfile>(key: string) =>
    (profiles.get(key)?.value ?? known.profiles.get(key) ?? null) as P | null;
  const consentsOf = (id: string) => consents.get(id)?.value ?? known.consents.get(id) ?? noConsents;
  const pointsOfContact = (id: string) => points.get(id)?.value ?? known.points.get(id) ?? { fields: {} };

  const outcomes = admitted.map((entry, by): Outcome => {
    const { signal, occurredAt, persons, joined } = entry;
    const [contactId] = persons;
    const accountId = accountOf(signal);
    const consent = consentFacts(signal);
    const origin: Origin = { source: signal.source, signalId: signal.id, at: occurredAt };
    if (persons.length === 2 && !protects(consent)) return { ok: false, fault: identityConflict };

    if (signal.type === 'CampaignPerformanceReported') {
      const { adAccountId, campaignId } = signal.data;
      const key = profileKey.adAccount(adAccountId);
      const before = profile<AdAccount>(key);
      const adAccount = adAccountAfter(before, signal, origin);
      if (adAccount === null) return { ok: false, fault: currencyConflict };
      if (adAccount !== before) profiles.set(key, { value: adAccount, by });
      const campaignKey = profileKey.campaign(adAccountId, campaignId);
      const campaign = campaignKnown(adAccount, campaignId, profile<Campaign>(campaignKey));
      profiles.set(campaignKey, { value: campaignAfter(campaign, signal, origin), by });
    }
    if (accountId !== undefined) {
      const key = profileKey.account(accountId);
      profiles.set(key, { value: accountAfter(profile<Account>(key), accountId, signal, origin), by });
    }
    if (contactId !== undefined) {
      const key = profileKey.contact(contactId);
      const before = pointsOfContact(contactId);
      const others = joined === undefined ? undefined : pointsOfContact(joined);
      const own = others === undefined ? before : joinedPoints(before, others);
      const updated = persons.length === 1 ? pointsAfter(own, pointsOf(signal), occurredAt) : own;
      const stated = contactAfter(profile<Contact>(key), contactId, signal, origin);
      const other = joined === undefined ? null : profile<Contact>(profileKey.contact(joined));
      const value = joinedContact(stated, other);
      const account = value.accountId === undefined ? null : profile<Account>(profileKey.account(value.accountId));
      // A join may move the contact to the other one's account, whose profile was not loaded. Until its job runs, the name is the
      // one that the other contact had.
      const name = account?.name ?? (others?.accountId === value.accountId ? others?.accountName : undefined);
      const after = value.accountId === undefined ? updated : belonging(updated, value.accountId, name);
      const address = after.fields.email?.value;
      const from = withAddressFrom(value, address, [
        { address: before.fields.email?.value, from: profile<Contact>(key)?.provenance.email },
        { address: others?.fields.email?.value, from: other?.provenance.email },
        ...(persons.length === 1 ? [{ address: pointsOf(signal).email, from: origin }] : []),
      ]);
      profiles.set(key, { value: { ...from, reachable: address === undefined ? [] : ['email'] }, by });
      if (after !== before) points.set(contactId, { value: after, by });
    }
    const touched = keysOf(entry);
    if (contactId !== undefined && joined !== undefined) {
      // A withdrawal of the other contact is not undone by the signal itself, nor by an earlier grant to this contact.
      const before = consentsOf(contactId);
      const stated = joinedConsents(consentsAfter(before, consent, origin), before);
      const value = joinedConsents(stated, consentsOf(joined));
      consents.set(contactId, { value, by });
      consents.set(joined, { value: goneConsents(value, origin), by });
      const key = profileKey.contact(joined);
      profiles.set(key, { value: goneContact(profile<Contact>(key), joined, contactId), by });
    } else {
      for (const id of touched.consents)
        consents.set(id, { value: consentsAfter(consentsOf(id), consent, origin), by });
    }
    return { ok: true, profiles: touched.profiles, consents: touched.consents };
  });
  return { profiles, consents, points, outcomes };
}

const noConsents: ConsentState = { entries: [], suppressions: [] };

const identityConflict: Fault & { readonly code: AdmissionCode } = {
  code: 'identity-conflict',
  detail:
    'data.contact: ref and email are known as two different contacts. A ContactUpserted with both, of a source that identifies, makes them one where the address has no other ref; then send this signal again under a new id',
  field: 'data.contact',
};
const currencyConflict: Fault & { readonly code: AdmissionCode } = {
  code: 'currency',
  detail: "data.currency: not the currency of the ad account's earlier reports",
  field: 'data.currency',
};
