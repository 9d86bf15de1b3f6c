import { aTask, at, contact, nurture } from '@countersign/agent/testing';
import { ActionProposed, derivedId, type PolicyContent, proposalIdOf } from '@countersign/contracts';
import { describe, expect, test } from 'vitest';
import {
  type Enrolment,
  endsSequence,
  endsSequenceLate,
  mostAgain,
  step,
  stepAfterQuiet,
  stepAfterQuietLate,
  stepsDue,
} from './enrolment.js';

const task = aTask({ agent: 'sequencing-agent', kinds: ['sequence.enroll', 'email.send'] });
const enrolment: Enrolment = {
  enrolmentId: derivedId('action', 'enrolment'),
  taskId: task.taskId,
  contactId: contact(2),
  sequenceId: 'nurture',
  accountId: 'acme',
  state: 'running',
};
const policyWith = (sequence: object) => ({ sequences: [sequence] }) as unknown as PolicyContent;
const policy = policyWith(nurture);

test('steps are due so many seconds after the settlement of the enrolment', () => {
  const handled = '2026-11-21T10:00:09.000Z';
  expect(stepsDue(nurture.steps, at, '2026-11-21T09:00:00.000Z', handled)).toEqual([at, '2026-11-22T10:00:00.000Z']);
});

test.each([
  ['long before it was proposed', '1970-01-01T00:00:00.000Z', '2026-11-20T10:00:00.000Z'],
  ['in the far future', '9999-12-31T23:59:59.999Z', '2026-11-21T10:00:00.000Z'],
])(
  'an enrolment that is said to be settled %s begins between its proposal and its handling',
  (_when, settledAt, from) => {
    const due = stepsDue(nurture.steps, settledAt, '2026-11-20T10:00:00.000Z', at);
    expect(due).toEqual([from, new Date(Date.parse(from) + 86_400_000).toISOString()]);
  },
);

test('a step becomes the proposal of one message with an id of its own, to be sent a little ahead', () => {
  const result = step(enrolment, 0, task, policy, 6, at);
  if (result.outcome !== 'propose') throw new Error('not proposed');
  expect(ActionProposed.parse(result.proposal)).toEqual(result.proposal);
  expect(result.last).toBe(false);
  expect(result.proposal).toMatchObject({
    proposalId: proposalIdOf(task.agent, task.taskId, `${enrolment.enrolmentId}/0`),
    taskId: task.taskId,
    kinds: task.kinds,
    action: {
      kind: 'email.send',
      accountId: 'acme',
      payload: {
        contactId: contact(2),
        purpose: 'sales',
        template: 'guide',
        body: 'Hello {{contact.firstName}}',
        sendAt: '2026-11-21T10:00:06.000Z',
        sequence: { id: 'nurture', enrolment: enrolment.enrolmentId, step: 0 },
      },
    },
  });
  expect(result.proposal.evidence.map((e) => e.contactId)).toEqual([contact(2)]);
});

test.each([
  [0, 'It is due as soon as the contact is enrolled.'],
  [259_200, 'It is due 3 days after the contact was enrolled.'],
  [90_061, 'It is due 1 day and 1 hour and 1 minute and 1 second after the contact was enrolled.'],
])('a step that is due after %i seconds says so in words', (afterSeconds, words) => {
  const [first] = nurture.steps;
  const result = step(enrolment, 0, task, policyWith({ ...nurture, steps: [{ ...first, afterSeconds }] }), 6, at);
  expect(result).toMatchObject({ proposal: { rationale: `Step 1 of 1 of the sequence nurture. ${words}` } });
});

test('the last step is known as the last', () => {
  expect(step(enrolment, 1, task, policy, 0, at)).toMatchObject({ outcome: 'propose', last: true });
});

test.each(['stopped', 'closed', 'finished'] as const)('a %s enrolment proposes nothing more', (state) => {
  expect(step({ ...enrolment, state }, 1, task, policy, 0, at)).toEqual({ outcome: 'none' });
});

test('an enrolment ends where the policy lost its step, the task allows no message, or the text cannot be filled in', () => {
  expect(step(enrolment, 2, task, policy, 0, at)).toEqual({
    outcome: 'close',
    reason: 'the policy in force has no step 3 of nurture',
  });
  expect(step(enrolment, 0, task, null, 0, at)).toMatchObject({ outcome: 'close' });
  expect(step(enrolment, 0, { ...task, kinds: ['sequence.enroll'] }, policy, 0, at)).toEqual({
    outcome: 'close',
    reason: 'the task does not allow email.send',
  });
  const bad = policyWith({ ...nurture, steps: [{ ...nurture.steps[0], body: 'Hello {{contact.email}}' }] });
  expect(step(enrolment, 0, task, bad, 0, at)).toMatchObject({
    outcome: 'close',
    reason: expect.stringContaining('placeholder'),
  });
});

