import picocolors from 'picocolors';
import { expect, test } from 'vitest';
import { stepsText, storiesText } from './stories-text.js';
import { seenText } from './watch.js';

const plain = picocolors.createColors(false);
const at = '2026-11-21T10:00:00.000Z';
const story = {
  ...{ id: 'p-1', sentence: 'pause c-1', outcome: 'refused', reason: 'over the cap of campaign c-1' },
  ...{ agent: 'paid-media-agent', startedAt: at, campaigns: [{ campaignId: 'c-1', name: 'Search, DACH' }] },
};
const named = 'pause Search, DACH (c-1)';

test('stories and their steps have the names of campaigns', () => {
  expect(storiesText(plain, { stories: [story], chains: [], next: null, incomplete: false })).toContain(
    `${named}: over the cap of campaign Search, DACH (c-1)`,
  );
  const step = {
    ...{ id: 1, provable: true, type: 'ActionProposed', at, detail: 'pause c-1', by: { name: 'paid-media-agent' } },
    ...{ topic: 't', partition: 0, offset: '1' },
  };
  const text = stepsText(plain, { story, steps: [step], more: false, complete: true });
  expect(text).toContain(`${named} (refused)\nover the cap of campaign Search, DACH (c-1)\n`);
  expect(text).toMatch(/10:00:00Z +pause Search, DACH \(c-1\) +paid-media-agent/);
});

test('what is watched has names for people, and keeps its ids for programs', () => {
  const row = { what: 'control' as const, id: 'account:acme', state: 'stopped', detail: 'by lea: x' };
  expect(seenText(plain, at, { ...row, name: 'Acme' })).toMatch(/by lea: x {2}the account “Acme” \(acme\)$/);
  expect(seenText(plain, at, { ...row, name: null })).toMatch(/account:acme$/);
  expect(seenText(plain, at, { ...row, what: 'story', id: 'p-1', detail: 'pause c-1', named })).toContain(named);
});
