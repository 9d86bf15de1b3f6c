import { expect, test } from 'vitest';
import { afterRefusal, lossOf } from './loss.js';

const proposal = { subject: 'proposal' as const };
const checkpoint = { subject: 'checkpoint' as const, playChanged: null };
const verdict = (outcome: 'approved' | 'refused', rule = 'consent', policy: object | null = {}) => ({
  ...{ outcome, policy },
  reasons: outcome === 'refused' ? [{ rule }] : [],
});
const stop = (scope: string) => ({ scope });

test('while a stop or a rule would refuse it, an approval says what it loses and what to do in its place', () => {
  const byStop = 'It would be refused now and cannot be approved later. Wait for the resume, or reject it.';
  expect(lossOf(proposal, [stop('all')], undefined)).toBe(byStop);
  // The rules answer before the page knows of the stop, or the stop is known before the rules have answered again.
  expect(lossOf(proposal, [], verdict('refused', 'kill-control'))).toBe(byStop);
  expect(lossOf(proposal, [stop('channel:email')], verdict('approved'))).toBe(byStop);
  expect(lossOf(proposal, [], verdict('refused'))).toBe(
    'It would be refused now and cannot be approved later. Wait until the rules let it through, change it, or reject it.',
  );
});

test('nothing is lost if the rules let it through, if they have not answered, or if the answer would be set aside', () => {
  expect(lossOf(proposal, [], verdict('approved'))).toBeUndefined();
  expect(lossOf(proposal, [], undefined)).toBeUndefined();
  expect(lossOf(proposal, [], verdict('refused', 'too-late', null))).toBeUndefined();
  expect(lossOf(checkpoint, [], undefined)).toBeUndefined();
});

test('of a checkpoint the tasks are lost, or what stopped agents propose for them', () => {
  expect(lossOf(checkpoint, [stop('play:surge')], undefined)).toMatch(
    /^No task would go out now.* Wait for the resume/,
  );
  expect(lossOf(checkpoint, [stop('agent:ads')], undefined)).toMatch(/^The tasks would go out, but/);
  expect(lossOf({ ...checkpoint, playChanged: 'changed' }, [], undefined)).toMatch(/^No task would go out.* Reject it/);
});

test('after a refusal the next step is named, and for a stop that it has to end first', () => {
  expect(afterRefusal([{ rule: 'kill-control' }])).toMatch(/have the stop ended first\. Then wait for a new proposal/);
  expect(afterRefusal([{ rule: 'consent' }])).not.toMatch(/stop/);
});
