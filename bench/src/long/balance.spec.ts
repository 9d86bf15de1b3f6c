import { expect, test } from 'vitest';
import { type Audit, faultsOf } from './balance.js';

const audit = (more: Partial<Audit> = {}): Audit => ({
  ok: true,
  invariants: [
    { invariant: 'once', checked: 5 },
    { invariant: 'nothing-lost', checked: 50 },
  ],
  violations: [],
  waiting: [],
  counts: {
    accepted: 10,
    tasks: 5,
    proposals: 5,
    approvals: 5,
    refusals: 0,
    settlements: 5,
    executed: 5,
    deadLetters: 0,
  },
  ...more,
});
const effects = { done: 5, rejected: 0 };

test('if each signal led to one action and one effect, and every invariant holds, nothing is wrong', () => {
  expect(faultsOf(5, audit(), effects)).toEqual([]);
});

test('each broken invariant is named, with how often and its first finding', () => {
  const violation = (id: string) => ({ invariant: 'once', ids: [id], detail: 'it has two ends' });
  expect(faultsOf(5, audit({ ok: false, violations: [violation('p-1'), violation('p-2')] }), effects)).toEqual([
    'the invariant once is broken 2 times; the first: it has two ends (p-1)',
  ]);
});

test('what still waits when nothing runs any more is lost, and an invariant that could not be checked is not held', () => {
  const waiting = [{ what: 'task', id: 't-1', for: 'sequencing-agent' }];
  expect(faultsOf(5, audit({ waiting }), effects)).toEqual([
    '1 steps still wait; the first: task t-1 for sequencing-agent',
  ]);
  const invariants = [{ invariant: 'record', checked: 0, note: 'the record does not answer' }];
  expect(faultsOf(5, audit({ invariants }), effects)).toEqual([
    'the invariant record could not be checked in full: the record does not answer',
  ]);
});

test('one action too few and one effect too many are named', () => {
  const counts = { ...audit().counts, executed: 4 };
  expect(faultsOf(5, audit({ counts }), { done: 6, rejected: 1 })).toEqual([
    'executed: 4 in place of 5',
    'effects in the CRM: 6 in place of 5',
    'calls that the CRM refused: 1 in place of 0',
  ]);
});
