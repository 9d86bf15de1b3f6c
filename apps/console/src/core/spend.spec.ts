import type { PolicyContent } from '@countersign/contracts';
import { expect, test } from 'vitest';
import { dayCaps } from './spend.js';

test("a day ends at midnight of the charter's time zone", () => {
  const charter = (agent: string, timeZone: string) =>
    ({
      ...{ agent, timeZone, currency: 'EUR' },
      limits: { adAccountSpendPerDayMinor: 1_000, campaignSpendPerDayMinor: 300 },
    }) as PolicyContent['charters'][number];
  const seo = charter('seo', 'UTC');
  const charters = [
    charter('ads', 'Europe/Berlin'),
    { ...seo, limits: { ...seo.limits, agentSpendPerDayMinor: 2_000 } },
  ];
  expect(dayCaps(charters, '2026-11-21T23:30:00.000Z')).toEqual([
    { agent: 'ads', day: '2026-11-22', currency: 'EUR', adAccountMinor: 1_000, campaignMinor: 300, agentMinor: null },
    { agent: 'seo', day: '2026-11-21', currency: 'EUR', adAccountMinor: 1_000, campaignMinor: 300, agentMinor: 2_000 },
  ]);
});
