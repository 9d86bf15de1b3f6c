import { type AccountProfile, type Control, derivedId, type Play, type SignalAccepted } from '@countersign/contracts';
import {
  type Detected as DetectedFree,
  detect as detectFree,
  type Found,
  type Known,
  underControls,
} from './detect.js';
import { dayMs } from './patterns.js';

/** The fixed time of the tests. */
export const now = '2026-03-10T12:00:00.000Z';
export const daysBefore = (days: number, from = now): string =>
  new Date(Date.parse(from) - Math.round(days * dayMs)).toISOString();
export const contact = (name: string): string => derivedId('test-contact', name);

export const surgePlay: Play = {
  id: 'surge',
  title: 'Surge',
  freshWithinDays: 8,
  trigger: {
    pattern: 'distinct-contacts',
    signal: 'ContentEngaged',
    where: { topic: 'comparison' },
    account: { tier: 1 },
    contacts: 3,
    withinDays: 8,
  },
  coolDownDays: 14,
  tasks: [
    { agent: 'paid-media-agent', purpose: 'Be visible', kinds: ['ads.set_bid'], dueInMinutes: 30 },
    {
      agent: 'sequencing-agent',
      purpose: 'Follow up',
      kinds: ['sequence.enroll'],
      dueInMinutes: 30,
      settings: { sequence: 'follow-up' },
    },
  ],
};

export const floorPlay: Play = {
  id: 'floor',
  title: 'Return below floor',
  freshWithinDays: 3,
  trigger: {
    pattern: 'return-below-floor',
    signal: 'CampaignPerformanceReported',
    floorPercent: 120,
    withinDays: 3,
    minimumSpendMinor: 1000,
  },
  coolDownDays: 7,
  tasks: [{ agent: 'paid-media-agent', purpose: 'Stop it', kinds: ['ads.pause_campaign'], dueInMinutes: 30 }],
};

export const accountProfile = (accountId: string, tier: number): AccountProfile => ({
  version: 4,
  changedAt: now,
  kind: 'account',
  accountId,
  tier,
  deals: [],
  lastSignalAt: now,
  signals: 1,
  provenance: {},
});

/** What a batch is decided on, with the controls that its matches are looked at under. */
export type KnownWithControls = Known & { readonly controls: ReadonlyMap<string, Control> };
export type Detected = Omit<DetectedFree, 'matches'> & { readonly found: readonly Found[] };

/** Both steps of a batch, as the consumer takes them. */
export function detect(events: readonly SignalAccepted[], known: KnownWithControls, at: string): Detected {
  const { matches, ...rest } = detectFree(events, known, at);
  return { ...rest, found: underControls(matches, known.controls) };
}

export const knowing = (given: Partial<KnownWithControls> = {}): KnownWithControls => ({
  plays: [surgePlay, floorPlay],
  signals: new Map(),
  reports: new Map(),
  accounts: new Map([
    ['acme', accountProfile('acme', 1)],
    ['small', accountProfile('small', 3)],
  ]),
  subjects: new Map(),
  controls: new Map(),
  ...given,
});

const accepted = (signal: Partial<SignalAccepted> & Pick<SignalAccepted, 'type' | 'signalId'>): SignalAccepted => ({
  source: '/sources/website',
  occurredAt: now,
  receivedAt: now,
  quality: { score: 90, freshness: 90, completeness: 90 },
  triggers: true,
  facts: {},
  madeFrom: {},
  ...signal,
});

/** A contact of acme looks at comparison content. */
export const engaged = (name: string, daysAgo: number, given: Partial<SignalAccepted> = {}): SignalAccepted =>
  accepted({
    type: 'ContentEngaged',
    signalId: `${name}-${daysAgo}`,
    accountId: 'acme',
    contactId: contact(name),
    occurredAt: daysBefore(daysAgo),
    facts: { contentId: 'guide', topic: 'comparison' },
    ...given,
  });

export const reported = (
  daysAgo: number,
  spendMinor: number,
  revenueMinor: number,
  given: { facts?: Record<string, unknown>; signal?: Partial<SignalAccepted> } = {},
): SignalAccepted =>
  accepted({
    type: 'CampaignPerformanceReported',
    signalId: `report-${daysAgo}`,
    source: '/sources/ads',
    occurredAt: daysBefore(daysAgo - 0.5),
    facts: {
      adAccountId: 'ads-1',
      campaignId: 'c-1',
      day: daysBefore(daysAgo).slice(0, 10),
      spendMinor,
      revenueMinor,
      currency: 'EUR',
      ...given.facts,
    },
    ...given.signal,
  });

export const accountUpserted = (accountId: string): SignalAccepted =>
  accepted({ type: 'AccountUpserted', signalId: `upsert-${accountId}`, accountId });
