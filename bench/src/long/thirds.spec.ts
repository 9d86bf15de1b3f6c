import { expect, test } from 'vitest';
import { cutsOf, type Sample, thirdsOf } from './thirds.js';

/** A sample a minute: 60 actions, 6 CPU-ms and 120 bytes for each action, and a level. */
const sample = (minute: number, level: number, more: Partial<Sample> = {}): Sample => ({
  at: minute * 60_000,
  settled: minute * 60,
  readings: [
    { id: 'cpu', what: 'processor time', unit: 'CPU-ms', per: 'action', value: minute * 360 },
    { id: 'memory', what: 'memory', unit: 'MB', per: 'moment', value: level },
  ],
  ...more,
});
const values = (samples: readonly Sample[]) =>
  thirdsOf(samples).map(({ name, figures }) => [name, Object.fromEntries(figures.map(({ id, value }) => [id, value]))]);

test('a third has the median of what is true at a moment, and what was used, divided by its actions', () => {
  const levels = [1, 10, 12, 500, 600, 700, 20, 22, 24, 1_000];
  expect(values(levels.map((level, minute) => sample(minute, level)))).toEqual([
    ['first third', { rate: 1, cpu: 6, memory: 12 }],
    ['second third', { rate: 1, cpu: 6, memory: 600 }],
    ['last third', { rate: 1, cpu: 6, memory: 24 }],
  ]);
});

test('what only some samples have is used where a third begins and ends with it', () => {
  const rows = (value: number) => ({ id: 'rows', what: 'rows', unit: '', per: 'action' as const, value });
  const samples = [0, 1, 2, 3].map((minute) => {
    const plain = sample(minute, 1);
    return minute < 2 ? { ...plain, readings: [...plain.readings, rows(minute * 600)] } : plain;
  });
  expect(values(samples).map(([, figures]) => (figures as Record<string, number>).rows)).toEqual([
    10,
    undefined,
    undefined,
  ]);
});

test('a third in which nothing was settled has no cost per action', () => {
  const samples = [0, 1, 2, 3].map((minute) => sample(minute, 1, { settled: 0 }));
  expect(values(samples)[0]).toEqual(['first third', { rate: 0, memory: 1 }]);
});

test('a run of less than three samples after the first has no thirds', () => {
  expect(thirdsOf([sample(0, 1), sample(1, 1), sample(2, 1)])).toEqual([]);
  expect(thirdsOf([])).toEqual([]);
});

test('the cuts between thirds are the first sample, the last one and two between them', () => {
  expect(cutsOf(120)).toEqual([0, 40, 80, 120]);
  expect(cutsOf(4)).toEqual([0, 1, 3, 4]);
});