const refusedBy = (...rules: string[]) => ({
  verdict: {
    outcome: 'refused' as const,
    reasons: [
      { rule: 'shape', outcome: 'pass' as const, detail: 'fine' },
      ...rules.map((rule) => ({ rule, outcome: 'refuse' as const, detail: `no: ${rule}` })),
    ],
    tier: null,
    policy: { version: 1, digest: null },
    at,
  },
});

test('a message refused for want of consent ends its sequence, one refused for a limit does not', () => {
  expect(endsSequence(refusedBy('sends-per-hour', 'consent'))).toBe('no: consent');
  expect(endsSequence(refusedBy('suppression'))).toBe('no: suppression');
  expect(endsSequence(refusedBy('contact-frequency', 'kill-control'))).toBeUndefined();
  expect(endsSequenceLate({ code: 'consent-changed', detail: 'withdrawn' })).toBe('withdrawn');
  expect(endsSequenceLate({ code: 'control-changed', detail: 'stopped' })).toBeUndefined();
  expect(endsSequenceLate(undefined)).toBeUndefined();
});

describe('a step that quiet hours refused', () => {
  const opens = '2026-11-22T07:00:00.000Z';
  const refusedWith = (figures: object | undefined, outcome: 'refuse' | 'pass' = 'refuse') => ({
    verdict: {
      ...refusedBy().verdict,
      reasons: [{ rule: 'quiet-hours', outcome, detail: 'quiet', ...(figures && { figures }) }] as never,
    },
  });
  const proposed = (again: number) => {
    const result = step(enrolment, 0, task, policy, 6, at, again);
    if (result.outcome !== 'propose') throw new Error('not proposed');
    const { proposalId, taskId, agent } = result.proposal;
    return { proposalId, taskId, agent, enrolmentId: enrolment.enrolmentId, step: 0 };
  };

  test('comes again at the moment that the refusal names, each time under an id of its own', () => {
    const next = { enrolmentId: enrolment.enrolmentId, step: 0, dueAt: opens };
    expect(stepAfterQuiet(proposed(0), refusedWith({ opens }))).toEqual({ ...next, again: 1 });
    expect(stepAfterQuiet(proposed(1), refusedWith({ opens }))).toEqual({ ...next, again: 2 });
    expect(new Set([0, 1, 2].map((again) => proposed(again).proposalId)).size).toBe(3);
  });

  test('does not come again without such a moment, for another reason, of another proposal, or for ever', () => {
    for (const refused of [refusedWith(undefined), refusedWith({ opens: 'soon' }), refusedWith({ opens: 7 })])
      expect(stepAfterQuiet(proposed(0), refused)).toBeUndefined();
    expect(stepAfterQuiet(proposed(0), refusedWith({ opens }, 'pass'))).toBeUndefined();
    expect(stepAfterQuiet(proposed(0), refusedBy('contact-frequency'))).toBeUndefined();
    expect(stepAfterQuiet({ ...proposed(0), step: 1 }, refusedWith({ opens }))).toBeUndefined();
    expect(stepAfterQuiet(proposed(mostAgain), refusedWith({ opens }))).toBeUndefined();
  });

  test('is proposed again although all later steps were proposed, and not if the enrolment has ended otherwise', () => {
    const again = (state: Enrolment['state'], times: number) =>
      step({ ...enrolment, state }, 1, task, policy, 0, at, times).outcome;
    expect([again('running', 1), again('finished', 1), again('finished', 0)]).toEqual(['propose', 'propose', 'none']);
    expect([again('stopped', 1), again('closed', 1)]).toEqual(['none', 'none']);
    expect(step(enrolment, 0, task, policy, 0, at, 1)).toMatchObject({
      proposal: {
        rationale:
          'Step 1 of 2 of the sequence nurture. It was refused for quiet hours, and is proposed again after them.',
      },
    });
  });

  test('comes again at once if its executor refused it for quiet hours', () => {
    const late = (code: string) => stepAfterQuietLate(proposed(0), { code, detail: 'not now' }, at);
    expect(late('quiet-hours')).toEqual({ enrolmentId: enrolment.enrolmentId, step: 0, again: 1, dueAt: at });
    expect(late('consent-changed')).toBeUndefined();
    expect(stepAfterQuietLate(proposed(0), undefined, at)).toBeUndefined();
  });
});
