import type { PolicyContent } from '@countersign/contracts';
import { expect, test } from 'vitest';
import { dayCaps } from './spend.js';

test("a day ends at midnight of the charter's time zone", () => {
  const charter = (agent: string, timeZone: string) =>
    ({
      ...{ agent, timeZone, currency: 'EUR' },
      limits: { adAccountSpendPerDayMinor: 1_000, campaignSpendPerDayMinor: 300 },
    }) as PolicyContent['charters'][number];
  const charters = [charter('ads', 'Europe/Berlin'), charter('seo', 'UTC')];
  expect(dayCaps(charters, '2026-11-21T23:30:00.000Z')).toEqual([
    { agent: 'ads', day: '2026-11-22', adAccountMinor: 1_000, campaignMinor: 300 },
    { agent: 'seo', day: '2026-11-21', adAccountMinor: 1_000, campaignMinor: 300 },
  ]);
});
