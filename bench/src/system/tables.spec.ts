import { expect, test } from 'vitest';
import { bySchema } from './tables.js';

test('a schema has the bytes and the rows of its tables', () => {
  const tables = [
    { schema: 'console', table: 'stories', bytes: 10, rows: 1 },
    { schema: 'console', table: 'reviews', bytes: 20, rows: 2 },
    { schema: 'orchestrator', table: 'runs', bytes: 5, rows: 3 },
  ];
  expect([...bySchema(tables)]).toEqual([
    ['console', { bytes: 30, rows: 3 }],
    ['orchestrator', { bytes: 5, rows: 3 }],
  ]);
});

test('if the rows of a table were not counted, those of its schema are unknown', () => {
  const tables = [
    { schema: 'console', table: 'stories', bytes: 10, rows: undefined },
    { schema: 'console', table: 'reviews', bytes: 20, rows: 2 },
  ];
  expect(bySchema(tables).get('console')).toEqual({ bytes: 30, rows: undefined });
});
