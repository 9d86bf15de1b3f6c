import { expect, test } from 'vitest';
import { changedParts } from './live.js';

const compare = (before: Record<string, string>, now: Record<string, string>) =>
  changedParts(new Map(Object.entries(before)), new Map(Object.entries(now)));

test('tells the parts that show what changed, each once, and nothing where nothing did', () => {
  const before = { 'counts verdicts': '3', 'own controls.v1': '1 1', 'counts reviews': '2' };
  expect(compare(before, { ...before })).toEqual([]);
  expect(compare(before, { ...before, 'own controls.v1': '1 2' })).toEqual([
    ...['funnel', 'reviews', 'facts', 'controls', 'agents', 'plays'],
  ]);
  expect(compare(before, { ...before, consents: '2026-11-21' })).toEqual(['facts', 'people']);
  // A rejected checkpoint ends a run.
  expect(compare(before, { ...before, answers: '2026-11-21' })).toEqual(['funnel', 'reviews', 'plays']);
  expect(compare(before, { ...before, 'counts reviews': '3' })).toContain('plays');
  // Tasks that go out, or never do, are the result of an answer to a checkpoint.
  expect(compare({ 'counts tasks': '1' }, { 'counts tasks': '2' })).toContain('reviews');
  expect(compare(before, { ...before, 'counts verdicts': '4', 'counts reviews': '3' })).toEqual([
    ...['funnel', 'reviews', 'facts', 'stories', 'agents', 'plays', 'people'],
  ]);
});

test('what was never seen before, or is gone, is a change', () => {
  expect(compare({}, { 'counts record': '1' })).toEqual(['record']);
  expect(compare({ 'counts record': '1' }, {})).toEqual(['record']);
  expect(compare({}, { 'counts something new': '1' })).toEqual(['stories']);
});
