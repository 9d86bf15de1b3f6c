import { clamp } from '@countersign/agent';
import { aCampaign, aTask, at, factsFor } from '@countersign/agent/testing';
import type { TaskAssigned } from '@countersign/contracts';
import { describe, expect, test } from 'vitest';
import { paidMediaRules } from './paid-media-rules.js';

const kinds = ['ads.shift_budget', 'ads.set_bid', 'ads.pause_campaign'] as const;

/** Plans a task with these campaigns, and shows that the plan survives the clamp whole. */
function planned(task: TaskAssigned, ...campaigns: ReturnType<typeof aCampaign>[]) {
  const facts = factsFor(task, campaigns);
  const plan = paidMediaRules.plan(task, facts, at);
  const clamped = clamp(plan, task, facts, at, { kinds, most: 5, planner: paidMediaRules.name });
  expect(clamped.left).toEqual([]);
  return {
    declined: clamped.declined,
    actions: clamped.proposals.map(({ kind, payload }) => ({ kind, ...payload })),
    plan,
  };
}

describe('a surge of interest', () => {
  test("raises the bid of the play's campaign by the play's step", () => {
    const { actions, plan } = planned(aTask(), aCampaign('cmp-a', 100, 300));
    expect(actions).toEqual([
      { kind: 'ads.set_bid', adAccountId: 'ads-1', campaignId: 'cmp-a', bidMinor: 230, currency: 'EUR' },
    ]);
    expect(plan.proposals[0]?.rationale).toContain('15%');
    expect(plan.proposals[0]?.evidence).toEqual(aTask().evidence);
    expect(plan.proposals[0]?.alternatives.length).toBeGreaterThan(0);
  });

  test.each([
    ['its bid is not known', { bidMinor: undefined }],
    ['the task allows no bid', {}],
  ])('moves budget from the weakest campaign where %s', (_name, more) => {
    const { bidMinor: _bid, ...strong } = aCampaign('cmp-a', 100, 300);
    const task = aTask({
      kinds: 'bidMinor' in more ? ['ads.set_bid', 'ads.shift_budget'] : ['ads.shift_budget'],
      settings: { adAccountId: 'ads-1', campaignId: 'cmp-a', shiftPercent: 25 },
    });
    const { actions } = planned(
      task,
      'bidMinor' in more ? strong : aCampaign('cmp-a', 100, 300),
      aCampaign('cmp-b', 100, 90),
      aCampaign('cmp-c', 100, 200),
    );
    expect(actions).toEqual([
      {
        kind: 'ads.shift_budget',
        adAccountId: 'ads-1',
        fromCampaignId: 'cmp-b',
        toCampaignId: 'cmp-a',
        amountMinor: 2500,
        currency: 'EUR',
      },
    ]);
  });

  test('is declined where nothing is known of the ad account', () => {
    const task = aTask({ settings: {} });
    expect(planned(task).declined).toBe('facts unclear: nothing is known of the ad account');
  });

  test('is declined where the campaign is unknown, and where no campaign is weaker', () => {
    expect(planned(aTask(), aCampaign('cmp-b', 100, 300)).declined).toBe('facts unclear: nothing is known of cmp-a');
    const shiftOnly = aTask({ kinds: ['ads.shift_budget'] });
    const { declined } = planned(shiftOnly, aCampaign('cmp-a', 100, 100), aCampaign('cmp-b', 100, 300));
    expect(declined).toBe('no weaker campaign to take budget from');
  });
});

describe('a campaign below its floor', () => {
  const { accountId: _account, ...bare } = aTask();
  const task = (more: Partial<TaskAssigned> = {}): TaskAssigned => ({
    ...bare,
    contactIds: [],
    kinds: ['ads.pause_campaign', 'ads.shift_budget'],
    settings: { floorPercent: 200, pauseBelowShare: 60, shiftPercent: 30 },
    adAccountId: 'ads-1',
    campaignId: 'cmp-low',
    ...more,
  });
  const better = aCampaign('cmp-best', 100, 400);

  test('is paused where its return is under the share of the floor', () => {
    const { actions, plan } = planned(task(), aCampaign('cmp-low', 100, 119), better);
    expect(actions).toEqual([{ kind: 'ads.pause_campaign', adAccountId: 'ads-1', campaignId: 'cmp-low' }]);
    expect(plan.proposals[0]?.rationale).toContain('returned 119% of its spend over 7 days, its floor is 200%');
  });

  test('gives a part of its budget to the best campaign where its return is nearer to the floor', () => {
    const { actions } = planned(task(), aCampaign('cmp-low', 100, 120), better, aCampaign('cmp-fair', 100, 210));
    expect(actions).toEqual([
      {
        kind: 'ads.shift_budget',
        adAccountId: 'ads-1',
        fromCampaignId: 'cmp-low',
        toCampaignId: 'cmp-best',
        amountMinor: 3000,
        currency: 'EUR',
      },
    ]);
  });

  test("is held against its own floor before the play's", () => {
    expect(planned(task(), aCampaign('cmp-low', 100, 150, { returnFloorPercent: 140 }), better).declined).toBe(
      'cmp-low returned 150%, its floor of 140% is met',
    );
  });

  test('moves budget only to an active campaign that returns more and keeps its own floor', () => {
    const { declined } = planned(
      task(),
      aCampaign('cmp-low', 100, 150),
      aCampaign('cmp-paused', 100, 900, { status: 'paused' }),
      aCampaign('cmp-weaker', 100, 140),
      aCampaign('cmp-failing', 100, 300, { returnFloorPercent: 500 }),
    );
    expect(declined).toContain('no better campaign to move to');
  });

  test('far below, with no right to pause, gives budget away', () => {
    const { actions } = planned(task({ kinds: ['ads.shift_budget'] }), aCampaign('cmp-low', 100, 10), better);
    expect(actions.map((a) => a.kind)).toEqual(['ads.shift_budget']);
  });

  test.each([
    ['it is paused', aCampaign('cmp-low', 100, 10, { status: 'paused' }), 'cmp-low is paused already'],
    ['it spent nothing', aCampaign('cmp-low', 0, 0), 'cmp-low spent nothing in 7 days'],
    ['it is unknown', aCampaign('cmp-x', 100, 10), 'facts unclear: nothing is known of cmp-low'],
  ])('is declined where %s', (_name, campaign, reason) => {
    expect(planned(task(), campaign).declined).toBe(reason);
  });

  test('is declined where neither it nor the play has a floor', () => {
    const { declined } = planned(task({ settings: {} }), aCampaign('cmp-low', 100, 10));
    expect(declined).toBe('facts unclear: cmp-low has no floor');
  });

  test("is measured over the play's window of reported days", () => {
    const low = aCampaign('cmp-low', 100, 0);
    const days = low.days.map((d, n) => (n === 6 ? { ...d, revenueMinor: 250 } : d));
    const oneDay = task({ settings: { floorPercent: 200, windowDays: 1 } });
    expect(planned(oneDay, { ...low, days }).declined).toBe('cmp-low returned 250%, its floor of 200% is met');
    expect(planned(task(), { ...low, days }).actions.map((a) => a.kind)).toEqual(['ads.pause_campaign']);
  });
});
