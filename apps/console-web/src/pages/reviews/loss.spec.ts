import { expect, test } from 'vitest';
import { afterRefusal, lossOf } from './loss.js';

const held = { loss: 'It would be lost. Wait for the resume.' };
const proposal = { subject: 'proposal' as const, underStop: null };
const checkpoint = { subject: 'checkpoint' as const, playChanged: null, underStop: null };

test('while a stop or a rule would refuse it, an approval says what it loses', () => {
  expect(lossOf({ ...proposal, underStop: held }, undefined)).toBe(held.loss);
  // The rules have not answered again since the stop, or the page knows their answer before it knows of the stop.
  expect(lossOf({ ...proposal, underStop: held }, { loss: null })).toBe(held.loss);
  expect(lossOf(proposal, { loss: 'A rule refuses it.' })).toBe('A rule refuses it.');
});

test('nothing is lost if the rules let it through, or if they have not answered', () => {
  expect(lossOf(proposal, { loss: null })).toBeUndefined();
  expect(lossOf(proposal, undefined)).toBeUndefined();
  expect(lossOf(checkpoint, undefined)).toBeUndefined();
});

test('of a checkpoint the tasks are lost, by a stop or because its play was changed', () => {
  expect(lossOf({ ...checkpoint, underStop: held }, undefined)).toBe(held.loss);
  expect(lossOf({ ...checkpoint, playChanged: 'changed', underStop: held }, undefined)).toMatch(
    /^No task would go out.* Reject it/,
  );
});

test('after a refusal the next step is named, and for a stop that it has to end first', () => {
  expect(afterRefusal([{ rule: 'kill-control' }])).toMatch(/have the stop ended first\. Then wait for a new proposal/);
  expect(afterRefusal([{ rule: 'consent' }])).not.toMatch(/stop/);
});
