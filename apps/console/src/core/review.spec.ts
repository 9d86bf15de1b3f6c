import { Action, derivedId, digestOf } from '@countersign/contracts';
import { expect, test } from 'vitest';
import { at, checkpoint, checkpointId, escalated, payload, proposalId } from './given.js';
import type { Person } from './people.js';
import type { Escalation } from './project.js';
import { type ReviewRequest, review, type Standing } from './review.js';

const card = escalated();
const escalation: Escalation = {
  actionId: card.actionId,
  subject: { kind: 'proposal', id: proposalId },
  runId: card.play.runId,
  key: 'ads-1',
  digest: card.digest,
  correlationId: 'signal-1',
  deadline: card.deadline,
  at,
  card,
};
const lea: Person = { sha256: 'a'.repeat(64), person: 'lea', roles: ['reviewer'] };
const reviewId = derivedId('given', 'review');
const answer = (request: Partial<ReviewRequest>, by = lea, standing: Standing = 'open', asked = escalation) =>
  review({ decision: 'approve', digest: asked.digest, ...request }, asked, standing, by, reviewId, at);

test('an approval is bound to the digest that its author saw', () => {
  expect(answer({ note: 'fine' })).toEqual({
    ok: true,
    decided: {
      reviewId,
      subject: { kind: 'proposal', id: proposalId },
      digest: card.digest,
      decision: 'approve',
      by: 'lea',
      note: 'fine',
      at,
    },
  });
  expect(answer({ digest: 'f'.repeat(64) })).toMatchObject({ ok: false, problem: { status: 409, field: 'digest' } });
});

test('somebody who is not among the reviewers is told who is', () => {
  const outcome = answer({}, { ...lea, person: 'max' });
  expect(outcome).toMatchObject({ ok: false, problem: { status: 403 } });
  expect(!outcome.ok && outcome.problem.detail).toBe('max is not among its reviewers; lea, tom may answer');
});

test.each(['answered', 'approved', 'refused', 'superseded', 'expired'] as const)(
  'what is %s already takes no answer',
  (standing) => {
    expect(answer({}, lea, standing)).toMatchObject({ ok: false, problem: { status: 409 } });
  },
);

test.each([
  ['approve', 'tom approved it already; an answer would have no effect'],
  ['edit', 'tom changed it already; an answer would have no effect'],
  ['reject', 'tom rejected it already; an answer would have no effect'],
] as const)('who comes second is told who answered and what: %s', (decision, detail) => {
  const before = { by: 'tom', decision };
  const request = { decision: 'approve', digest: escalation.digest } as const;
  expect(review(request, escalation, 'answered', lea, reviewId, at, before)).toMatchObject({
    ok: false,
    problem: { status: 409, detail },
  });
});

test('an edit is a new action with an id of its own and the same kind and account', () => {
  const outcome = answer({ decision: 'edit', payload: { ...payload, amountMinor: 40_000 } });
  if (!outcome.ok) throw new Error(outcome.problem.detail);
  const action = Action.parse(outcome.decided.action);
  expect(action).toEqual({
    actionId: derivedId('action', reviewId),
    kind: 'ads.shift_budget',
    accountId: 'acme',
    payload: { ...payload, amountMinor: 40_000 },
  });
  expect(digestOf(action)).not.toBe(outcome.decided.digest);
});

test.each([
  ['without a payload', undefined, 'payload'],
  ['that changes nothing', payload, 'payload'],
  ['with a value of another type', { ...payload, amountMinor: 'all' }, 'payload.amountMinor'],
  ['with a fraction of a cent', { ...payload, amountMinor: 0.5 }, 'payload.amountMinor'],
  ['with a member that does not exist', { ...payload, amount: 1 }, 'payload.amount'],
])('an edit %s is refused, naming the field', (_what, edited, field) => {
  const outcome = answer({ decision: 'edit', ...(edited && { payload: edited }) });
  expect(outcome).toMatchObject({ ok: false, problem: { status: 400, field } });
});

test('only an edit carries a payload', () => {
  expect(answer({ payload })).toMatchObject({ ok: false, problem: { status: 400, field: 'payload' } });
});

test("a play's checkpoint is approved or rejected, never edited", () => {
  const tasks = checkpoint();
  const checkpointEscalation: Escalation = {
    ...escalation,
    subject: { kind: 'checkpoint', id: checkpointId },
    digest: tasks.digest,
    card: tasks,
  };
  expect(answer({}, lea, 'open', checkpointEscalation)).toMatchObject({
    ok: true,
    decided: { subject: { kind: 'checkpoint' } },
  });
  expect(answer({ decision: 'edit', payload }, lea, 'open', checkpointEscalation)).toMatchObject({
    ok: false,
    problem: { status: 400 },
  });
});
