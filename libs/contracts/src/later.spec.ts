import { expect, test } from 'vitest';
import { compareStatements, type Statement } from './later.js';

const first: Statement = { source: '/sources/a', signalId: 'a', occurredAt: '2026-11-21T10:00:00.000Z' };

test.each([
  ['its own time', { ...first, source: '/', signalId: '', occurredAt: '2026-11-21T10:00:00.001Z' }],
  ['its source, where both are of one time', { ...first, source: '/sources/b', signalId: '' }],
  ['its id, where both are of one time and source', { ...first, signalId: 'b' }],
])('a statement is later by %s', (_by, later) => {
  expect([compareStatements(later, first) > 0, compareStatements(first, later) < 0]).toEqual([true, true]);
});

test('only the same signal is neither earlier nor later', () => {
  expect(compareStatements(first, { ...first })).toBe(0);
});

test('ids are compared by their bytes, as the database compares them', () => {
  const [sign, emoji] = ['\uffee', '😀'].map((signalId) => ({ ...first, signalId })) as [Statement, Statement];
  expect(compareStatements(emoji, sign)).toBeGreaterThan(0);
});
