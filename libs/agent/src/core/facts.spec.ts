import { expect, test } from 'vitest';
import { aCampaign, aTask, at, contact, factsFor, profilesWith } from '../testing.js';
import { factsOf, neededProfiles, profileKeysOf } from './facts.js';

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
  ]);
  expect(profileKeysOf(aTask({ adAccountId: 'ads-2', contactIds: [] }))).toEqual(['account:acme', 'ad-account:ads-2']);
});

test('need the profile versions of a task and no other state', () => {
  expect(neededProfiles({ 'profile:contact:x': 3, 'consent:x': 1 })).toEqual([{ key: 'contact:x', version: 3 }]);
});

test('a setting of the wrong shape is named as the fault of the play', () => {
  const task = aTask({ settings: { bidStepPercent: 'a lot' }, dueAt: at });
  expect(factsOf(task, profilesWith([]), null)).toEqual({
    ok: false,
    says: expect.stringContaining("the play's setting bidStepPercent does not fit"),
  });
});
