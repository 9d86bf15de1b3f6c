import {
  type AccountProfile,
  type AdAccountProfile,
  type ContactProfile,
  type Fault,
  profileKey,
} from '@countersign/contracts';
import { type ConsentState, concernsConsent, consentFacts, consentsAfter, protects } from './consents.js';
import { belonging, type Points, pointsAfter, pointsOf } from './contact-points.js';
import type { Persons } from './identify.js';
import { accountAfter, adAccountAfter, contactAfter, type Unversioned } from './profiles.js';
import type { Origin, Signal } from './signal.js';

/** An admitted signal, its persons found. */
export interface Admitted {
  readonly signal: Signal;
  readonly occurredAt: string;
  readonly persons: Persons;
}

type Account = Unversioned<AccountProfile>;
type Contact = Unversioned<ContactProfile>;
type AdAccount = Unversioned<AdAccountProfile>;
export type AnyProfile = Account | Contact | AdAccount;

/** State by key: profiles by profile key, consents and contact points by contact id. */
export interface Known {
  readonly profiles: ReadonlyMap<string, AnyProfile>;
  readonly consents: ReadonlyMap<string, ConsentState>;
  readonly points: ReadonlyMap<string, Points>;
  /** The contacts of each account whose name a signal changes. */
  readonly members: ReadonlyMap<string, readonly string[]>;
}

/** A key's new value with the index of the last signal that changed it. */
export interface Change<V> {
  readonly value: V;
  readonly by: number;
}

export type Outcome =
  | { readonly ok: true; readonly profiles: readonly string[]; readonly consents: readonly string[] }
  | { readonly ok: false; readonly fault: Fault };

export interface Folded {
  readonly profiles: ReadonlyMap<string, Change<AnyProfile>>;
  readonly consents: ReadonlyMap<string, Change<ConsentState>>;
  readonly points: ReadonlyMap<string, Change<Points>>;
  /** One per signal, in order: the keys it changed, or why it changed nothing. */
  readonly outcomes: readonly Outcome[];
}

/** Which state a signal may change: what must be loaded, and locked, before `fold`. */
export function keysOf({ signal, persons }: Pick<Admitted, 'signal' | 'persons'>): {
  readonly profiles: readonly string[];
  readonly consents: readonly string[];
  readonly points: readonly string[];
} {
  const [contactId] = persons;
  const accountId = accountOf(signal);
  const profiles: string[] = [];
  if (signal.type === 'CampaignPerformanceReported') profiles.push(profileKey.adAccount(signal.data.adAccountId));
  if (accountId !== undefined) profiles.push(profileKey.account(accountId));
  if (contactId !== undefined) profiles.push(profileKey.contact(contactId));
  return {
    profiles,
    consents: concernsConsent(consentFacts(signal)) ? persons : [],
    points: contactId === undefined ? [] : [contactId],
  };
}

/** The account that a signal names. */
export const accountOf = (signal: Signal): string | undefined =>
  'account' in signal.data ? signal.data.account?.id : undefined;

/** The account to which a signal gives another name than is known: its contacts' points carry the name. */
export function renamedBy(signal: Signal, profiles: Known['profiles']): string | undefined {
  if (signal.type !== 'AccountUpserted' || signal.data.name === undefined) return undefined;
  const accountId = accountOf(signal);
  const known = accountId === undefined ? undefined : profiles.get(profileKey.account(accountId));
  return known?.kind === 'account' && known.name === signal.data.name ? undefined : accountId;
}

/** Applies signals in order to what is known: pure, so the same signals on the same state give the same state. */
export function fold(admitted: readonly Admitted[], known: Known): Folded {
  const profiles = new Map<string, Change<AnyProfile>>();
  const consents = new Map<string, Change<ConsentState>>();
  const points = new Map<string, Change<Points>>();
  const profile = <P extends AnyProfile>(key: string) =>
    (profiles.get(key)?.value ?? known.profiles.get(key) ?? null) as P | null;
  const pointsOfContact = (id: string) => points.get(id)?.value ?? known.points.get(id) ?? { fields: {} };

  const outcomes = admitted.map((entry, by): Outcome => {
    const { signal, occurredAt, persons } = entry;
    const [contactId] = persons;
    const accountId = accountOf(signal);
    const consent = consentFacts(signal);
    const origin: Origin = { source: signal.source, signalId: signal.id, at: occurredAt };
    if (persons.length === 2 && !protects(consent)) return { ok: false, fault: identityConflict };

    if (signal.type === 'CampaignPerformanceReported') {
      const key = profileKey.adAccount(signal.data.adAccountId);
      const value = adAccountAfter(profile<AdAccount>(key), signal, origin);
      if (value === null) return { ok: false, fault: currencyConflict };
      profiles.set(key, { value, by });
    }
    if (accountId !== undefined) {
      const key = profileKey.account(accountId);
      profiles.set(key, { value: accountAfter(profile<Account>(key), accountId, signal, origin), by });
    }
    if (contactId !== undefined) {
      const key = profileKey.contact(contactId);
      const before = pointsOfContact(contactId);
      const told = persons.length === 1 ? pointsAfter(before, pointsOf(signal), occurredAt) : before;
      const value = contactAfter(profile<Contact>(key), contactId, signal, origin);
      const account = value.accountId === undefined ? null : profile<Account>(profileKey.account(value.accountId));
      const after = value.accountId === undefined ? told : belonging(told, value.accountId, account?.name);
      profiles.set(key, { value: { ...value, reachable: after.fields.email ? ['email'] : [] }, by });
      if (after !== before) points.set(contactId, { value: after, by });
    }
    const touched = keysOf(entry);
    for (const id of touched.consents) {
      const before = consents.get(id)?.value ?? known.consents.get(id) ?? noConsents;
      consents.set(id, { value: consentsAfter(before, consent, origin), by });
    }
    const renamed = renamedBy(signal, known.profiles);
    if (renamed !== undefined) {
      const name = profile<Account>(profileKey.account(renamed))?.name;
      const joined = [...points].filter(([, { value }]) => value.accountId === renamed).map(([id]) => id);
      for (const id of new Set([...(known.members.get(renamed) ?? []), ...joined])) {
        const before = pointsOfContact(id);
        const after = before.accountId === renamed ? belonging(before, renamed, name) : before;
        if (after !== before) points.set(id, { value: after, by });
      }
    }
    return { ok: true, profiles: touched.profiles, consents: touched.consents };
  });
  return { profiles, consents, points, outcomes };
}

const noConsents: ConsentState = { entries: [], suppressions: [] };

const identityConflict: Fault = {
  code: 'identity-conflict',
  says: 'data.contact: ref and email are known as two different contacts',
  field: 'data.contact',
};
const currencyConflict: Fault = {
  code: 'currency',
  says: "data.currency: not the currency of the ad account's earlier reports",
  field: 'data.currency',
};
