import { expect, test } from 'vitest';
import { aCampaign, aTask, at, contact, factsFor, profilesWith } from '../testing.js';
import { factsOf, neededProfiles, plannedFrom, profileKeysOf } from './facts.js';

test('hold no name and no other free text from outside', () => {
  const facts = factsFor(aTask(), [aCampaign('cmp-a', 100, 100)]);
  expect(facts.account?.tier).toBe(1);
  expect(facts.contacts).toHaveLength(3);
  expect(facts.adAccount?.campaigns).toHaveLength(1);
  expect(JSON.stringify(facts)).not.toMatch(/ignore/i);
});

test('carry the higher of the version that was read and the one the task was made from', () => {
  const task = aTask({ madeFrom: { 'profile:account:acme': 9, 'profile:ad-account:ads-1': 1, 'consent:x': 4 } });
  const facts = factsFor(task);
  expect(facts.madeFrom).toMatchObject({
    'profile:account:acme': 9,
    'profile:ad-account:ads-1': 7,
    [`profile:contact:${contact(2)}`]: 2,
    'consent:x': 4,
  });
  expect(facts.behind).toEqual(['profile:account:acme']);
});

test('are of the account, the contacts, and the ad account that the task or its settings name', () => {
  expect(profileKeysOf(aTask())).toEqual([
    'account:acme',
    ...[1, 2, 3].map((n) => `contact:${contact(n)}`),
    'ad-account:ads-1',
    'campaign:ads-1 cmp-a',
  ]);
  const { accountId: _none, ...about } = aTask({ adAccountId: 'ads-2', campaignId: 'cmp-b', contactIds: [] });
  expect(profileKeysOf(about)).toEqual(['ad-account:ads-2', 'campaign:ads-2 cmp-b']);
});

test('hold the campaigns of the ad account in the order of their ids, each as its own profile has it, else as the ad account kept it', () => {
  const inside = [aCampaign('cmp-a', 1, 1, { dailyBudgetMinor: 1 }), aCampaign('cmp-b', 1, 1, { dailyBudgetMinor: 2 })];
  const own = [aCampaign('cmp-c', 1, 1, { dailyBudgetMinor: 30 }), aCampaign('cmp-a', 1, 1, { dailyBudgetMinor: 10 })];
  const profiles = profilesWith(own, inside);
  const foreign = { ...profiles.get('campaign:ads-1 cmp-a')?.data, adAccountId: 'ads-2', campaignId: 'cmp-d' };
  profiles.set('campaign:ads-2 cmp-d', { version: 1, data: foreign as never });
  const read = factsOf(aTask(), profiles, null);
  const campaigns = read.ok ? read.facts.adAccount?.campaigns : [];
  expect(campaigns?.map((c) => [c.campaignId, c.dailyBudgetMinor])).toEqual([
    ['cmp-a', 10],
    ['cmp-b', 2],
    ['cmp-c', 30],
  ]);
});

test('of the campaigns a proposal was made from those that its plan names, and that of the task', () => {
  const facts = factsFor(
    aTask(),
    ['cmp-a', 'cmp-b', 'cmp-c', 'cmp-d'].map((id) => aCampaign(id, 1, 1)),
  );
  const payload = {
    adAccountId: 'ads-1',
    fromCampaignId: 'cmp-b',
    toCampaignId: 'cmp-c',
    amountMinor: 1,
    currency: 'EUR',
  };
  const draft = { kind: 'ads.shift_budget', payload };
  const { madeFrom } = plannedFrom({ proposals: [draft] }, facts);
  const campaigns = Object.entries(madeFrom).filter(([name]) => name.startsWith('profile:campaign:'));
  expect(campaigns.sort()).toEqual(['cmp-a', 'cmp-b', 'cmp-c'].map((id) => [`profile:campaign:ads-1 ${id}`, 5]));
});

test('need the profile versions of a task and no other state', () => {
  expect(neededProfiles({ 'profile:contact:x': 3, 'consent:x': 1 })).toEqual([{ key: 'contact:x', version: 3 }]);
});

test('a setting of the wrong shape is named as the fault of the play', () => {
  const task = aTask({ settings: { bidStepPercent: 'a lot' }, dueAt: at });
  expect(factsOf(task, profilesWith([]), null)).toEqual({
    ok: false,
    detail: expect.stringContaining("the play's setting bidStepPercent does not fit"),
  });
});
