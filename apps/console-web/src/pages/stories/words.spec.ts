import { expect, test } from 'vitest';
import { asSentence, factsOf, rationaleOf, rulesOf } from './words.js';

test('a line becomes a sentence', () => {
  expect(asSentence('refused: EUR 20.00 over the cap')).toBe('Refused: EUR 20.00 over the cap.');
  expect(asSentence('Done!')).toBe('Done!');
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
