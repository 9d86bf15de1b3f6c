import { Channel, ConsentPurpose, type Consents } from '@countersign/contracts';
import type { Origin, Signal } from './signal.js';

type Entry = Consents['entries'][number];
type Suppression = Consents['suppressions'][number];

/** The consents and suppressions in one signal. */
export interface ConsentFacts {
  readonly entries: readonly Pick<Entry, 'purpose' | 'channel' | 'status' | 'basis'>[];
  readonly suppressions: readonly Pick<Suppression, 'channel' | 'reason'>[];
}

const nothing: ConsentFacts = { entries: [], suppressions: [] };

/** Reads consents and suppressions from a signal. A new type of signal does not compile until somebody decides about it. */
export function consentFacts(signal: Signal): ConsentFacts {
  switch (signal.type) {
    case 'ConsentChanged': {
      const { purpose, channel, status, basis } = signal.data;
      return { entries: [{ purpose, channel, status, ...(basis !== undefined && { basis }) }], suppressions: [] };
    }
    case 'FormSubmitted':
    case 'ContactUpserted':
      return { entries: signal.data.consents ?? [], suppressions: [] };
    case 'EmailUnsubscribed': {
      const purposes = signal.data.purpose ? [signal.data.purpose] : ConsentPurpose.options;
      return {
        entries: purposes.map((purpose) => ({ purpose, channel: 'email', status: 'withdrawn' })),
        suppressions: [],
      };
    }
    case 'EmailComplained':
      return { entries: [], suppressions: [{ channel: 'email', reason: 'complained' }] };
    case 'EmailBounced':
      return signal.data.bounce === 'hard'
        ? { entries: [], suppressions: [{ channel: 'email', reason: 'hard-bounce' }] }
        : nothing;
    case 'ContentEngaged':
    case 'PageViewed':
    case 'EmailDelivered':
    case 'EmailOpened':
    case 'EmailClicked':
    case 'MeetingBooked':
    case 'AccountUpserted':
    case 'DealUpserted':
    case 'CampaignPerformanceReported':
      return nothing;
    default:
      return signal satisfies never;
  }
}

/** Whether a signal concerns consent. Then its time is clamped, while the time of another signal would be refused. */
export const concernsConsent = ({ entries, suppressions }: ConsentFacts): boolean =>
  entries.length > 0 || suppressions.length > 0;

/**
 * Whether a signal takes a permission away. Then it is never stale and never dropped for quality, and if it may mean two
 * contacts, it binds both.
 */
export const protects = ({ entries, suppressions }: ConsentFacts): boolean =>
  suppressions.length > 0 || entries.some((e) => e.status === 'withdrawn');

export type ConsentState = Pick<Consents, 'entries' | 'suppressions'>;

/**
 * Consent after a signal. Per purpose and channel the later fact wins, and of two facts with the same time the withdrawal wins.
 * Of a suppression the first one stays. Both do not depend on the order of arrival.
 */
export function consentsAfter(before: ConsentState, facts: ConsentFacts, origin: Origin): ConsentState {
  let { entries, suppressions } = before;
  for (const fact of facts.entries) {
    const known = entries.find((e) => e.purpose === fact.purpose && e.channel === fact.channel);
    if (known && !supersedes({ ...fact, at: origin.at }, known)) continue;
    entries = [...entries.filter((e) => e !== known), { ...fact, ...origin }];
  }
  for (const fact of facts.suppressions) {
    const known = suppressions.find((s) => s.channel === fact.channel && s.reason === fact.reason);
    if (known && known.at <= origin.at) continue;
    const { signalId, at } = origin;
    suppressions = [...suppressions.filter((s) => s !== known), { ...fact, signalId, at }];
  }
  return { entries: sorted(entries), suppressions };
}

/**
 * The consent of one person who was known as two contacts. A withdrawal of either stays, whatever was granted later; otherwise
 * the later fact counts. Suppressions of both stay.
 */
export function joinedConsents(first: ConsentState, other: ConsentState): ConsentState {
  let { entries, suppressions } = first;
  for (const entry of other.entries) {
    const known = entries.find((e) => e.purpose === entry.purpose && e.channel === entry.channel);
    if (known && !outranks(entry, known)) continue;
    entries = [...entries.filter((e) => e !== known), entry];
  }
  for (const suppression of other.suppressions) {
    const known = suppressions.find((s) => s.channel === suppression.channel && s.reason === suppression.reason);
    if (known && known.at <= suppression.at) continue;
    suppressions = [...suppressions.filter((s) => s !== known), suppression];
  }
  return { entries: sorted(entries), suppressions };
}

/** The consent of a contact that was joined into another: the consent of the person, with every channel closed. */
export function goneConsents(joined: ConsentState, { signalId, at }: Origin): ConsentState {
  const closed = Channel.options.map((channel): Suppression => ({ channel, reason: 'erased', signalId, at }));
  const remaining = joined.suppressions.filter((s) => s.reason !== 'erased');
  return { entries: joined.entries, suppressions: [...remaining, ...closed] };
}

const byGravity: readonly Entry['status'][] = ['granted', 'disputed', 'withdrawn'];
const outranks = (entry: Entry, known: Entry): boolean => {
  const graver = byGravity.indexOf(entry.status) - byGravity.indexOf(known.status);
  return graver === 0 ? entry.at > known.at : graver > 0;
};

const supersedes = (fact: Pick<Entry, 'status' | 'at'>, known: Pick<Entry, 'status' | 'at'>): boolean =>
  fact.at > known.at || (fact.at === known.at && fact.status === 'withdrawn' && known.status !== 'withdrawn');

const place = (e: Entry): number =>
  ConsentPurpose.options.indexOf(e.purpose) * Channel.options.length + Channel.options.indexOf(e.channel);
const sorted = (entries: readonly Entry[]): Entry[] => entries.toSorted((a, b) => place(a) - place(b));
