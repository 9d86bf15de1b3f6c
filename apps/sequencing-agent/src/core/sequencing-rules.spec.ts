import { clamp } from '@countersign/agent';
import { aTask, at, contact, factsFor } from '@countersign/agent/testing';
import type { TaskAssigned } from '@countersign/contracts';
import { expect, test } from 'vitest';
import { sequencingRules } from './sequencing-rules.js';

const kinds = ['sequence.enroll', 'sequence.stop', 'email.send', 'crm.create_task'] as const;
const task = (more: Partial<TaskAssigned> = {}): TaskAssigned =>
  aTask({
    agent: 'sequencing-agent',
    kinds: ['sequence.enroll', 'email.send'],
    settings: { sequence: 'nurture' },
    ...more,
  });

/** Plans a task, and shows that the plan survives the clamp whole. */
function planned(given: TaskAssigned) {
  const facts = factsFor(given);
  const plan = sequencingRules.plan(given, facts, at);
  const clamped = clamp(plan, given, facts, at, { kinds, most: 10, planner: sequencingRules.name });
  expect(clamped.left).toEqual([]);
  return clamped;
}

test('enrols every contact of the task, each on its own evidence', () => {
  const { proposals } = planned(task());
  expect(proposals.map(({ kind, payload }) => ({ kind, ...payload }))).toEqual(
    [1, 2, 3].map((n) => ({ kind: 'sequence.enroll', contactId: contact(n), sequenceId: 'nurture', purpose: 'sales' })),
  );
  expect(proposals[1]?.evidence.map((e) => e.signalId)).toEqual(['signal-2']);
});

test("gives the account's owner a task where the play allows it", () => {
  const given = task({
    kinds: ['sequence.enroll', 'crm.create_task'],
    settings: { sequence: 'nurture', ownerTaskHours: 2 },
  });
  expect(planned(given).proposals.at(-1)).toMatchObject({
    kind: 'crm.create_task',
    payload: {
      contactId: given.contactIds[0],
      ownerId: 'owner-7',
      title: 'Follow up on account acme',
      dueAt: '2026-11-21T12:00:00.000Z',
    },
  });
});

test('gives no task where the account has no known owner', () => {
  const given = task({ kinds: ['sequence.enroll', 'crm.create_task'], accountId: 'unknown' });
  expect(planned(given).proposals.map((p) => p.kind)).toEqual(Array(3).fill('sequence.enroll'));
});

test('stops the sequence for its contacts where the task may stop and not start', () => {
  const { proposals } = planned(task({ kinds: ['sequence.stop'] }));
  expect(proposals.map((p) => p.payload)).toEqual(
    [1, 2, 3].map((n) => ({ contactId: contact(n), sequenceId: 'nurture' })),
  );
});

test.each([
  ['the play names no sequence', task({ settings: {} }), 'the play names no sequence'],
  [
    'the policy has none of that name',
    task({ settings: { sequence: 'old' } }),
    'there is no sequence old in the policy in force',
  ],
  ['there is no contact', task({ contactIds: [] }), 'the task names no contact'],
  [
    'the task allows neither',
    task({ kinds: ['email.send'] }),
    'the task allows neither to start nor to stop a sequence',
  ],
])('declines where %s', (_name, given, reason) => {
  expect(planned(given)).toMatchObject({ proposals: [], declined: reason });
});

test('no name and no address is in what it proposes', () => {
  const text = JSON.stringify(planned(task({ kinds: ['sequence.enroll', 'crm.create_task'] })).proposals);
  expect(text).not.toMatch(/@|ignore/i);
});
