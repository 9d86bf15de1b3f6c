import { expect, test } from 'vitest';
import { full } from '../../parts/times.js';
import { asSentence, doerWords, factsOf, rationaleOf, rulesOf, storySentence } from './words.js';

test('a line becomes a sentence', () => {
  expect(asSentence('refused: EUR 20.00 over the cap')).toBe('Refused: EUR 20.00 over the cap.');
  expect(asSentence('Done!')).toBe('Done!');
  expect(asSentence('signal ContentEngaged accepted, quality 98')).toBe(
    'A signal came in: content engaged (quality 98 of 100).',
  );
  expect(doerWords({ kind: 'source', name: '/sources/website' })).toBe('reported by website');
});

test('rules are told with those that decided first; what is no rule is left out', () => {
  const reasons = [
    { rule: 'shape', outcome: 'pass', detail: 'sound' },
    { rule: 'spend-cap', outcome: 'refuse', detail: 'over' },
    { rule: 7 },
    null,
  ];
  expect(rulesOf({ verdict: { reasons } }).map(({ rule }) => rule)).toEqual(['spend-cap', 'shape']);
  for (const other of [null, 'text', {}, { verdict: { reasons: 'x' } }]) expect(rulesOf(other)).toEqual([]);
});

test('facts are one a line, without what is told elsewhere, and end', () => {
  const value = {
    agent: 'paid-media-agent',
    verdict: { outcome: 'refused' },
    rationale: 'because',
    action: { payload: { fromCampaignId: 'c-1', isNew2: true }, list: [1, { deep: null }] },
    empty: '',
  };
  expect(factsOf(value).facts).toEqual([
    { name: 'agent', value: 'paid-media-agent' },
    { name: 'action › payload › from campaign id', value: 'c-1' },
    { name: 'action › payload › is new2', value: 'yes' },
    { name: 'action › list 1', value: '1' },
  ]);
  expect(rationaleOf(value)).toBe('because');
  const many = factsOf(Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`fact${n}`, n])));
  expect([many.facts.length, many.more]).toEqual([80, true]);
});

test('money beside its currency is money, and an instant is a time of the reader', () => {
  const at = '2026-12-01T00:03:41.707Z';
  const value = {
    at,
    action: { payload: { amountMinor: 130_000, currency: 'EUR', text: `not before ${at}` } },
    budgets: [{ dailyBudgetMinor: 500, currency: 'JPY' }],
    capMinor: 7,
    spend: { heldMinor: 5 },
    date: '2026-12-01',
    noDay: '2026-13-01T00:00:00Z',
  };
  expect(factsOf(value).facts).toEqual([
    { name: 'at', value: full(at) },
    { name: 'action › payload › amount', value: 'EUR 1,300.00' },
    { name: 'action › payload › currency', value: 'EUR' },
    { name: 'action › payload › text', value: `not before ${at}` },
    { name: 'budgets 1 › daily budget', value: 'JPY 500' },
    { name: 'budgets 1 › currency', value: 'JPY' },
    { name: 'cap minor', value: '7' },
    { name: 'spend › held minor', value: '5' },
    { name: 'date', value: '2026-12-01' },
    { name: 'no day', value: '2026-13-01T00:00:00Z' },
  ]);
  expect(full(at)).not.toContain('T00:03');
});

const director = {
  contactId: '365ef280-cd30-5487-b503-bd0ad8a2fbb5',
  seniority: 'director',
  jobFunction: 'operations',
  accountName: 'Orbit Logistics',
} as const;

test('a story of one person says whom it concerns, one of several does not', () => {
  const sentence = 'Send "Prices for [account name]" (sales) to a contact';
  const campaigns: [] = [];
  expect(storySentence({ sentence, campaigns, people: [director] })).toBe(
    'Send “Prices for Orbit Logistics” (sales) to a director (operations) of Orbit Logistics',
  );
  const people = [director, { ...director, contactId: 'another' }];
  expect(storySentence({ sentence, campaigns, people })).toBe('Send “Prices for Orbit Logistics” (sales) to a contact');
  expect(storySentence({ sentence, campaigns, people: [] })).toBe(
    'Send “Prices for [account name]” (sales) to a contact',
  );
});

test('a story calls its campaign by its name', () => {
  const campaigns = [{ campaignId: 'cmp-dach-video', name: 'Video, DACH' }];
  expect(storySentence({ sentence: 'Pause cmp-dach-video', campaigns, people: [] })).toBe('Pause Video, DACH');
});
