import { rejectionCodes } from '@countersign/contracts';
import { expect, test } from 'vitest';
import { rejectionWords } from './rejections.js';
import { type NamedSource, nameOfSource, sourcesHealth } from './sources.js';
import { touchState } from './touch.js';

const sources: NamedSource[] = [
  { name: 'website', via: 'http', source: '/sources/website' },
  { name: 'crm', via: 'http', source: '/sources/crm' },
];

test('a signal counts under the source that its own one begins with, and under no source that only sounds like it', () => {
  expect(nameOfSource(sources, '/sources/crm')).toBe('crm');
  expect(nameOfSource(sources, '/sources/crm/emea')).toBe('crm');
  expect(nameOfSource(sources, '/sources/crm-old')).toBe('/sources/crm-old');
});

test('a source that was never heard is listed, one that is quiet says since when, one that is mostly rejected is told', () => {
  const counts = [
    { source: 'website', outcome: 'accepted', hour: 1, day: 40 },
    { source: 'website', outcome: 'contract', hour: 2, day: 2 },
    { source: 'website', outcome: 'duplicate', hour: 0, day: 5 },
  ];
  const at = '2026-11-20T10:00:00.000Z';
  const health = sourcesHealth([...sources, { name: 'ads', via: 'http', source: '/sources/ads' }], counts, [
    { source: 'website', acceptedAt: at, rejectedAt: at },
    { source: 'crm', acceptedAt: at, rejectedAt: null },
    { source: 'gone', acceptedAt: null, rejectedAt: at },
  ]);
  expect(health.map(({ name, state, via }) => [name, state, via])).toEqual([
    ['website', 'rejected', 'http'],
    ['crm', 'quiet', 'http'],
    ['ads', 'never', 'http'],
    ['gone', 'quiet', null],
  ]);
  expect(health[0]).toMatchObject({
    lastHour: { accepted: 1, rejected: 2 },
    lastDay: { accepted: 40, rejected: 7 },
    rejectedBy: [
      { code: 'duplicate', n: 5 },
      { code: 'contract', n: 2 },
    ],
  });
});

test('every reason has its own words; one of another version is told what holds for any', () => {
  const titles = rejectionCodes.map((code) => rejectionWords(code).title);
  expect(new Set(titles).size).toBe(rejectionCodes.length);
  for (const code of rejectionCodes) expect(rejectionWords(code).change.length).toBeGreaterThan(40);
  for (const code of ['constructor', 'of-tomorrow']) expect(rejectionWords(code).title).toBe('The signal was rejected');
});

test("what became of an action is the executor's word after the validator's", () => {
  const verdict = (outcome: 'approved' | 'refused', rule = 'spend-cap', supersededBy: string | null = null) => ({
    verdict: { outcome, supersededBy, reasons: outcome === 'refused' ? [{ rule, detail: '' }] : [] },
  });
  expect(touchState({ verdict: undefined, settled: 'executed' })).toBe('waiting');
  expect(touchState({ ...verdict('refused'), settled: undefined })).toBe('refused');
  expect(touchState({ ...verdict('refused', 'review-deadline'), settled: undefined })).toBe('expired-review');
  expect(touchState({ ...verdict('refused', 'superseded', 'x'), settled: undefined })).toBe('replaced');
  expect(touchState({ ...verdict('approved'), settled: undefined })).toBe('approved');
  expect(touchState({ ...verdict('approved'), settled: 'executed' })).toBe('executed');
  expect(touchState({ ...verdict('approved'), settled: 'refused' })).toBe('refused-late');
});
