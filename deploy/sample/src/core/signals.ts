import { derivedId, type SignalFacts, type SignalType, shippedDeployment } from '@countersign/contracts';
import { type Random, random } from './random.js';
import type { Account, Campaign, Contact, World } from './world.js';

/** What a signal says and of whom; which members a type must have is for its contract. */
type SignalBody<T extends SignalType> = SignalFacts<T> & {
  readonly account?: { readonly id: string };
  readonly contact?: { readonly ref: string; readonly email?: string };
  readonly person?: { readonly firstName: string; readonly lastName: string };
};

/** A CloudEvent as an upstream publishes it, structured. */
export interface Signal<T extends SignalType = SignalType> {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: T;
  readonly time: string;
  readonly data: SignalBody<T>;
}

export type Source = 'website' | 'crm' | 'mailer' | 'ads' | 'upstream';

export const dayMinutes = 24 * 60;

/**
 * Makes signals of one story: ids come from seed, story and place, times lie before the start instant, so that a second
 * start gives the same bytes, and nothing depends on the hour at which it happens.
 */
export interface SignalMaker {
  signal<T extends SignalType>(source: Source, type: T, minutesBefore: number, data: SignalBody<T>): Signal<T>;
  /** The calendar day so many days before the start, in UTC. */
  day(daysBefore: number): string;
}

export function signalMaker(seed: number, story: string, start: string): SignalMaker {
  let n = 0;
  const before = (minutes: number) => new Date(Date.parse(start) - Math.round(minutes * 60_000)).toISOString();
  return {
    signal: (source, type, minutesBefore, data) => ({
      specversion: '1.0',
      id: derivedId('sample', seed, story, n++),
      source: shippedDeployment.sources.find((s) => s.name === source)?.source ?? source,
      type,
      time: before(minutesBefore),
      data,
    }),
    day: (daysBefore) => before(daysBefore * dayMinutes).slice(0, 10),
  };
}

export const contactUpserted = (t: SignalMaker, c: Contact, minutesBefore: number): Signal<'ContactUpserted'> =>
  t.signal('crm', 'ContactUpserted', minutesBefore, {
    account: { id: c.accountId },
    contact: { ref: c.ref, email: c.email },
    seniority: c.seniority,
    jobFunction: c.jobFunction,
    timeZone: c.timeZone,
    country: c.country,
    consents: c.consents.map((purpose) => ({ purpose, channel: 'email', status: 'granted' })),
    person: { firstName: c.firstName, lastName: c.lastName },
  });

export const accountUpserted = (t: SignalMaker, a: Account, minutesBefore: number): Signal<'AccountUpserted'> =>
  t.signal('crm', 'AccountUpserted', minutesBefore, {
    account: { id: a.id },
    name: a.name,
    tier: a.tier,
    industry: a.industry,
    country: a.country,
    ownerId: a.ownerId,
  });

/** A contact reads content about a topic. */
export const engaged = (t: SignalMaker, c: Contact, topic: string, minutesBefore: number): Signal<'ContentEngaged'> =>
  t.signal('website', 'ContentEngaged', minutesBefore, {
    account: { id: c.accountId },
    contact: { ref: c.ref },
    contentId: `${topic}-guide`,
    topic,
    seconds: 95,
    url: `https://www.example.com/${topic}/guide`,
  });

/** Two weeks of a campaign's daily reports, up to the day before the start. */
export function reports(t: SignalMaker, c: Campaign, rnd: Random): readonly Signal<'CampaignPerformanceReported'>[] {
  return Array.from({ length: 14 }, (_, i) => {
    const daysBefore = 14 - i;
    const spendMinor = Math.round((c.spendPerDayMinor * rnd.int(95, 105)) / 100);
    return t.signal('ads', 'CampaignPerformanceReported', (daysBefore - 1) * dayMinutes + 60, {
      adAccountId: c.adAccountId,
      campaignId: c.campaignId,
      day: t.day(daysBefore),
      spendMinor,
      revenueMinor: Math.round((spendMinor * rnd.int(c.returnPercent - 3, c.returnPercent + 3)) / 100),
      currency: c.currency,
      impressions: rnd.int(4_000, 9_000),
      clicks: rnd.int(80, 300),
      dailyBudgetMinor: c.dailyBudgetMinor,
      bidMinor: c.bidMinor,
      status: 'active',
      name: c.name,
      ...(c.returnFloorPercent !== undefined && { returnFloorPercent: c.returnFloorPercent }),
    });
  });
}

/** Everything that is known before the stories begin: who there is, two weeks old at most. */
export function people(seed: number, start: string, { accounts }: World): readonly Signal[] {
  const t = signalMaker(seed, 'people', start);
  return accounts.flatMap((a, i) => [
    accountUpserted(t, a, 13 * dayMinutes + i),
    ...a.contacts.map((c, n) => contactUpserted(t, c, 12 * dayMinutes + i * 4 + n)),
  ]);
}

/** Topics that no play waits for. */
const quiet = ['product', 'integration', 'security', 'events'] as const;

/** Two weeks of what goes on beside the stories, by source; none of it starts a play. */
export function everyday(
  seed: number,
  start: string,
  { accounts, campaigns }: World,
): Readonly<Record<Source, Signal[]>> {
  const t = signalMaker(seed, 'everyday', start);
  const rnd = random(seed + 1);
  const found: Record<Source, Signal[]> = { website: [], crm: [], mailer: [], ads: [], upstream: [] };
  for (const a of accounts) {
    for (const c of a.contacts) {
      const when = () => rnd.int(60, 13 * dayMinutes);
      for (let i = rnd.int(0, 3); i > 0; i--) found.website.push(engaged(t, c, rnd.pick(quiet), when()));
      for (let i = rnd.int(0, 2); i > 0; i--) {
        const url = `https://www.example.com/${rnd.pick(['pricing', 'docs', 'about'])}`;
        const data = { account: { id: a.id }, contact: { ref: c.ref }, url, title: 'A page', seconds: rnd.int(5, 200) };
        found.website.push(t.signal('website', 'PageViewed', when(), data));
      }
      // Nobody of the C-suite was written to yet: the first message to them is a story of its own.
      if (c.seniority !== 'c-suite' && c.consents.includes('newsletter') && rnd.chance(0.7)) {
        const about = { contact: { ref: c.ref }, messageId: `news-${c.ref}`, emailCampaignId: 'newsletter-1' };
        const sent = rnd.int(2 * dayMinutes, 13 * dayMinutes);
        found.mailer.push(t.signal('mailer', 'EmailDelivered', sent, about));
        if (rnd.chance(0.5)) found.mailer.push(t.signal('mailer', 'EmailOpened', sent - 45, about));
      }
    }
    if (rnd.chance(0.4)) {
      const amountMinor = rnd.int(20, 900) * 100_000;
      const data = { dealId: `deal-${a.id}`, stage: 'qualified', amountMinor, currency: 'EUR' };
      found.crm.push(t.signal('crm', 'DealUpserted', rnd.int(60, 13 * dayMinutes), { account: { id: a.id }, ...data }));
    }
  }
  for (const c of campaigns) {
    // Those with a story are reported by it.
    if (!storyCampaigns.includes(c.campaignId)) found.ads.push(...reports(t, c, rnd));
  }
  return found;
}

/** Campaigns whose reports are part of a story. */
export const storyCampaigns: readonly string[] = [
  'cmp-display',
  'cmp-retargeting',
  'cmp-dach-search',
  'cmp-dach-video',
];
