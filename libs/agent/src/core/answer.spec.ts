import { ActionProposed, actionKey, derivedId, proposalIdOf, TaskSettled } from '@countersign/contracts';
import { expect, test } from 'vitest';
import { aCampaign, aTask, at, factsFor } from '../testing.js';
import { answer, declined, isLate } from './answer.js';
import type { ClampedPlan } from './clamp.js';

const task = aTask();
const facts = factsFor(task, [aCampaign('cmp-a', 100, 300)]);
const plan: ClampedPlan = {
  proposals: [
    {
      kind: 'ads.set_bid',
      payload: { adAccountId: 'ads-1', campaignId: 'cmp-a', bidMinor: 230, currency: 'EUR' },
      rationale: 'because',
      evidence: task.evidence,
      confidence: 0.7,
      alternatives: [],
    },
  ],
  left: [],
  by: { kind: 'rules', name: 'paid-media rules' },
};

test('a plan becomes proposals and one settlement that names them', () => {
  const { proposals, settled } = answer(task, plan, facts, at);
  const proposalId = proposalIdOf(task.agent, task.taskId, '0');
  expect(proposals).toHaveLength(1);
  expect(proposals[0]).toMatchObject({
    proposalId,
    action: { actionId: derivedId('action', proposalId), kind: 'ads.set_bid', accountId: 'acme' },
    kinds: task.kinds,
    lineage: 'trusted',
    madeFrom: { 'profile:ad-account:ads-1': 7 },
  });
  expect(settled).toMatchObject({ outcome: 'proposed', proposalIds: [proposalId], reason: 'proposed ads.set_bid' });
  expect(ActionProposed.parse(proposals[0])).toEqual(proposals[0]);
  expect(TaskSettled.parse(settled)).toEqual(settled);
  expect(proposals.map((p) => actionKey(p.action))).toEqual(['ads-1']);
});

test('the same task and plan give the same answer', () => {
  expect(answer(task, plan, facts, at)).toEqual(answer(task, plan, facts, at));
});

test('a plan without proposals is a decline with its reason', () => {
  const { proposals, settled } = answer(task, { ...plan, proposals: [], declined: 'nothing helps' }, facts, at);
  expect(proposals).toEqual([]);
  expect(settled).toMatchObject({ outcome: 'declined', reason: 'nothing helps', proposalIds: [] });
});

test('the settlement says what was left out, and why rules stepped in', () => {
  const by = { kind: 'rules', name: 'paid-media rules', fallback: 'the model took too long' } as const;
  const { proposals, settled } = answer(task, { ...plan, by, left: ['ads.set_bid: too much'] }, facts, at);
  expect(settled.reason).toBe(
    'proposed ads.set_bid; planned by rules because the model took too long; left out: ads.set_bid: too much',
  );
  expect(proposals[0]?.planner.fallback).toBe('the model took too long');
});

test('a task whose due time has passed is declined whatever the plan says', () => {
  const late = '2026-11-21T10:30:00.001Z';
  expect(answer(task, plan, facts, late)).toEqual(declined(task, 'deadline passed', late));
  expect(isLate(task, task.dueAt)).toBe(false);
});

test('facts that were older than the task are named in the rationale', () => {
  const { proposals } = answer(task, plan, { ...facts, behind: ['profile:account:acme'] }, at);
  expect(proposals[0]?.rationale).toBe('because Facts unclear: 1 profile(s) were older than the task.');
});
