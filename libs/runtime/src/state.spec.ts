import { toBinary, topicNamed, topology } from '@countersign/contracts';
import { expect, test } from 'vitest';
import { isBehind } from './state.js';

const controls = topicNamed('controls.v1', topology());
const record = (version: number, more: object = {}) => {
  const { headers, value } = toBinary({
    id: `control-${version}`,
    source: controls.source,
    type: 'ControlChanged',
    time: '2026-11-21T10:00:00.000Z',
    data: {
      scope: 'all',
      version,
      changedAt: '2026-11-21T10:00:00.000Z',
      state: 'stopped',
      by: 'lea',
      reason: 'r',
      ...more,
    },
  });
  return { partition: 0, offset: '1', key: Buffer.from('all'), headers, value: Buffer.from(value) };
};
const row = (version: number) => ({ version, value: record(version).value.toString() });

test('the last record of a key is behind where the table has a newer version, and only there', () => {
  expect(isBehind(controls, row(3), record(2))).toBe(true);
  expect(isBehind(controls, row(3), record(3))).toBe(false);
  expect(isBehind(controls, row(3), record(4))).toBe(false);
});

test('an unreadable last record is behind, and so is a tombstone', () => {
  expect(isBehind(controls, row(3), { ...record(3), value: Buffer.from('{') })).toBe(true);
  expect(isBehind(controls, row(3), { ...record(3), value: null })).toBe(true);
});

test('the table’s own bytes are never behind, even where a stricter contract refuses them: the repair ends', () => {
  const own = record(3, { state: 'no longer a state' });
  expect(isBehind(controls, { version: 3, value: own.value.toString() }, own)).toBe(false);
});
