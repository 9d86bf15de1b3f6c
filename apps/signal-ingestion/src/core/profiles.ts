import {
  type AccountProfile,
  type AdAccountProfile,
  type CampaignFacts,
  type CampaignProfile,
  type ContactProfile,
  compareStatements,
  own,
  readAddress,
  type Statement,
} from '@countersign/contracts';
import type { Origin, Signal, SignalOf } from './signal.js';

/** A profile without its version, which the runtime counts. */
export type Unversioned<P> = Omit<P, 'version' | 'changedAt'>;
type Provenance = AccountProfile['provenance'];

/** The most deals that one account keeps. The deal that is unchanged for longest makes room. */
const maxDeals = 100;
/** The most reported days that one campaign keeps. */
const maxDays = 35;

/** The account after a signal that names it. For each field the later fact wins, whatever the order of arrival. */
export function accountAfter(
  before: Unversioned<AccountProfile> | null,
  accountId: string,
  signal: Signal,
  origin: Origin,
): Unversioned<AccountProfile> {
  const known = before ?? {
    kind: 'account',
    accountId,
    deals: [],
    signals: 0,
    lastSignalAt: origin.at,
    provenance: {},
  };
  const seen = { ...known, signals: known.signals + 1, lastSignalAt: later(known.lastSignalAt, origin.at) };
  if (signal.type === 'AccountUpserted') {
    const { name, tier, industry, country, ownerId } = signal.data;
    return { ...seen, ...learnt(known.provenance, { name, tier, industry, country, ownerId }, origin) };
  }
  return signal.type === 'DealUpserted' ? { ...seen, ...withDeal(known, signal, origin) } : seen;
}

/** The contact after a signal that names it, directly or by one of its known identities. */
export function contactAfter(
  before: Unversioned<ContactProfile> | null,
  contactId: string,
  signal: Signal,
  origin: Origin,
): Unversioned<ContactProfile> {
  const known: Unversioned<ContactProfile> = before ?? {
    kind: 'contact',
    contactId,
    seniority: 'unknown',
    reachable: [],
    signals: 0,
    provenance: {},
  };
  const accountId = signal.data && 'account' in signal.data ? signal.data.account?.id : undefined;
  const fields =
    signal.type === 'ContactUpserted'
      ? {
          accountId,
          seniority: signal.data.seniority,
          jobFunction: signal.data.jobFunction,
          timeZone: signal.data.timeZone,
          country: signal.data.country,
        }
      : { accountId };
  return {
    ...known,
    ...learnt(known.provenance, fields, origin),
    signals: known.signals + 1,
    ...(signal.type === 'EmailDelivered' && { firstTouchedAt: earlier(known.firstTouchedAt, origin.at) }),
    ...(engages(signal) && { lastEngagedAt: later(known.lastEngagedAt, origin.at) }),
  };
}

/** The profile of one person who was known as two contacts: for each field the later fact, and the signals of both. */
export function joinedContact(
  first: Unversioned<ContactProfile>,
  other: Unversioned<ContactProfile> | null,
): Unversioned<ContactProfile> {
  if (other === null) return first;
  const { accountId, seniority, jobFunction, timeZone, country } = other;
  let joined = first;
  for (const [name, value] of Object.entries(given({ accountId, seniority, jobFunction, timeZone, country }))) {
    const from = own(other.provenance, name);
    if (from) joined = { ...joined, ...learnt(joined.provenance, { [name]: value }, from) };
  }
  const { firstTouchedAt, lastEngagedAt } = other;
  return {
    ...joined,
    signals: first.signals + other.signals,
    ...(firstTouchedAt !== undefined && { firstTouchedAt: earlier(first.firstTouchedAt, firstTouchedAt) }),
    ...(lastEngagedAt !== undefined && { lastEngagedAt: later(first.lastEngagedAt, lastEngagedAt) }),
  };
}

/** What was said of a contact's address, and by whom; without an origin, nobody recorded it. */
export interface StatedAddress {
  readonly address: string | undefined;
  readonly from: Origin | undefined;
}

/**
 * The contact with who gave its address: of those who stated this address, the one who did so first. A person whose address came from
 * a list has it from there, whatever they do later. It is not known if a version before this stored the address.
 */
export function withAddressFrom(
  contact: Unversioned<ContactProfile>,
  address: string | undefined,
  stated: readonly StatedAddress[],
): Unversioned<ContactProfile> {
  const { email: _before, ...others } = contact.provenance;
  const same = stated.filter((s) => s.address !== undefined && identityOf(s.address) === identityOf(address ?? ''));
  const from = same.map((s) => s.from);
  const [first] = from
    .filter((origin) => origin !== undefined)
    .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const isKnown = first !== undefined && !from.includes(undefined);
  return { ...contact, provenance: isKnown ? { ...others, email: first } : others };
}

const identityOf = (address: string): string => readAddress(address)?.identity ?? address;

/** The contact that was joined into another. It names that contact and cannot be reached. */
export function goneContact(
  before: Unversioned<ContactProfile> | null,
  contactId: string,
  joinedInto: string,
): Unversioned<ContactProfile> {
  const known = before ?? { kind: 'contact', contactId, seniority: 'unknown', signals: 0, provenance: {} };
  return { ...known, reachable: [], joinedInto };
}

/**
 * The ad account after a report: unchanged if the report is not new, null if the report has another currency than earlier ones.
 */
