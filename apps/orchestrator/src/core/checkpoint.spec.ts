import { derivedId, type ReviewDecided } from '@countersign/contracts';
import { expect, test } from 'vitest';
import { redated } from './begin.js';
import { answerCheckpoint, type Checkpoint } from './checkpoint.js';
import { now } from './testing.js';

const checkpoint: Checkpoint = {
  checkpointId: derivedId('checkpoint', 'x'),
  digest: 'a'.repeat(64),
  reviewers: ['lea'],
  deadline: '2026-03-10T13:00:00.000Z',
  answer: null,
};
const review = (given: Partial<ReviewDecided> = {}): ReviewDecided => ({
  reviewId: derivedId('review', 1),
  subject: { kind: 'checkpoint', id: checkpoint.checkpointId },
  digest: checkpoint.digest,
  decision: 'approve',
  by: 'lea',
  at: now,
  ...given,
});

test('a listed reviewer approves or rejects the tasks that they saw', () => {
  expect(answerCheckpoint(checkpoint, review())).toEqual({ outcome: 'approved' });
  expect(answerCheckpoint(checkpoint, review({ decision: 'reject' }))).toEqual({ outcome: 'rejected' });
});

test.each([
  ['somebody else', review({ by: 'eve' }), checkpoint, 'eve is no reviewer'],
  ['an answer to other tasks', review({ digest: 'b'.repeat(64) }), checkpoint, 'other tasks'],
  ['an edit', review({ decision: 'edit' }), checkpoint, 'cannot be edited'],
  ['a second answer', review(), { ...checkpoint, answer: 'rejected' }, 'already rejected'],
  [
    'an answer past the deadline, before its job ran',
    review({ at: '2026-03-10T13:00:00.001Z' }),
    checkpoint,
    'after the deadline',
  ],
])('%s is set aside', (_name, given, stored, reason) => {
  expect(answerCheckpoint(stored, given)).toMatchObject({
    outcome: 'set-aside',
    reason: expect.stringContaining(reason),
  });
});

test('approved tasks are due as long after the approval as the play says', () => {
  const task = { assignedAt: now, dueAt: '2026-03-10T12:30:00.000Z' } as Parameters<typeof redated>[0][number];
  expect(redated([task], '2026-03-10T12:50:00.000Z')[0]).toMatchObject({ dueAt: '2026-03-10T13:20:00.000Z' });
});
