import { randomUUID } from 'node:crypto';
import type { ConsentPurpose, Seniority } from '@countersign/contracts';
import type { Signal, Source } from '@countersign/sample';

const minutes = 60_000;
const day = 24 * 60 * minutes;

/** When it is so many milliseconds before now. */
export const ago = (ms: number): string => new Date(Date.now() - ms).toISOString();

/** A signal that no other test publishes. */
export const signal = <T extends Signal['type']>(
  source: Source,
  type: T,
  data: Signal<T>['data'],
  time = ago(minutes),
): Signal<T> => ({ specversion: '1.0', id: randomUUID(), source: `/sources/${source}`, type, time, data });

export interface Person {
  readonly ref: string;
  readonly email: string;
}

/** An account of tier 1 with people who agreed to messages of sales. */
export function company(id: string, count = 3, seniority: Seniority = 'manager') {
  const people: Person[] = Array.from({ length: count }, (_, n) => ({
    ref: `crm:${id}-${n + 1}`,
    email: `person${n + 1}@${id}.example`,
  }));
  const known = (purpose: ConsentPurpose = 'sales'): Signal[] => [
    signal('crm', 'AccountUpserted', { account: { id }, name: id, tier: 1, ownerId: 'owner-nord' }, ago(2 * day)),
    ...people.map((person, n) =>
      signal(
        'crm',
        'ContactUpserted',
        {
          account: { id },
          contact: { ref: person.ref, email: person.email },
          seniority,
          consents: [{ purpose, channel: 'email', status: 'granted' }],
          person: { firstName: `First${n + 1}`, lastName: `Last${n + 1}` },
        },
        ago(2 * day),
      ),
    ),
  ];
  /** Each of them compares, some minutes apart. */
  const compare = (visitors: readonly Person[] = people): Signal<'ContentEngaged'>[] =>
    visitors.map(({ ref }, n) =>
      signal(
        'website',
        'ContentEngaged',
        { account: { id }, contact: { ref }, contentId: 'comparison-guide', topic: 'comparison', seconds: 60 },
        ago((10 + n) * minutes),
      ),
    );
  return { id, people, known, compare };
}

export interface Reported {
  readonly campaignId: string;
  readonly adAccountId: string;
  /** If absent, its id. */
  readonly name?: string;
  readonly dailyBudgetMinor: number;
  /** Revenue per spend, in percent. */
  readonly returnPercent: number;
  readonly returnFloorPercent?: number;
}

/** Eight days of a campaign's reports, up to yesterday. */
export const reports = (c: Reported): Signal<'CampaignPerformanceReported'>[] =>
  [8, 7, 6, 5, 4, 3, 2, 1].map((daysBefore) =>
    signal(
      'ads',
      'CampaignPerformanceReported',
      {
        adAccountId: c.adAccountId,
        campaignId: c.campaignId,
        day: ago(daysBefore * day).slice(0, 10),
        spendMinor: 20_000,
        revenueMinor: 200 * c.returnPercent,
        currency: 'EUR',
        dailyBudgetMinor: c.dailyBudgetMinor,
        bidMinor: 180,
        status: 'active',
        name: c.name ?? c.campaignId,
        ...(c.returnFloorPercent !== undefined && { returnFloorPercent: c.returnFloorPercent }),
      },
      ago((daysBefore - 1) * day + 60 * minutes),
    ),
  );

/** The same campaigns, as the sandbox takes them. */
export const inSandbox = ({ campaignId, adAccountId, dailyBudgetMinor }: Reported) => ({
  campaignId,
  adAccountId,
  dailyBudgetMinor,
  bidMinor: 180,
  currency: 'EUR' as const,
  status: 'active' as const,
});
