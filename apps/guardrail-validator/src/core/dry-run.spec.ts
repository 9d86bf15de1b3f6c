import { derivedId, digestOf, type Verdict } from '@countersign/contracts';
import { expect, test } from 'vitest';
import type { Answer } from './answer.js';
import { dryVerdict, isForgotten, triedAnswer } from './dry-run.js';
import { proposed } from './testing.js';

const at = '2026-11-21T10:00:00.000Z';
const judged = { kind: 'judge' } as Answer;
const verdict = (outcome: Verdict['outcome']): Verdict => ({
  outcome,
  reasons: [
    { rule: 'author', outcome: 'pass', detail: 'written by the agent' },
    { rule: 'tier', outcome: 'escalate', detail: 'a person answers each' },
    { rule: 'spend-cap', outcome: outcome === 'approved' ? 'pass' : 'refuse', detail: 'EUR 20.00 over the daily cap' },
  ],
  tier: null,
  policy: { version: 1, digest: null },
  at,
});

test('an edit that the rules let through would be approved, and nothing is said against it', () => {
  expect(dryVerdict(judged, verdict('approved'))).toEqual({ outcome: 'approved', reasons: [] });
});

test('an edit that a rule refuses would be refused, with that rule alone', () => {
  expect(dryVerdict(judged, verdict('refused'))).toEqual({
    outcome: 'refused',
    reasons: [{ rule: 'spend-cap', detail: 'EUR 20.00 over the daily cap' }],
  });
});

test('an answer that would be set aside would be refused for the reason of that', () => {
  const aside: Answer = { kind: 'set-aside', reason: { code: 'late', detail: 'the deadline has passed' } };
  expect(dryVerdict(aside, undefined)).toEqual({
    outcome: 'refused',
    reasons: [{ rule: 'late', detail: 'the deadline has passed' }],
  });
});

test('the action that waits is tried as an approval of what was shown, and any other one as an edit', () => {
  const { action } = proposed('ads.set_bid');
  const waits = { digest: digestOf(action), proposal: proposed('ads.set_bid') };
  const asked = { dryRunId: derivedId('dry'), proposalId: waits.proposal.proposalId, action, by: 'lea', at };
  const common = { reviewId: asked.dryRunId, subject: { kind: 'proposal', id: asked.proposalId }, by: 'lea', at };
  expect(triedAnswer(asked, waits)).toEqual({ ...common, decision: 'approve', digest: waits.digest });
  const moved = { ...action, payload: { ...action.payload, bidMinor: 1 } };
  expect(triedAnswer({ ...asked, action: moved }, waits)).toMatchObject({
    decision: 'approve',
    digest: digestOf(moved),
  });
  const edit = { ...moved, actionId: derivedId('another') };
  expect(triedAnswer({ ...asked, action: edit }, waits)).toEqual({
    ...common,
    decision: 'edit',
    digest: waits.digest,
    action: edit,
  });
  // Nothing of this id waits: whatever is tried will be set aside.
  expect(triedAnswer(asked, undefined)).toMatchObject({ decision: 'edit', digest: '' });
});

test('nobody waits for one of half a minute ago', () => {
  expect([isForgotten(at, '2026-11-21T10:00:30.000Z'), isForgotten(at, '2026-11-21T10:00:30.001Z')]).toEqual([
    false,
    true,
  ]);
});
