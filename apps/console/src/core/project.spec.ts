import { type DataOf, derivedId, type EventType } from '@countersign/contracts';
import type { Received } from '@countersign/runtime';
import { expect, test } from 'vitest';
import { nextAfter } from './card.js';
import { funnel } from './funnel.js';
import {
  actionId,
  approved,
  at,
  checkpoint,
  checkpointId,
  deadLetter,
  escalated,
  refused,
  settled,
  task,
  withheld,
} from './given.js';
import { project } from './project.js';
import { resultOf } from './result.js';

const settledTopic = 'actions.settled.action-executor.v1';
let offset = 0;
const received = <T extends EventType>(type: T, data: DataOf<T>, topic = 'given.v1'): Received => {
  offset += 1;
  const event = { id: `e-${offset}`, source: '/countersign/test', type, time: at, correlationid: 'signal-1', data };
  const place = {
    topic: type === 'ActionSettled' && topic === 'given.v1' ? settledTopic : topic,
    partition: 0,
    offset: String(offset),
    key: 'ads-1',
    sha256: '',
    bytes: Buffer.of(),
  };
  return { event, ...place } as unknown as Received;
};
const countsOf = (...events: Received[]) => {
  const { counts } = project(events);
  return funnel([...counts.values()], { reviewsOpen: 1, deadLettersOpen: 2, unresolvedOpen: 3 }, at);
};

test('the funnel counts each event of a batch once, by what became of it', () => {
  const found = countsOf(
    received('TaskAssigned', task()),
    received('ActionEscalated', escalated()),
    received('ActionApproved', approved()),
    received('ActionRefused', refused()),
    received('ActionRefused', refused({ supersededBy: escalated().actionId })),
    received('DeadLetter', deadLetter()),
  );
  expect(found.tasks).toEqual({ assigned: 1, proposed: 0, declined: 0, escalated: 0, withheld: 0 });
  expect(found.verdicts).toEqual({
    approved: 1,
    refused: 1,
    escalated: 1,
    superseded: 1,
    refusedBy: { 'spend-cap': 1 },
  });
  expect(found.reviews.open).toBe(1);
  expect(found.deadLetters).toEqual({ open: 2, total: 1, byService: { orchestrator: 1 } });
});

test('a rejected signal counts once in all and once under each of its reasons', () => {
  const found = countsOf(
    received('SignalRejected', {
      source: '/sources/website',
      reasons: [
        { code: 'stale', detail: 'too old' },
        { code: 'contract', detail: 'data.url: required' },
        { code: 'contract', detail: 'data.page: required' },
      ],
      receivedAt: at,
      topic: 'signals.inbound.website.v1',
      partition: 0,
      offset: '1',
      sha256: 'c'.repeat(64),
    }),
  );
  expect(found.signals).toEqual({ accepted: 0, rejected: 1, rejectedBy: { stale: 1, contract: 1 } });
});

test('every event leaves one line under the correlation id of its chain', () => {
  const { activities } = project([
    received('ActionEscalated', escalated()),
    received('ActionSettled', settled('failed', { reason: { code: 'timeout', detail: 'no answer in time' } })),
  ]);
  expect(activities.map(({ correlationId, detail }) => [correlationId, detail])).toEqual([
    ['signal-1', 'waits for lea or tom: EUR 600.00 is above EUR 100.00'],
    ['signal-1', 'action-executor settled it: failed, no answer in time'],
  ]);
});

test("an action and a play's checkpoint both wait under the key they came with", () => {
  const { escalations } = project([received('ActionEscalated', escalated()), received('TaskEscalated', checkpoint())]);
  expect(escalations.map(({ subject, key }) => [subject.kind, key])).toEqual([
    ['proposal', 'ads-1'],
    ['checkpoint', 'ads-1'],
  ]);
});

const answered = {
  reviewId: 'r-1',
  subject: { kind: 'proposal', id: 'p-1' },
  decision: 'approve',
  by: 'lea',
  at,
  setAside: null,
  verdict: null,
  settlement: null,
  tasksAssignedAt: null,
  ending: null,
} as const;

test('the result of a review says what it waits for, and why it had no effect', () => {
  const verdicts = project([received('ActionApproved', approved()), received('ActionRefused', refused())]).verdicts;
  const [yes = null, no = null] = verdicts;
  const [settlement = null] = project([received('ActionSettled', settled('executed'))]).settlements;
  expect(resultOf(answered)).toMatchObject({ state: 'waiting' });
  expect(resultOf({ ...answered, setAside: { code: 'late', detail: 'the deadline has passed' } })).toMatchObject({
    state: 'set-aside',
    detail: 'set aside: the deadline has passed',
  });
  expect(resultOf({ ...answered, verdict: no })).toMatchObject({
    state: 'refused',
    detail: 'refused all the same: refused by spend-cap',
  });
  expect(resultOf({ ...answered, verdict: yes })).toMatchObject({ state: 'approved' });
  expect(resultOf({ ...answered, verdict: yes, settlement })).toMatchObject({ detail: 'approved; executed' });
  expect(resultOf({ ...answered, decision: 'reject', verdict: no })).toMatchObject({ state: 'rejected' });
});

