import { type ActionSettled, derivedId } from '@countersign/contracts';
import { expect, test } from 'vitest';
import { weigh } from './permit.js';

const permit = { permitId: derivedId('permit'), executor: 'action-executor', digest: 'a'.repeat(64) };
const settled: ActionSettled = {
  ...permit,
  actionId: derivedId('action'),
  proposalId: derivedId('proposal'),
  connector: 'ads',
  outcome: 'executed',
  at: '2026-11-21T10:00:00.000Z',
};
const approved = { ...permit, approved: true };
const taken = { ...permit, approved: false };

test.each([
  ['agrees with the approval', approved, {}, { detail: 'counts' }],
  ['is of another executor', approved, { executor: 'downstream' }, { detail: 'set aside', reason: 'not its executor' }],
  [
    'is of another permit',
    approved,
    { permitId: derivedId('x') },
    { detail: 'set aside', reason: 'it is of another permit' },
  ],
  ['is of other bytes', approved, { digest: 'b'.repeat(64) }, { detail: 'set aside', reason: 'it is of other bytes' }],
  ['is read before the approval', undefined, {}, { detail: 'waits' }],
  ['goes on from what was taken before approvals were read', taken, {}, { detail: 'counts' }],
  ['is not of what was taken before approvals were read', taken, { executor: 'downstream' }, { detail: 'waits' }],
])('a settlement that %s', (_name, known, more, expected) => {
  expect(weigh(known, { ...settled, ...more })).toEqual(expected);
});
