import { actionKinds } from '@countersign/contracts';
import { expect, test } from 'vitest';
import { type Campaign, runOnCampaigns } from './ads.js';
import type { ActionCall } from './call.js';

const campaign = (more: Partial<Campaign> = {}): Campaign => ({
  campaignId: 'c-1',
  adAccountId: 'ads-1',
  status: 'active',
  dailyBudgetMinor: 10_000,
  bidMinor: 200,
  currency: 'EUR',
  creatives: [],
  ...more,
});
const two = [campaign(), campaign({ campaignId: 'c-2', dailyBudgetMinor: 5_000 })];
const action = (kind: string, payload: Record<string, unknown>): ActionCall => ({
  kind,
  payload: { adAccountId: 'ads-1', ...payload },
});
const shift = { fromCampaignId: 'c-1', toCampaignId: 'c-2', amountMinor: 2_500, currency: 'EUR' };

test('a shift moves the amount and leaves the total as it was', () => {
  const { answer, changed } = runOnCampaigns(action('ads.shift_budget', shift), two);
  expect(changed.map((c) => c.dailyBudgetMinor)).toEqual([7_500, 7_500]);
  expect(answer).toEqual({
    outcome: 'done',
    reference: 'campaign/c-1+c-2',
    before: { dailyBudgetMinor: { 'c-1': 10_000, 'c-2': 5_000 }, currency: 'EUR' },
    after: { dailyBudgetMinor: { 'c-1': 7_500, 'c-2': 7_500 }, currency: 'EUR' },
  });
});

test.each<[string, ActionCall, string]>([
  ['more than there is', action('ads.shift_budget', { ...shift, amountMinor: 10_001 }), 'budget-too-small'],
  ['a campaign to itself', action('ads.shift_budget', { ...shift, toCampaignId: 'c-1' }), 'same-campaign'],
  ['an unknown campaign', action('ads.pause_campaign', { campaignId: 'c-9' }), 'no-such-campaign'],
  [
    'a campaign of another ad account',
    action('ads.pause_campaign', { adAccountId: 'ads-2', campaignId: 'c-1' }),
    'no-such-campaign',
  ],
  ['another currency', action('ads.set_bid', { campaignId: 'c-1', bidMinor: 1, currency: 'USD' }), 'wrong-currency'],
  ['a kind of another system', action('crm.create_task', { title: 'call' }), 'unknown-kind'],
])('refuses %s and changes nothing', (_name, given, code) => {
  expect(runOnCampaigns(given, two)).toMatchObject({ answer: { outcome: 'rejected', reason: { code } }, changed: [] });
});

test('what was before a pause is what the compensating kind needs', () => {
  const pause = action('ads.pause_campaign', { campaignId: 'c-1' });
  const { answer, changed } = runOnCampaigns(pause, two);
  expect(changed).toEqual([campaign({ status: 'paused' })]);
  const { reversibility } = actionKinds['ads.pause_campaign'];
  const back =
    reversibility.reversible && answer.outcome === 'done'
      ? reversibility.compensate({ adAccountId: 'ads-1', campaignId: 'c-1' }, answer.before)
      : undefined;
  const payload = actionKinds['ads.resume_campaign'].payload.parse(back);
  expect(runOnCampaigns(action('ads.resume_campaign', payload), changed).changed).toEqual([campaign()]);
});

test('a bid is set, and the one before is kept for its undoing', () => {
  const { answer, changed } = runOnCampaigns(
    action('ads.set_bid', { campaignId: 'c-1', bidMinor: 150, currency: 'EUR' }),
    two,
  );
  expect(changed).toEqual([campaign({ bidMinor: 150 })]);
  expect(answer).toMatchObject({ before: { bidMinor: 200 }, after: { bidMinor: 150 } });
});

test('a creative is published once', () => {
  const publish = action('ads.publish_creative', { campaignId: 'c-1', creativeId: 'cr-1' });
  const { changed } = runOnCampaigns(publish, two);
  expect(changed).toEqual([campaign({ creatives: ['cr-1'] })]);
  expect(runOnCampaigns(publish, changed).answer).toMatchObject({ reason: { code: 'already-published' } });
});
