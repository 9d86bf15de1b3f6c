import { expect, test } from 'vitest';
import { type Inspection, InspectionEnd, shownAsOpen, silentMs, stateOfInspection } from './inspection.js';

const at = '2026-11-21T10:00:00.000Z';
const after = (ms: number) => new Date(Date.parse(at) + ms).toISOString();
const open: Inspection = {
  inspectionId: 'f2b7c1de-6a14-4d0b-8a0f-5b8e3c9d7a21',
  kind: 'invariants',
  by: 'lea',
  startedAt: at,
  heardAt: at,
  progress: null,
  end: null,
};
const ended = (endedAt: string): Inspection => ({ ...open, end: { at: endedAt, outcome: 'clean', checks: [] } });

test('a command that reported lately runs; one that has not for a while is silent; what ended is what it came to', () => {
  expect(stateOfInspection(open, after(silentMs - 1))).toBe('running');
  expect(stateOfInspection(open, after(silentMs))).toBe('silent');
  expect(stateOfInspection(ended(at), after(silentMs * 100))).toBe('clean');
});

test('one that died is shown until a later one has ended; one that runs is always shown', () => {
  expect(shownAsOpen(open, undefined, after(silentMs))).toBe(true);
  expect(shownAsOpen(open, ended(after(-1)), after(silentMs))).toBe(true);
  expect(shownAsOpen(open, ended(after(1)), after(silentMs))).toBe(false);
  expect(shownAsOpen(open, ended(after(1)), after(2))).toBe(true);
  expect(shownAsOpen(undefined, ended(at), at)).toBe(false);
});

const check = { name: 'once', detail: 'nothing twice', checked: 3, findings: 0 };
test.each([
  ['clean', [check], true],
  ['clean', [], false],
  ['clean', [{ ...check, findings: 1 }], false],
  ['findings', [check, { ...check, findings: 2 }], true],
  ['findings', [check], false],
  ['broken', [], true],
  ['broken', [{ ...check, findings: 1 }], true],
] as const)('an end that says %s with the checks %j is taken: %s', (outcome, checks, isTaken) => {
  expect(InspectionEnd.safeParse({ outcome, checks }).success).toBe(isTaken);
});
