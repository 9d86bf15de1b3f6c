import type { PolicyContent } from '@countersign/contracts';
import { expect, test } from 'vitest';
import { daysOf, type SpendRow, spend } from './spend.js';

const charter = (agent: string, timeZone: string, account: number, campaign: number) =>
  ({
    agent,
    timeZone,
    currency: 'EUR',
    limits: { adAccountSpendPerDayMinor: account, campaignSpendPerDayMinor: campaign },
  }) as PolicyContent['charters'][number];
const row = (more: Partial<SpendRow>): SpendRow => ({
  day: '2026-11-21',
  agent: 'ads',
  adAccountId: 'a-1',
  campaignId: 'c-1',
  currency: 'EUR',
  heldMinor: 0,
  committedMinor: 0,
  ...more,
});
const at = '2026-11-21T10:00:00.000Z';

test('an ad account holds what all its campaigns and agents hold, against the lowest cap of those agents', () => {
  const found = spend(
    [row({ heldMinor: 100 }), row({ campaignId: 'c-2', committedMinor: 50 }), row({ agent: 'seo', committedMinor: 7 })],
    [charter('ads', 'Europe/Berlin', 1_000, 300), charter('seo', 'Europe/Berlin', 900, 400)],
    at,
  );
  expect(found.adAccounts).toEqual([
    {
      ...{ id: 'a-1', day: '2026-11-21', currency: 'EUR', heldMinor: 100, committedMinor: 57, capMinor: 900 },
      agents: ['ads', 'seo'],
    },
  ]);
  expect(found.campaigns).toMatchObject([
    { id: 'c-1', heldMinor: 100, committedMinor: 7, capMinor: 300 },
    { id: 'c-2', heldMinor: 0, committedMinor: 50, capMinor: 300 },
  ]);
  expect(found.agents).toMatchObject([
    { id: 'ads', heldMinor: 100, committedMinor: 50, capMinor: null },
    { id: 'seo', committedMinor: 7 },
  ]);
});

test("a day ends at midnight of the charter's time zone", () => {
  const late = '2026-11-21T23:30:00.000Z';
  const charters = [charter('ads', 'Europe/Berlin', 1_000, 300)];
  expect(daysOf(charters, late)).toEqual(['2026-11-21', '2026-11-22']);
  const found = spend([row({ heldMinor: 1 }), row({ day: '2026-11-22', heldMinor: 2 })], charters, late);
  expect(found.adAccounts).toMatchObject([{ day: '2026-11-22', heldMinor: 2 }]);
});

test('two currencies are never added; money of an agent that has no charter has no cap', () => {
  const found = spend([row({ heldMinor: 1 }), row({ currency: 'USD', heldMinor: 2 })], [], at);
  expect(found.adAccounts.map(({ currency, heldMinor, capMinor }) => [currency, heldMinor, capMinor])).toEqual([
    ['USD', 2, null],
    ['EUR', 1, null],
  ]);
});
