import { derivedId, digestOf, type ReviewDecided } from '@countersign/contracts';
import { actionOf, at, content } from '@countersign/gate/testing';
import { expect, test } from 'vitest';
import { answer, type Escalation, endOf, reviewersOf } from './answer.js';
import { refusedEvent } from './events.js';
import { proposed } from './testing.js';

const proposal = proposed('ads.set_bid');
const row: Escalation = {
  proposalId: proposal.proposalId,
  digest: digestOf(proposal.action),
  state: 'open',
  deadlineAt: '2026-11-21T11:00:00.000Z',
  author: 'paid-media-agent',
  proposal,
  verdict: {
    outcome: 'escalated',
    reasons: [],
    tier: 'suggest',
    policy: { version: 7, digest: digestOf('policy') },
    at,
  },
  reviewers: ['lea'],
  closedBy: null,
};
const review = (change: Partial<ReviewDecided> = {}): ReviewDecided => ({
  reviewId: derivedId('review', 1),
  subject: { kind: 'proposal', id: proposal.proposalId },
  digest: row.digest,
  decision: 'approve',
  by: 'lea',
  at,
  ...change,
});
const codeOf = (given: ReviewDecided, escalation: Escalation | undefined = row, now = at): string => {
  const found = answer(given, escalation, ['lea'], now);
  return found.kind === 'judge' ? 'judge' : found.reason.code;
};

test('an answer in time, by a reviewer, about what waits, is judged', () => {
  const found = answer(review(), row, ['lea'], at);
  expect(found).toMatchObject({ kind: 'judge', request: { proposal, review: { by: 'lea', digest: row.digest } } });
});

test('a rejection brings its reason to the verdict, and no other answer has one', () => {
  const judged = (change: Partial<ReviewDecided>) => {
    const found = answer(review({ category: 'too-much', ...change }), row, ['lea'], at);
    return found.kind === 'judge' && refusedEvent(found.request, row.digest, row.verdict).review;
  };
  expect(judged({ decision: 'reject' })).toMatchObject({ decision: 'reject', category: 'too-much' });
  expect(judged({ decision: 'approve' })).not.toHaveProperty('category');
});

test('[case 8] every other answer is set aside, each with its own reason', () => {
  expect(answer(review(), undefined, ['lea'], at)).toMatchObject({ reason: { code: 'no-escalation' } });
  expect(codeOf(review({ by: 'dana' }))).toBe('no-reviewer');
  expect(codeOf(review({ digest: 'a'.repeat(64) }))).toBe('other-digest');
  expect(codeOf(review({ decision: 'edit' }))).toBe('no-action');
  expect(codeOf(review({ decision: 'edit', action: proposal.action }))).toBe('same-action');
});

test('[case 32] an answer handled past the deadline is late, and one given past it too; at the deadline it is in time', () => {
  expect(codeOf(review(), row, '2026-11-21T11:00:00.000Z')).toBe('judge');
  expect(codeOf(review(), row, '2026-11-21T11:00:00.001Z')).toBe('late');
  expect(codeOf(review({ at: '2026-11-21T11:00:01.000Z' }))).toBe('late');
});

test.each(['approved', 'refused', 'superseded', 'expired'] as const)(
  '[case 34] nothing is judged once it is %s',
  (state) => {
    const found = answer(review(), { ...row, state, closedBy: 'marc' }, ['lea'], at);
    expect(found).toMatchObject({ kind: 'set-aside', reason: { code: 'closed' } });
  },
);

test('[case 33] an edit is another action of the same proposal, which the same answer approves', () => {
  const action = { ...actionOf('ads.set_bid', { bidMinor: 90 }), actionId: derivedId('action', 'edit') };
  const found = answer(review({ decision: 'edit', action }), row, ['lea'], at);
  expect(found).toMatchObject({
    kind: 'judge',
    request: { proposal: { ...proposal, action }, review: { decision: 'edit', digest: digestOf(action) } },
    replaces: { proposal },
  });
});

test('at the tier approve the signers may answer, by the charter in force; without a charter those of the escalation', () => {
  const [charter] = content().charters.filter(({ agent }) => agent === proposal.agent);
  if (!charter) throw new Error('there is a charter');
  const under = (change: object) => reviewersOf(row, { charters: [{ ...charter, ...change }] });
  const prepares = { kinds: { 'ads.set_bid': 'approve' as const } };
  expect(under({})).toEqual(charter.reviewers);
  expect(under(prepares)).toEqual([charter.owner]);
  expect(under({ ...prepares, signers: ['tom'] })).toEqual(['tom']);
  expect(reviewersOf(row, { charters: [] })).toEqual(row.reviewers);
});

test('an escalation ends as its answer says', () => {
  expect(endOf('approve', 'approved')).toBe('approved');
  expect(endOf('approve', 'refused')).toBe('refused');
  expect(endOf('reject', 'refused')).toBe('refused');
  expect(endOf('edit', 'approved')).toBe('superseded');
});