test('the result of a checkpoint is that its tasks went out, or why they never do', () => {
  const checkpoint = { ...answered, subject: { kind: 'checkpoint', id: checkpointId } } as const;
  expect(resultOf(checkpoint)).toMatchObject({ state: 'waiting' });
  expect(resultOf({ ...checkpoint, tasksAssignedAt: at })).toMatchObject({ state: 'tasks-assigned' });
  expect(resultOf({ ...checkpoint, decision: 'reject' })).toMatchObject({ state: 'rejected' });
  const { reason } = withheld();
  const ending = { outcome: 'suppressed', reviewId: 'r-1', by: 'lea', reason, at } as const;
  expect(resultOf({ ...checkpoint, ending })).toMatchObject({
    state: 'withheld',
    detail: `no task goes out: ${reason.detail}. ${nextAfter(ending)}`,
  });
});

test('a refusal under borrowed ids is told, and changes nothing about the action that the ids belong to', () => {
  const own = refused();
  const borrowed = [
    // Another proposal that names this action as its own.
    refused({ proposalId: derivedId('given', 'other proposal') }),
    // The id of this proposal, used again.
    refused({}, 'proposal-id'),
  ];
  const { verdicts, activities } = project([own, ...borrowed].map((data) => received('ActionRefused', data)));
  expect(activities).toHaveLength(3);
  expect(verdicts).toHaveLength(1);
});

test("an approval of another action than the proposal's own is listed, and is no verdict on anything", () => {
  const own = approved();
  const forged = approved({ actionId: derivedId('forged', 'action') });
  const { verdicts, activities, personActions } = project(
    [own, forged].map((data) => received('ActionApproved', data)),
  );
  expect(activities).toHaveLength(2);
  expect(verdicts.map(({ actionId: id }) => id)).toEqual([actionId]);
  expect(personActions).toEqual([]);
});

test('an edited action, and the one it took the place of, are both told', () => {
  const reviewId = derivedId('given', 'review');
  const review = { reviewId, by: 'lea', decision: 'edit' } as const;
  const edit = derivedId('action', reviewId);
  const { verdicts } = project([
    received('ActionRefused', refused({ review, supersededBy: edit })),
    received('ActionApproved', approved({ review, actionId: edit })),
  ]);
  expect(verdicts.map((v) => v.actionId)).toEqual([actionId, edit]);
});

test('a settlement counts only on the topic of the executor that it names', () => {
  const data = settled('executed', { executor: 'downstream' });
  const { settlements, activities } = project([
    received('ActionSettled', data, 'actions.settled.action-executor.v1'),
    received('ActionSettled', data, 'actions.settled.downstream.v1'),
  ]);
  expect(activities).toHaveLength(2);
  expect(settlements.map((s) => s.executor)).toEqual(['downstream']);
});

test('a permit is kept as it was approved, with whose it is and of which bytes', () => {
  const { permits, unresolved } = project([
    received('ActionApproved', approved()),
    received('ActionSettled', settled('unresolved', { executor: 'downstream' }), 'actions.settled.downstream.v1'),
    received('ActionSettled', settled('unresolved')),
  ]);
  const { permitId, executor, digest } = approved();
  expect(permits).toEqual([{ permitId, actionId, executor, digest }]);
  // Each executor's word is there: which one counts is found by the permit.
  expect(unresolved.map((u) => [u.permitId, u.executor])).toEqual([
    [permitId, 'downstream'],
    [permitId, 'action-executor'],
  ]);
});

test('how a checkpoint ended is kept, counted and told, and so is an answer to it that had no effect', () => {
  const reason = { code: 'closed', detail: 'tom approved it before' };
  const {
    withheld: ends,
    setAside,
    counts,
    activities,
  } = project([
    received('TaskWithheld', withheld()),
    received('TaskReviewSetAside', { reviewId: derivedId('given', 'late'), checkpointId, by: 'lea', reason, at }),
  ]);
  expect(ends).toEqual([withheld()]);
  expect(setAside).toMatchObject([{ reason }]);
  expect([...counts.keys()]).toEqual(['tasks withheld', 'reviews setAside']);
  expect(activities.map(({ subjectId, detail }) => [subjectId, detail])).toEqual([
    [checkpointId, `no task of the play “Return below its floor” goes out: ${withheld().reason.detail}`],
    [checkpointId, 'the answer of lea was set aside: tom approved it before'],
  ]);
});

test('a task and a checkpoint are told with the title of their play', () => {
  const { activities } = project([received('TaskAssigned', task()), received('TaskEscalated', checkpoint())]);
  expect(activities.map(({ detail }) => detail)).toEqual([
    'the play “Return below its floor” gave paid-media-agent a task: Stop the loss',
    'the play “Return below its floor” waits for lea: one task for paid-media-agent',
  ]);
});
