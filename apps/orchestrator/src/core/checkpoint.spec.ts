import { type Control, derivedId, type ReviewDecided, type TaskAssigned } from '@countersign/contracts';
import { expect, test } from 'vitest';
import { redated } from './begin.js';
import { answerCheckpoint, type Checkpoint, heldBack, withheld } from './checkpoint.js';
import { now } from './testing.js';

const task = { play: { id: 'surge', runId: derivedId('run', 'x'), title: 'Surge' } } as TaskAssigned;
const checkpoint: Checkpoint = {
  tasks: [task],
  playDigest: 'c'.repeat(64),
  answeredBy: null,
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
  expect(answerCheckpoint(checkpoint, review())).toEqual({ outcome: 'approved', checkpoint });
  expect(answerCheckpoint(checkpoint, review({ decision: 'reject' }))).toEqual({
    outcome: 'rejected',
    checkpoint,
  });
});

test.each<[string, ReviewDecided, Checkpoint | undefined, string, string]>([
  ['an answer to nothing', review(), undefined, 'no-checkpoint', 'no checkpoint of this id'],
  ['somebody else', review({ by: 'eve' }), checkpoint, 'no-reviewer', 'eve is no reviewer'],
  ['an answer to other tasks', review({ digest: 'b'.repeat(64) }), checkpoint, 'other-digest', 'other tasks'],
  ['an edit', review({ decision: 'edit' }), checkpoint, 'no-edit', 'cannot be edited'],
  [
    'a second answer',
    review(),
    { ...checkpoint, answer: 'rejected', answeredBy: 'marc' },
    'closed',
    'marc rejected it before',
  ],
  [
    'an answer in time that is read past the deadline',
    review(),
    { ...checkpoint, answer: 'expired' },
    'closed',
    'the orchestrator read it after the deadline 2026-03-10T13:00:00.000Z',
  ],
  [
    'an answer past the deadline, before its job ran',
    review({ at: '2026-03-10T13:00:00.001Z' }),
    checkpoint,
    'late',
    'the deadline was',
  ],
])('%s is set aside', (_name, given, stored, code, detail) => {
  expect(answerCheckpoint(stored, given)).toMatchObject({
    outcome: 'set-aside',
    reason: { code, detail: expect.stringContaining(detail) },
  });
});

test('approved tasks are due as long after the approval as the play says', () => {
  const task = { assignedAt: now, dueAt: '2026-03-10T12:30:00.000Z' } as Parameters<typeof redated>[0][number];
  expect(redated([task], '2026-03-10T12:50:00.000Z')[0]).toMatchObject({ dueAt: '2026-03-10T13:20:00.000Z' });
});

const stopped = { scope: 'play:surge', state: 'stopped', by: 'marc', reason: 'the figures are wrong' } as Control;
test.each<[string, Control | null, string | undefined, string | null, string?]>([
  ['nothing', null, 'c'.repeat(64), null],
  ['a stop', stopped, 'c'.repeat(64), 'stopped', 'marc stopped the play surge: the figures are wrong'],
  ['the end of the play', null, undefined, 'play-withdrawn', 'the play surge is not in force any more'],
  ['a change of the play', null, 'd'.repeat(64), 'play-changed', 'the play surge was changed after it asked'],
])('an approval is held back by %s', (_name, by, playNow, code, detail) => {
  expect(heldBack(checkpoint, by, playNow)).toEqual(code && { code, detail });
});

test('a checkpoint from before its play was noted is held back only by the end of the play', () => {
  const before = { ...checkpoint, playDigest: null };
  expect(heldBack(before, null, 'd'.repeat(64))).toBeNull();
  expect(heldBack(before, null, undefined)).toMatchObject({ code: 'play-withdrawn' });
});

test('the end of a checkpoint names the run, the reason and whose answer it was', () => {
  const reason = { code: 'rejected', detail: 'rejected by lea' };
  const end = { outcome: 'rejected' as const, reason, review: { reviewId: derivedId('review', 1), by: 'lea' } };
  expect(withheld(checkpoint, end, now)).toEqual({
    checkpointId: checkpoint.checkpointId,
    play: task.play,
    ...end,
    at: now,
  });
});
