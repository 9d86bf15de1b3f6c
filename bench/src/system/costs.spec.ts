import { expect, test } from 'vitest';
import { costsOf, memoryOf } from './costs.js';
import type { Usage } from './usage.js';

const mega = 1024 * 1024;
const used = (at: number, cpu: Readonly<Record<string, number>>, count: number): Usage => ({
  at,
  processes: new Map(Object.entries(cpu).map(([name, cpuMs]) => [name, { cpuMs, rssBytes: 100 * mega }])),
  topicBytes: count * 1_000,
  databaseBytes: count * 2_000,
  walBytes: count * 3_000,
  transactions: count * 4,
  asked: new Map([
    ['console', { statements: count * 5, commits: count }],
    ['orchestrator', { statements: count * 10, commits: count * 2 }],
  ]),
});
const values = (figures: readonly { id: string; value: number }[]) =>
  Object.fromEntries(figures.map(({ id, value }) => [id, value]));

test('under a load everything is divided by the actions', () => {
  const before = used(0, { console: 100, kafka: 1_000, postgres: 0 }, 10);
  const after = used(5_000, { console: 300, kafka: 1_500, postgres: 100 }, 110);
  expect(values(costsOf({ load: '10', before, after, actions: 50 }))).toEqual({
    'f.cpu.all@10': 16,
    'f.cpu@10': 4,
    'f.cpu.console@10': 4,
    'f.cpu.kafka@10': 10,
    'f.cpu.postgres@10': 2,
    'f.transactions@10': 8,
    'f.statements@10': 30,
    'f.bytes.topics@10': 2_000,
    'f.bytes.database@10': 4_000,
    'f.bytes.wal@10': 6_000,
  });
});

test('at rest everything is divided by the seconds, and processor time is a share of one core', () => {
  const before = used(1_000, { console: 100, kafka: 1_000 }, 0);
  const after = used(11_000, { console: 300, kafka: 2_000 }, 20);
  const figures = costsOf({ load: 'rest', before, after });
  expect(values(figures)).toMatchObject({ 'f.cpu@rest': 2, 'f.cpu.kafka@rest': 10, 'f.transactions@rest': 8 });
  expect(figures.find(({ id }) => id === 'f.cpu.all@rest')).toMatchObject({ value: 12, unit: '% of a core' });
  expect(figures.find(({ id }) => id === 'f.bytes.wal@rest')).toMatchObject({ value: 6_000, unit: 'B/s' });
});

test('the saturating load has the ids and the floors that it always had', () => {
  const figures = costsOf({
    load: 'full',
    before: used(0, { console: 0 }, 0),
    after: used(1, { console: 10 }, 1),
    actions: 1,
  });
  expect(figures.find(({ id }) => id === 'f.cpu')).toMatchObject({ value: 10, floor: 'f1.cpu' });
  expect(figures.find(({ id }) => id === 'f.bytes.wal')).toMatchObject({ floor: 'f2.bytes.wal' });
});

test('a count is told by login, the largest share first, and a login that asked nothing is left out', () => {
  const before = used(0, {}, 0);
  const after = {
    ...used(1, {}, 10),
    asked: new Map([...(used(1, {}, 10).asked ?? []), ['idle', { statements: 0, commits: 0 }]]),
  };
  const figures = costsOf({ load: '1', before, after, actions: 5 });
  expect(figures.find(({ id }) => id === 'f.statements@1')?.note).toBe('sent by orchestrator 20.0, console 10.0');
  expect(figures.find(({ id }) => id === 'f.transactions@1')?.note).toBe(
    'begun and committed by orchestrator 4.0, console 2.0',
  );
});

test('where the database does not count statements there is no figure of them', () => {
  const without = (at: number): Usage => ({ ...used(at, { console: 0 }, at), asked: undefined });
  const ids = costsOf({ load: '10', before: without(0), after: without(10), actions: 1 }).map(({ id }) => id);
  expect(ids).toContain('f.transactions@10');
  expect(ids).not.toContain('f.statements@10');
});

test('memory is told of all services together, without the servers, and of each process', () => {
  const figures = memoryOf(used(0, { console: 0, orchestrator: 0, kafka: 0 }, 0), 'rest', 'at rest');
  expect(values(figures)).toEqual({
    'f.memory@rest': 200,
    'f.memory.console@rest': 100,
    'f.memory.orchestrator@rest': 100,
    'f.memory.kafka@rest': 100,
  });
  expect(memoryOf(used(0, {}, 0), 'rest', 'at rest')).toEqual([]);
});
