import type { ConsentPurpose, Seniority } from '@countersign/contracts';
import { type Random, random } from './random.js';

export interface Account {
  readonly id: string;
  readonly name: string;
  readonly tier: 1 | 2 | 3;
  readonly industry: string;
  readonly country: string;
  readonly ownerId: string;
  readonly contacts: readonly Contact[];
}

export interface Contact {
  /** The CRM's reference. */
  readonly ref: string;
  readonly accountId: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly email: string;
  readonly seniority: Seniority;
  readonly jobFunction: string;
  readonly timeZone: string;
  readonly country: string;
  /** Purposes agreed to by email. */
  readonly consents: readonly ConsentPurpose[];
}

/** A campaign as the ad platform has it, with the daily figures that it reports. */
export interface Campaign {
  readonly campaignId: string;
  readonly adAccountId: string;
  readonly name: string;
  readonly dailyBudgetMinor: number;
  readonly bidMinor: number;
  readonly currency: 'EUR';
  readonly returnFloorPercent?: number;
  readonly spendPerDayMinor: number;
  /** Revenue per spend, in percent, give or take three. */
  readonly returnPercent: number;
}

export interface World {
  readonly accounts: readonly Account[];
  readonly campaigns: readonly Campaign[];
}

/** Accounts that stories are told of; all of tier 1. `partner-gmbh` is left for the examples of docs/clients.md. */
export const cast = {
  surge: 'helios-energy',
  unsubscriber: 'kestrel-robotics',
  cfo: 'lumen-health',
  frequent: 'orbit-logistics',
  stale: 'meridian-bank',
  partner: 'partner-gmbh',
} as const;

const places = [
  { country: 'DE', timeZone: 'Europe/Berlin' },
  { country: 'FR', timeZone: 'Europe/Paris' },
  { country: 'GB', timeZone: 'Europe/London' },
  { country: 'ES', timeZone: 'Europe/Madrid' },
  { country: 'US', timeZone: 'America/New_York' },
  { country: 'SG', timeZone: 'Asia/Singapore' },
];
const industries = ['energy', 'robotics', 'health', 'logistics', 'banking', 'retail', 'software', 'machinery'];
const firsts = ['Amber', 'Basalt', 'Cedar', 'Delta', 'Ember', 'Fjord', 'Garnet', 'Harbor', 'Indigo', 'Juniper'];
const lasts = ['Works', 'Systems', 'Foods', 'Mobility', 'Labs', 'Marine', 'Textiles', 'Optics'];
const firstNames = ['Ada', 'Bruno', 'Clara', 'Dario', 'Elif', 'Femi', 'Greta', 'Hugo', 'Ines', 'Jonas', 'Kaya', 'Luca'];
const lastNames = ['Aalto', 'Berg', 'Costa', 'Dubois', 'Egger', 'Fontana', 'Gruber', 'Haas', 'Ivanova', 'Jansen'];
const owners = ['owner-nord', 'owner-sued', 'owner-west'];

/** 40 accounts with four contacts each, and ten campaigns in two ad accounts: the same for the same seed. */
export function world(seed: number): World {
  const rnd = random(seed);
  const named = Object.values(cast).map((id) => ({ id, tier: 1 as const }));
  const others = Array.from({ length: 40 - named.length }, (_, i) => ({
    id: `${firsts[i % firsts.length]}-${lasts[Math.floor(i / firsts.length) + (i % 3)]}-${i + 1}`.toLowerCase(),
    tier: rnd.pick([1, 2, 2, 3, 3] as const),
  }));
  return { accounts: [...named, ...others].map(({ id, tier }) => account(id, tier, rnd)), campaigns };
}

function account(id: string, tier: Account['tier'], rnd: Random): Account {
  const name = id
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join(' ');
  const base = { id, name, tier, industry: rnd.pick(industries), ...rnd.pick(places), ownerId: rnd.pick(owners) };
  const isCast = (Object.values(cast) as string[]).includes(id);
  const roles: readonly (readonly [Seniority, string])[] = [
    ['director', 'operations'],
    ['manager', 'marketing'],
    ['individual', 'engineering'],
    id === cast.cfo
      ? ['c-suite', 'finance']
      : [isCast ? 'vp' : rnd.pick(['vp', 'c-suite', 'manager'] as const), 'sales'],
  ];
  const contacts = roles.map(([seniority, jobFunction], n): Contact => {
    const [firstName, lastName] = [rnd.pick(firstNames), rnd.pick(lastNames)];
    const place = rnd.pick(places);
    const consents: ConsentPurpose[] = ['service'];
    if (isCast || rnd.chance(0.8)) consents.push('sales');
    if (rnd.chance(0.6)) consents.push('newsletter');
    return {
      ref: `crm:${id}-${n + 1}`,
      accountId: id,
      firstName,
      lastName,
      email: `${firstName}.${lastName}.${n + 1}@${id}.example`.toLowerCase(),
      seniority,
      jobFunction,
      timeZone: place.timeZone,
      country: place.country,
      consents,
    };
  });
  const { timeZone: _timeZone, ...rest } = base;
  return { ...rest, contacts };
}

const campaign = (
  adAccountId: string,
  campaignId: string,
  name: string,
  budgetEuro: number,
  returnPercent: number,
  more: Partial<Campaign> = {},
): Campaign => ({
  campaignId,
  adAccountId,
  name,
  dailyBudgetMinor: budgetEuro * 100,
  bidMinor: 180,
  currency: 'EUR',
  spendPerDayMinor: budgetEuro * 90,
  returnPercent,
  ...more,
});

/** The floor is 120 % where a campaign has none of its own; amounts fit the limits in deploy/config/charters. */
export const campaigns = [
  campaign('ads-emea', 'cmp-comparison', 'Comparison pages', 600, 310, { bidMinor: 220 }),
  campaign('ads-emea', 'cmp-brand', 'Brand', 1200, 420),
  campaign('ads-emea', 'cmp-display', 'Display', 300, 30),
  campaign('ads-emea', 'cmp-retargeting', 'Retargeting', 1000, 125, { returnFloorPercent: 160 }),
  campaign('ads-emea', 'cmp-webinar', 'Webinar', 200, 210),
  campaign('ads-emea', 'cmp-newsletter', 'Newsletter sign-up', 150, 190),
  campaign('ads-dach', 'cmp-dach-brand', 'Brand, DACH', 900, 380),
  campaign('ads-dach', 'cmp-dach-search', 'Search, DACH', 4000, 100),
  campaign('ads-dach', 'cmp-dach-video', 'Video, DACH', 250, 20),
  campaign('ads-dach', 'cmp-dach-events', 'Events, DACH', 180, 240),
] as const satisfies readonly Campaign[];