export function adAccountAfter(
  before: Unversioned<AdAccountProfile> | null,
  { data: { adAccountId, currency } }: SignalOf<'CampaignPerformanceReported'>,
  { at }: Origin,
): Unversioned<AdAccountProfile> | null {
  if (before === null) return { kind: 'ad-account', adAccountId, currency, campaigns: {}, lastSignalAt: at };
  if (before.currency !== currency) return null;
  // An earlier version could store a campaign without a status. No reader can read such a profile, and it would keep the previous
  // one.
  const campaigns = Object.entries<Partial<CampaignFacts>>(before.campaigns);
  if (campaigns.every(([, { status }]) => status !== undefined)) return before;
  const readable = campaigns.map(([id, campaign]) => [id, { status: 'active', ...campaign } as CampaignFacts] as const);
  return { ...before, campaigns: Object.fromEntries(readable) };
}

/**
 * The campaign after a report. A later report of a day replaces the earlier one. Facts that belong to no day come from the latest
 * report that has them.
 */
export function campaignAfter(
  before: CampaignFacts | undefined,
  { data: report }: SignalOf<'CampaignPerformanceReported'>,
  { source, signalId, at }: Origin,
): Unversioned<CampaignProfile> {
  const { adAccountId, campaignId, currency, day, spendMinor, revenueMinor } = report;
  const { name, status, dailyBudgetMinor, bidMinor, returnFloorPercent } = report;
  const settings = given({ name, status, dailyBudgetMinor, bidMinor, returnFloorPercent });
  const known = before?.days ?? [];
  const stated = { day, spendMinor, revenueMinor, reportedAt: at, source, signalId };
  const outdated = (d: CampaignDay) => compareStatements(statementOf(d), statementOf(stated)) <= 0;
  const isLatest = known.every(outdated);
  const superseded = known.some((d) => d.day === day && !outdated(d));
  const days = superseded ? known : [...known.filter((d) => d.day !== day), stated];
  const earlierSettings = before ?? { status: 'active' };
  return {
    ...(isLatest ? { ...earlierSettings, ...settings } : { ...settings, ...earlierSettings }),
    kind: 'campaign',
    adAccountId,
    currency,
    campaignId,
    days: days.toSorted((a, b) => (a.day < b.day ? -1 : 1)).slice(-maxDays),
  };
}

type CampaignDay = CampaignFacts['days'][number];

/** A day from before its report was stored: such a report comes first among those of the same time. */
const statementOf = ({ reportedAt, source = '', signalId = '' }: CampaignDay): Statement => ({
  occurredAt: reportedAt,
  source,
  signalId,
});

function withDeal(
  known: Unversioned<AccountProfile>,
  { data: { dealId, stage, amountMinor, currency } }: SignalOf<'DealUpserted'>,
  origin: Origin,
): Pick<AccountProfile, 'deals' | 'provenance'> {
  const field = `deals.${dealId}`;
  const from = own(known.provenance, field);
  if (from && from.at > origin.at) return { deals: known.deals, provenance: known.provenance };
  const deal = { dealId, stage, ...given({ amountMinor, currency }) };
  const deals = [...known.deals.filter((d) => d.dealId !== dealId), deal];
  const provenance = { ...known.provenance, [field]: origin };
  while (deals.length > maxDeals) {
    const age = (d: { dealId: string }) => own(provenance, `deals.${d.dealId}`)?.at ?? '';
    const oldest = deals.reduce((a, b) => (age(b) < age(a) ? b : a));
    deals.splice(deals.indexOf(oldest), 1);
    delete provenance[`deals.${oldest.dealId}`];
  }
  return { deals, provenance };
}

/** The given fields without those that are known from a later time, with their provenance. */
function learnt<F extends object>(
  provenance: Provenance,
  fields: F,
  origin: Origin,
): { [K in keyof F]?: Exclude<F[K], undefined> } & { provenance: Provenance } {
  const news = Object.entries(given(fields)).filter(([name]) => (own(provenance, name)?.at ?? '') <= origin.at);
  return {
    ...(Object.fromEntries(news) as { [K in keyof F]?: Exclude<F[K], undefined> }),
    provenance: { ...provenance, ...Object.fromEntries(news.map(([name]) => [name, origin])) },
  };
}

/** Whether the signal shows that the person took part. A new type of signal does not compile until somebody decides about it. */
function engages(signal: Signal): boolean {
  switch (signal.type) {
    case 'ContentEngaged':
    case 'PageViewed':
    case 'EmailOpened':
    case 'EmailClicked':
    case 'FormSubmitted':
    case 'MeetingBooked':
      return true;
    case 'EmailDelivered':
    case 'EmailBounced':
    case 'EmailComplained':
    case 'EmailUnsubscribed':
    case 'ConsentChanged':
    case 'AccountUpserted':
    case 'ContactUpserted':
    case 'DealUpserted':
    case 'CampaignPerformanceReported':
      return false;
    default:
      return signal satisfies never;
  }
}

const given = <F extends object>(fields: F): { [K in keyof F]?: Exclude<F[K], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof F]?: Exclude<F[K], undefined>;
  };
const later = (a: string | undefined, b: string): string => (a !== undefined && a > b ? a : b);
const earlier = (a: string | undefined, b: string): string => (a !== undefined && a < b ? a : b);
