import { expect, test } from 'vitest';
import type { Figure } from './figure.js';
import { quantity, type Report, rowsOf, table } from './report.js';

const floor: Figure = { id: 'f2.rate', what: 'one durable hop', value: 8800, unit: '/s' };
const half = {
  text: 'half of F2',
  met: (value: number, floor?: number) => (floor === undefined ? undefined : value >= floor / 2),
};
const ours: Figure = {
  id: 'a.rate',
  what: 'verdicts',
  value: 4000,
  unit: '/s',
  floor: 'f2.rate',
  aim: half,
  note: 'all rules',
};
const stop: Figure = {
  id: 'd.p99',
  what: 'stop',
  value: 120.4,
  unit: 'ms',
  aim: { text: '< 500 ms', met: (value) => value < 500 },
};
const machine = {
  processor: 'A processor',
  cores: 2,
  memoryGb: 8,
  node: '24.1.0',
  kafka: '4.3.1',
  postgres: '18.4',
  commit: 'abc1234',
  loadBefore: 0.1,
  date: '2026-11-21',
};
const report = (figures: readonly Figure[], more: Partial<Report> = {}): Report => ({
  machine,
  quick: false,
  seconds: 61.4,
  figures: rowsOf(figures),
  problems: [],
  ...more,
});

test('a figure stands beside its floor, with their ratio, wherever the floor was measured', () => {
  const [, row] = rowsOf([floor, ours]);
  expect(row).toMatchObject({ floor: { id: 'f2.rate', value: 8800 }, aim: { text: 'half of F2', met: false } });
  expect(row?.ratio).toBeCloseTo(0.4545, 4);
  expect(rowsOf([ours, floor])[0]?.ratio).toBeCloseTo(0.4545, 4);
});

test('an aim at a floor that was not measured is neither met nor missed', () => {
  const [row] = rowsOf([ours]);
  expect(row).not.toHaveProperty('ratio');
  expect(row?.aim).toEqual({ text: 'half of F2' });
  expect(table(report([ours]))).toMatch(/half of F2 +floor not measured/);
});

test('an aim of its own needs no floor', () => {
  expect(rowsOf([stop])[0]?.aim).toEqual({ text: '< 500 ms', met: true });
});

test('the table has a line for each figure, its columns aligned, notes and machine below', () => {
  expect(table(report([floor, ours, stop]))).toBe(
    [
      'id       what               figure     floor   ratio  aim',
      '-------  ---------------  --------  --------  ------  ----------  ------',
      'f2.rate  one durable hop  8,800 /s',
      'a.rate   verdicts         4,000 /s  8,800 /s  0.45 ×  half of F2  MISSED',
      'd.p99    stop               120 ms                    < 500 ms    met',
      'a.rate: all rules',
      '',
      'A processor, 2 cores, 8 GB; Node 24.1.0, Kafka 4.3.1, Postgres 18.4; commit abc1234; load before 0.1; 2026-11-21, 61 s',
      '',
    ].join('\n'),
  );
});

test('a quick run says so, and problems end the table', () => {
  const text = table(report([floor], { quick: true, problems: ['b: 2 of 100 signals settled twice'] }));
  expect(text).toMatch(/^A quick run: .*not to be quoted/);
  expect(text).toMatch(/\nPROBLEM: b: 2 of 100 signals settled twice\n$/);
});

test('where nothing was measured the table is left out', () => {
  expect(table(report([], { problems: ['f1: no broker'] }))).not.toContain('figure');
});

test.each([
  [0, '0'],
  [0.01234, '0.0123'],
  [1.234, '1.23'],
  [45.64, '45.6'],
  [100.4, '100'],
  [12_345.6, '12,346'],
])('%d is written as %s', (value, text) => {
  expect(quantity(value)).toBe(text);
});
