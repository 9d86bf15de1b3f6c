import { expect, test } from 'vitest';
import { compared, comparisonTable, orderOf } from './compared.js';
import type { Row } from './report.js';

const row = (id: string, value: number, unit = 'ms'): Row => ({ id, what: `what ${id} is`, value, unit });
const machine = {
  processor: 'A processor',
  cores: 2,
  memoryGb: 8,
  node: '24.1.0',
  kafka: '4.3.1',
  postgres: '18.4',
  commit: 'new1234',
  loadBefore: 0.1,
  date: '2026-11-30',
};

test('each build is measured first in turn', () => {
  expect([0, 1, 2, 3].map((pair) => orderOf(pair)[0])).toEqual(['current', 'other', 'current', 'other']);
  for (const pair of [0, 1]) expect([...orderOf(pair)].sort()).toEqual(['current', 'other']);
});

test('a ratio is of one pair, never of a figure of one pair and a figure of another', () => {
  const figures = compared([
    { current: [row('b.p50', 10)], other: [row('b.p50', 20)] },
    { current: [row('b.p50', 40)], other: [row('b.p50', 50)] },
    { current: [row('b.p50', 30)], other: [row('b.p50', 100)] },
  ]);
  expect(figures).toEqual([
    {
      id: 'b.p50',
      what: 'what b.p50 is',
      unit: 'ms',
      pairs: 3,
      current: { min: 10, median: 30, max: 40 },
      other: { min: 20, median: 50, max: 100 },
      ratio: { min: 0.3, median: 0.5, max: 0.8 },
    },
  ]);
});

test('what only one build measures, or in another unit, is left out', () => {
  const pairs = [
    { current: [row('new', 1), row('both', 1), row('unit', 1)], other: [row('both', 2), row('unit', 2, 's')] },
  ];
  expect(compared(pairs).map(({ id }) => id)).toEqual(['both']);
});

test('a figure that failed once counts in the other pairs', () => {
  const [figure] = compared([
    { current: [row('a', 1)], other: [row('a', 2)] },
    { current: [row('a', 3)], other: [] },
  ]);
  expect(figure).toMatchObject({ pairs: 1, ratio: { min: 0.5, median: 0.5, max: 0.5 } });
});

test('there is no ratio to nothing', () => {
  expect(compared([{ current: [row('a', 1)], other: [row('a', 0)] }])[0]).not.toHaveProperty('ratio');
});

test('the table names both builds, and says how a ratio is made', () => {
  const pairs = [{ current: [row('f.cpu@10', 40, 'CPU-ms')], other: [row('f.cpu@10', 120, 'CPU-ms')] }];
  const text = comparisonTable({
    machine,
    against: 'old1234',
    quick: false,
    seconds: 60,
    figures: compared(pairs),
    pairs,
    problems: ['f: nothing'],
  });
  expect(text).toMatch(/^id +what +new1234 +old1234 +ratio: min +median +max$/m);
  expect(text).toMatch(/^f\.cpu@10 +what f\.cpu@10 is +40 CPU-ms +120 CPU-ms +0\.33 × +0\.33 × +0\.33 ×$/m);
  expect(text).toContain(
    '1 pair, the builds in turn; figures are medians; a ratio is new1234 divided by old1234, of one pair',
  );
  expect(text).toMatch(/\nPROBLEM: f: nothing\n$/);
});
