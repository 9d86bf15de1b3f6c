import {
  type ActionApproved,
  type ActionEscalated,
  type ActionProposed,
  type ActionRefused,
  type ActionSettled,
  derivedId,
  digestOf,
  type PolicyContent,
  proposalIdOf,
  type ReviewDecided,
  type TaskAssigned,
} from '@countersign/contracts';
import { at, contact, content, granted, permitKeys, policyOf, taskOf } from '@countersign/gate/testing';
import { type Harness, type Published, tablesOf } from '@countersign/runtime/harness';
import { copyTestDatabase, type TestDatabase } from '@countersign/testing';
import type { MigrationInterface } from 'typeorm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { proposed } from '../core/testing.js';
import { spec } from '../module.js';
import {
  CountedByTask1763700000009,
  StepsOfEnrolments1763700000010,
  StopsOfSequences1763700000011,
} from './migrations/verdicts.js';
import { person, signsWith, startPair } from './testing.js';

/* What one agent can have of its reviewers and of a task, over batches, instances, restarts and restores. */

const plus = (seconds: number): string => new Date(Date.parse(at) + seconds * 1000).toISOString();
const day = 86_400;
const agent = 'paid-media-agent';
const topic = `actions.proposed.${agent}.v1`;

let removeKey: () => void;
let database: TestDatabase;
let instance: Harness;
let other: Harness;

beforeEach(async () => {
  removeKey = signsWith(permitKeys('validator-1').jwk);
  database = await copyTestDatabase(tablesOf(spec));
  [instance, other] = await startPair(database.url);
  await instance.putState('consents.v1', contact, { ...granted(), contactId: contact, changedAt: at });
  await instance.putState('profiles.v1', `contact:${contact}`, person(contact));
});
afterEach(async () => {
  await Promise.all([instance?.close(), other?.close()]);
  await database?.close();
  removeKey();
});

const publish = (policy: PolicyContent, version = 7) =>
  instance.putState('policies.v1', 'main', policyOf(policy, version));
const limited = (limits: { proposalsPerTask?: number | undefined; reviewsWaiting?: number }, kinds = {}) =>
  content({ charter: { limits, kinds } });
const bid = (n: number, change: Partial<ActionProposed> = {}) => proposed('ads.set_bid', { bidMinor: 110 }, n, change);
/** The first message of an enrolment. */
const message = ({ action }: ActionProposed, n: number, change: Partial<ActionProposed> = {}) =>
  proposed(
    'email.send',
    {
      ...{ template: 'follow-up', subject: 'Hello', body: 'A word.' },
      sequence: { id: 'comparison-follow-up', enrolment: action.actionId, step: 0 },
    },
    n,
    change,
  );
const records = (to: Harness, proposals: readonly ActionProposed[], takenAt?: string) =>
  to
    .records(
      topic,
      proposals.map((data) => ({ type: 'ActionProposed', data, id: `${data.proposalId} ${digestOf(data.action)}` })),
    )
    .map((record) => ({ ...record, ...(takenAt && { timestamp: String(Date.parse(takenAt)) }) }));
const propose = (to: Harness, proposals: readonly ActionProposed[], takenAt?: string) =>
  to.deliverRecords(topic, records(to, proposals, takenAt));
const typesOf = (events: readonly Published[]) => events.map(({ type }) => type);
const refusals = (events: readonly Published[]) =>
  events.flatMap(({ type, data }) => (type === 'ActionRefused' ? [data as ActionRefused] : []));
/** The rules that refuse, of each refusal. */
const refusedBy = (events: readonly Published[]) =>
  refusals(events).map(({ verdict }) => verdict.reasons.filter((r) => r.outcome === 'refuse').map((r) => r.rule));
const count = (events: readonly Published[], type: string) => typesOf(events).filter((t) => t === type).length;
const decide = (
  to: Harness,
  data: Omit<ReviewDecided, 'reviewId' | 'by' | 'at' | 'subject'>,
  proposalId: string,
  when = at,
) =>
  to.deliver('reviews.decided.v1', [
    {
      type: 'ReviewDecided',
      data: {
        reviewId: derivedId('review', proposalId),
        by: 'lea',
        at: when,
        subject: { kind: 'proposal', id: proposalId },
        ...data,
      },
    },
  ]);
/** Settles the permit that was given, as one outcome after the other. */
const settle = async (events: readonly Published[], outcomes: readonly ActionSettled['outcome'][]) => {
  const approved = events.find(({ type }) => type === 'ActionApproved')?.data as unknown as ActionApproved;
  const { permitId, actionId, proposalId, digest, executor, connector } = approved;
  for (const outcome of outcomes) {
    const data: ActionSettled = { permitId, actionId, proposalId, digest, executor, connector, outcome, at };
    await instance.deliver(`actions.settled.${executor}.v1`, [{ type: 'ActionSettled', data }]);
  }
};
const assign = (taskId: string, change: Partial<TaskAssigned> = {}) =>
  instance.putState('tasks.assigned.v1', 'acme', taskOf(agent, { taskId, ...change }));

/** Takes a migration back and makes it again, over what `before` leaves of the rows of then. */
const updatedAnew = (migration: MigrationInterface, before: readonly string[] = []) =>
  instance.transaction(async (tx) => {
    const runner = {
      query: async (sql: string) => {
        for (const statement of sql.split(';')) if (statement.trim() !== '') await tx.query(statement);
      },
    } as never;
    await migration.down(runner);
    for (const statement of before) await tx.query(statement);
    await migration.up(runner);
  });

describe('the end of a task', () => {
  test('is a day after its due time, by when the broker took the proposal, however late it is judged', async () => {
    await publish(limited({}));
    for (const to of [instance, other]) to.setNow(plus(40 * day));
    expect(refusedBy(await propose(instance, [bid(1)], plus(day)))).toEqual([]);
    const late = await propose(instance, [bid(2)], new Date(Date.parse(plus(day)) + 1).toISOString());
    expect(refusedBy(late)).toEqual([['task-ended']]);
    expect(refusals(late)[0]?.verdict.reasons).toContainEqual(
      expect.objectContaining({
        detail: expect.stringMatching(/was due at 2026-11-21T10.*propose under a task that is open$/),
      }),
    );
    // What was judged in time is answered as it was: the same again says nothing, another under its id is refused by that.
    expect(await propose(instance, [bid(1)], plus(30 * day))).toEqual([]);
    expect(refusedBy(await propose(instance, [proposed('ads.set_bid', { bidMinor: 111 }, 1)], plus(30 * day)))).toEqual(
      [['proposal-id']],
    );
  });

  test('does not end what a person is asked about: an answer and an edit that come days later are judged', async () => {
    await publish(content({ charter: { kinds: { 'ads.set_bid': 'suggest' }, reviewWithinMinutes: 7 * 24 * 60 } }));
    const [first, second] = [bid(1), bid(2)];
    expect(typesOf(await propose(instance, [first, second], at))).toEqual(['ActionEscalated', 'ActionEscalated']);
    instance.setNow(plus(6 * day));
    const answer = { digest: digestOf(first.action), decision: 'approve' as const };
    expect(typesOf(await decide(instance, answer, first.proposalId, plus(6 * day)))).toEqual(['ActionApproved']);
    const action = {
      ...second.action,
      actionId: derivedId('action', derivedId('review', second.proposalId)),
      payload: { ...second.action.payload, bidMinor: 105 },
    };
    const edit = { digest: digestOf(second.action), decision: 'edit' as const, action };
    expect(typesOf(await decide(instance, edit, second.proposalId, plus(6 * day)))).toEqual([
      'ActionRefused',
      'ActionApproved',
    ]);
  });

  test('comes with a restore as it was: what the topic brings again is as old as it was', async () => {
    await publish(limited({}));
    const given = records(instance, [bid(1)], at);
    instance.setNow(plus(20 * day));
    expect(typesOf(await instance.deliverRecords(topic, given))).toEqual(['ActionApproved']);
    const [row] = await instance.query<{ facts: { takenAt: string } }>('SELECT facts FROM verdicts');
    expect(row?.facts.takenAt).toBe(at);
  });

  test('does not end a sequence: its messages come months later, each step once, of an enrolment that was approved', async () => {
    const { sequences, ...rest } = content({ rules: { contactFrequency: { touches: 50, days: 1 } } });
    const steps = [0, 1].map((n) => ({ template: 'follow-up', subject: 'Hello', body: 'A word.', afterSeconds: n }));
    await publish({ ...rest, sequences: sequences.map((s) => ({ ...s, steps })) });
    const enroll = proposed('sequence.enroll', {}, 1);
    const enrolment = enroll.action.actionId;
    const step = (n: number, item: number, change = {}) =>
      proposed(
        'email.send',
        {
          ...{ template: 'follow-up', subject: 'Hello', body: 'A word.' },
          sequence: { id: 'comparison-follow-up', enrolment, step: n, ...change },
          sendAt: plus(n === 0 && item === 1 ? 60 : 90 * day),
        },
        item,
      );
    expect(refusedBy(await propose(instance, [step(0, 1)]))).toEqual([['enrolment']]);
    expect(typesOf(await propose(instance, [enroll]))).toEqual(['ActionApproved']);
    for (const to of [instance, other]) to.setNow(plus(90 * day));
    // The first was refused under its own enrolment's name before there was one: it may come again, and counts among those that may.
    const later = await propose(other, [step(1, 2), step(0, 3), step(0, 4, { enrolment: enrolment.toUpperCase() })]);
    expect(typesOf(later)).toEqual(['ActionApproved', 'ActionApproved', 'ActionRefused']);
    expect(refusedBy(later)).toEqual([['enrolment-step']]);
    const many = [5, 6, 7].map((n) => step(0, n, { step: Number.MAX_SAFE_INTEGER - n }));
    expect(refusedBy(await propose(instance, many))).toEqual(Array(3).fill(['sequence']));
    expect(refusedBy(await propose(other, [step(1, 8)]))).toEqual([['proposals-per-task', 'enrolment-step']]);
    // Of the enrolment of another task it is none.
    await assign(derivedId('task', 'two'));
    const foreign = { taskId: derivedId('task', 'two') };
    const strange = proposed('email.send', step(0, 9).action.payload, 9, foreign);
    expect(refusedBy(await propose(instance, [strange]))).toEqual([['enrolment', 'enrolment-step']]);
    expect(refusedBy(await propose(instance, [step(0, 10, { enrolment: contact })]))).toEqual([['enrolment']]);
  });
});

describe('a message of a sequence', () => {
  const often = content({ rules: { contactFrequency: { touches: 50, days: 1 } } });

  test('rests on no enrolment of another agent, whatever it wrote under the proposal id of that one', async () => {
    await publish(often);
    const enroll = proposed('sequence.enroll', {}, 1);
    expect(typesOf(await propose(instance, [enroll]))).toEqual(['ActionApproved']);
    const theirs = { agent: 'sequencing-agent', taskId: taskOf('sequencing-agent').taskId };
    const give = (data: ActionProposed) =>
      instance.deliver('actions.proposed.sequencing-agent.v1', [{ type: 'ActionProposed', data }]);
    // Refused, and noted with the id of the one agent and the task of the other.
    const noted = { ...proposed('sequence.enroll', {}, 7, theirs), proposalId: enroll.proposalId };
    expect(refusedBy(await give(noted))).toEqual([['proposal-id', 'action-id']]);
    expect(refusedBy(await give(message(enroll, 8, theirs)))).toEqual([['enrolment']]);
    // Its own enrolment opens its messages, and that of the first agent those of the first.
    const own = proposed('sequence.enroll', {}, 9, theirs);
    expect(typesOf(await give(own))).toEqual(['ActionApproved']);
    expect(typesOf(await give(message(own, 10, theirs)))).toEqual(['ActionApproved']);
    expect(typesOf(await propose(instance, [message(enroll, 11)]))).toEqual(['ActionApproved']);
  });

  /** What becomes of a message whose enrolment was approved and then settled so. */
  const afterSettled = async (outcomes: readonly ActionSettled['outcome'][]): Promise<readonly Published[]> => {
    await publish(often);
    const enroll = proposed('sequence.enroll', {}, 1);
    await settle(await propose(instance, [enroll]), outcomes);
    return propose(other, [message(enroll, 2)]);
  };

  test.each<[ActionSettled['outcome'][]]>([
    [['failed']],
    [['refused']],
    [['expired']],
    [['undone']],
    [['unresolved', 'failed']],
    [['executed', 'undone']],
  ])('rests on no enrolment that was settled as %j', async (outcomes) => {
    const refused = await afterSettled(outcomes);
    expect(refusedBy(refused)).toEqual([['enrolment']]);
    expect(refusals(refused)[0]?.verdict.reasons).toContainEqual(
      expect.objectContaining({ detail: expect.stringContaining(`came to nothing (${outcomes.at(-1)})`) }),
    );
  });

  test.each<[ActionSettled['outcome'][]]>([[[]], [['unresolved']], [['executed']], [['executed', 'failed']]])(
    'rests on an enrolment that was approved and settled as %j',
    async (outcomes) => {
      expect(typesOf(await afterSettled(outcomes))).toEqual(['ActionApproved']);
    },
  );
});

describe('a sequence that was stopped for a contact', () => {
  const often = content({ rules: { contactFrequency: { touches: 50, days: 1 } } });
  const enroll = proposed('sequence.enroll', {}, 1);
  const under = { agent: 'sequencing-agent', taskId: taskOf('sequencing-agent').taskId };
  /** By another agent, under a task of its own. */
  const stop = async (outcomes: readonly ActionSettled['outcome'][], payload = {}) => {
    const data = proposed('sequence.stop', payload, 7, under);
    const events = await other.deliver('actions.proposed.sequencing-agent.v1', [{ type: 'ActionProposed', data }]);
    expect(typesOf(events)).toEqual(['ActionApproved']);
    await settle(events, outcomes);
  };
  /** A minute after what was before. */
  const later = (minutes: number) => {
    for (const to of [instance, other]) to.setNow(plus(60 * minutes));
  };

  test('sends none of its messages any more, and the reason says why; an enrolment after the stop is another one', async () => {
    await publish(often);
    await propose(instance, [enroll]);
    later(1);
    await stop(['executed']);
    const refused = await propose(instance, [message(enroll, 2)]);
    expect(refusedBy(refused)).toEqual([['enrolment']]);
    expect(refusals(refused)[0]?.verdict.reasons).toContainEqual(
      expect.objectContaining({
        detail: expect.stringContaining(`was stopped for contact ${contact} after enrolment`),
      }),
    );
    later(2);
    const taskId = derivedId('task', 'two');
    await assign(taskId);
    const anew = proposed('sequence.enroll', {}, 3, { taskId });
    expect(typesOf(await propose(instance, [anew]))).toEqual(['ActionApproved']);
    expect(typesOf(await propose(instance, [message(anew, 4, { taskId })]))).toEqual(['ActionApproved']);
    expect(refusedBy(await propose(instance, [message(enroll, 5)]))).toEqual([['enrolment']]);
  });

  test.each<[string, ActionSettled['outcome'][], object]>([
    ['was not settled yet', [], {}],
    ['failed', ['failed'], {}],
    ['is unresolved', ['unresolved'], {}],
  ])('goes on where the stop %s', async (_what, outcomes, payload) => {
    await publish(often);
    await propose(instance, [enroll]);
    later(1);
    await stop(outcomes, payload);
    expect(typesOf(await propose(instance, [message(enroll, 2)]))).toEqual(['ActionApproved']);
  });

  test('is known as such after a restore, and so is what was enrolled after it', async () => {
    await publish(often);
    const approved = await propose(instance, [enroll]);
    later(1);
    const before = other.published.length;
    await stop(['executed']);
    later(2);
    const taskId = derivedId('task', 'two');
    await assign(taskId);
    const anew = proposed('sequence.enroll', {}, 3, { taskId });
    const stopped = other.published.slice(before);
    const events = [...approved, ...stopped, ...(await propose(instance, [anew]))];
    for (const table of ['reservations', 'permits', 'verdicts', 'proposals', 'inbox', 'outbox', 'jobs'])
      await instance.query(`DELETE FROM ${table}`);
    later(3);
    await instance.afterRestore(events);
    await settle(stopped, ['executed']);
    expect(await propose(instance, [enroll, anew])).toEqual([]);
    expect(refusedBy(await propose(instance, [message(enroll, 4)]))).toEqual([['enrolment']]);
    expect(typesOf(await propose(instance, [message(anew, 5, { taskId })]))).toEqual(['ActionApproved']);
  });

  test('before an update is known after it, and so is the enrolment', async () => {
    await publish(often);
    await propose(instance, [proposed('sequence.enroll', {}, 1, { rationale: 'a\0b' })]);
    later(1);
    await stop(['executed']);
    await updatedAnew(new StopsOfSequences1763700000011());
    expect(refusedBy(await propose(instance, [message(enroll, 2), proposed('sequence.enroll', {}, 3)]))).toEqual([
      ['enrolment'],
      ['enrolled-once'],
    ]);
  });
});

describe('a step of an enrolment', () => {
  const often = (kinds = {}) =>
    content({
      charter: { kinds, limits: { sendsPerHour: 50 } },
      rules: { contactFrequency: { touches: 50, days: 1 } },
    });
  const enrolled = async (kinds = {}) => {
    await publish(often(kinds));
    const enroll = proposed('sequence.enroll', {}, 1);
    expect(typesOf(await propose(instance, [enroll]))).toEqual(['ActionApproved']);
    return enroll;
  };
  const suggested = { 'email.send': 'suggest' };

  test('is approved once, whichever instances judge it at once, and in one batch', async () => {
    const enroll = await enrolled();
    const batches = [2, 4].map((n, b) => propose(b ? other : instance, [message(enroll, n), message(enroll, n + 1)]));
    const events = (await Promise.all(batches)).flat();
    expect(count(events, 'ActionApproved')).toBe(1);
    expect(refusedBy(events)).toEqual(Array(3).fill(['enrolment-step']));
  });

  test('of the enrolment under another task is another one, and under one task there is one enrolment', async () => {
    const enroll = await enrolled();
    expect(typesOf(await propose(instance, [message(enroll, 2)]))).toEqual(['ActionApproved']);
    const again = proposed('sequence.enroll', {}, 3);
    expect(refusedBy(await propose(other, [again]))).toEqual([['enrolled-once']]);
    expect(refusedBy(await propose(instance, [message(again, 4)]))).toEqual([['enrolment']]);
    const taskId = derivedId('task', 'two');
    await assign(taskId);
    const second = proposed('sequence.enroll', {}, 5, { taskId });
    expect(typesOf(await propose(instance, [second]))).toEqual(['ActionApproved']);
    expect(typesOf(await propose(instance, [message(second, 6, { taskId })]))).toEqual(['ActionApproved']);
  });

  test('may be sent, so its enrolment is the only one under the task, also where that came to nothing meanwhile', async () => {
    await publish(often());
    const first = proposed('sequence.enroll', {}, 1);
    const approved = await propose(instance, [first]);
    const sent = await propose(instance, [message(first, 2)]);
    expect(typesOf(sent)).toEqual(['ActionApproved']);
    await settle(approved, ['failed']);
    expect(refusedBy(await propose(other, [proposed('sequence.enroll', {}, 3)]))).toEqual([['enrolled-once']]);
    await settle(sent, ['expired']);
    expect(typesOf(await propose(other, [proposed('sequence.enroll', {}, 4)]))).toEqual(['ActionApproved']);
  });

  test.each<[ActionSettled['outcome'][], string[]]>([
    [['failed'], []],
    [['refused'], []],
    [['expired'], []],
    [['unresolved', 'expired'], []],
    [['unresolved'], ['enrolment-step']],
    [['executed'], ['enrolment-step']],
    [['executed', 'failed'], ['enrolment-step']],
  ])('whose message was settled as %j is, proposed again, refused by %j', async (outcomes, by) => {
    const enroll = await enrolled();
    await settle(await propose(instance, [message(enroll, 2)]), outcomes);
    expect(refusedBy(await propose(other, [message(enroll, 3)]))).toEqual(by.length > 0 ? [by] : []);
  });

  test('waits for one person’s answer at a time: rejected, or answered by nobody, it may come again; approved it may not', async () => {
    const enroll = await enrolled(suggested);
    const [first, second, third] = [2, 3, 4].map((n) => message(enroll, n)) as [
      ActionProposed,
      ActionProposed,
      ActionProposed,
    ];
    expect(typesOf(await propose(instance, [first, message(enroll, 9)]))).toEqual(['ActionEscalated', 'ActionRefused']);
    expect(refusedBy(await propose(other, [second]))).toEqual([['enrolment-step']]);
    await decide(instance, { digest: digestOf(first.action), decision: 'reject' }, first.proposalId);
    expect(typesOf(await propose(other, [third]))).toEqual(['ActionEscalated']);
    for (const to of [instance, other]) to.setNow(plus(3_601));
    await instance.runJobs();
    const fourth = message(enroll, 5);
    expect(typesOf(await propose(other, [fourth]))).toEqual(['ActionEscalated']);
    const answer = { digest: digestOf(fourth.action), decision: 'approve' as const };
    expect(typesOf(await decide(instance, answer, fourth.proposalId, plus(3_601)))).toEqual(['ActionApproved']);
    expect(refusedBy(await propose(instance, [message(enroll, 6)]))).toEqual([['enrolment-step']]);
  });

  test('that an edit makes of a message counts as what was approved, not as what was proposed', async () => {
    const enroll = await enrolled();
    const { sequence: _none, ...words } = message(enroll, 2).action.payload as Record<string, unknown>;
    await publish(often(suggested), 8);
    const free = proposed('email.send', words, 2);
    expect(typesOf(await propose(instance, [free]))).toEqual(['ActionEscalated']);
    const actionId = derivedId('action', derivedId('review', free.proposalId));
    const action = { ...message(enroll, 3).action, actionId };
    const edit = { digest: digestOf(free.action), decision: 'edit' as const, action };
    expect(typesOf(await decide(instance, edit, free.proposalId))).toEqual(['ActionRefused', 'ActionApproved']);
    expect(refusedBy(await propose(other, [message(enroll, 4)]))).toEqual([['enrolment-step']]);
    // Nor does an edit send it a second time.
    const another = proposed('email.send', words, 5);
    await propose(instance, [another]);
    const twice = { ...action, actionId: derivedId('action', derivedId('review', another.proposalId)) };
    const events = await decide(
      instance,
      { digest: digestOf(another.action), decision: 'edit', action: twice },
      another.proposalId,
    );
    expect(refusedBy(events).at(-1)).toEqual(['enrolment-step']);
  });

  test('that was approved before a restore is not approved again, though its proposal was not read again yet', async () => {
    const enroll = await enrolled();
    const events = [...instance.published, ...(await propose(instance, [message(enroll, 2)]))];
    for (const table of ['reservations', 'permits', 'verdicts', 'proposals', 'inbox', 'outbox', 'jobs'])
      await instance.query(`DELETE FROM ${table}`);
    await instance.afterRestore(events);
    expect(await propose(instance, [enroll])).toEqual([]);
    expect(refusedBy(await propose(instance, [message(enroll, 3)]))).toEqual([['enrolment-step']]);
  });

  test('that was approved or waited before an update is known after it; of two that waited one is approved', async () => {
    const enroll = await enrolled();
    const odd = message(enroll, 2, { rationale: 'a\0b' });
    expect(typesOf(await propose(instance, [odd]))).toEqual(['ActionApproved']);
    await publish(often(suggested), 8);
    const under = { taskId: derivedId('task', 'two') };
    await assign(under.taskId);
    const second = proposed('sequence.enroll', {}, 3, under);
    await propose(instance, [second]);
    const [first, beside] = [4, 5].map((n) => message(second, n, under)) as [ActionProposed, ActionProposed];
    expect(typesOf(await propose(instance, [first]))).toEqual(['ActionEscalated']);
    // Nothing told one step of another then.
    await instance.query('UPDATE escalations SET step = 7');
    expect(typesOf(await propose(instance, [beside]))).toEqual(['ActionEscalated']);
    await updatedAnew(new StepsOfEnrolments1763700000010());
    expect(refusedBy(await propose(other, [message(enroll, 6), message(second, 7, under)]))).toEqual([
      ['enrolment-step'],
      ['enrolment-step'],
    ]);
    const approve = (proposal: ActionProposed) =>
      decide(instance, { digest: digestOf(proposal.action), decision: 'approve' }, proposal.proposalId);
    expect(typesOf(await approve(first))).toEqual(['ActionApproved']);
    expect(refusedBy(await approve(beside))).toEqual([['enrolment-step']]);
  });
});

describe('an enrolment of a contact in a sequence', () => {
  const often = (kinds = {}) => content({ charter: { kinds }, rules: { contactFrequency: { touches: 50, days: 1 } } });
  const enroll = (n: number, change: Partial<ActionProposed> = {}) => proposed('sequence.enroll', {}, n, change);

  test('is approved once under a task, whichever instances judge it at once, and in one batch', async () => {
    await publish(often());
    const batches = [1, 3].map((n, b) => propose(b ? other : instance, [enroll(n), enroll(n + 1)]));
    const events = (await Promise.all(batches)).flat();
    expect(count(events, 'ActionApproved')).toBe(1);
    expect(refusedBy(events)).toEqual(Array(3).fill(['enrolled-once']));
  });

  test.each<[ActionSettled['outcome'][], string[]]>([
    [['failed'], []],
    [['executed', 'undone'], []],
    [[], ['enrolled-once']],
    [['unresolved'], ['enrolled-once']],
    [['executed'], ['enrolled-once']],
  ])('that was settled as %j is, proposed again, refused by %j', async (outcomes, by) => {
    await publish(often());
    await settle(await propose(instance, [enroll(1)]), outcomes);
    expect(refusedBy(await propose(other, [enroll(2)]))).toEqual(by.length > 0 ? [by] : []);
  });

  test('waits for one person’s answer at a time; rejected it may come again', async () => {
    await publish(often({ 'sequence.enroll': 'suggest' }));
    expect(typesOf(await propose(instance, [enroll(1)]))).toEqual(['ActionEscalated']);
    expect(refusedBy(await propose(other, [enroll(2)]))).toEqual([['enrolled-once']]);
    await decide(instance, { digest: digestOf(enroll(1).action), decision: 'reject' }, enroll(1).proposalId);
    expect(typesOf(await propose(other, [enroll(3)]))).toEqual(['ActionEscalated']);
    const answer = { digest: digestOf(enroll(3).action), decision: 'approve' as const };
    expect(typesOf(await decide(instance, answer, enroll(3).proposalId))).toEqual(['ActionApproved']);
    expect(refusedBy(await propose(instance, [enroll(4)]))).toEqual([['enrolled-once']]);
  });

  test('that was approved before a restore is not approved again', async () => {
    await publish(often());
    const events = [...instance.published, ...(await propose(instance, [enroll(1)]))];
    for (const table of ['reservations', 'permits', 'verdicts', 'proposals', 'inbox', 'outbox', 'jobs'])
      await instance.query(`DELETE FROM ${table}`);
    await instance.afterRestore(events);
    expect(refusedBy(await propose(instance, [enroll(2)]))).toEqual([['enrolled-once']]);
  });
});

describe('the proposals of a task', () => {
  test('are as many as its contacts and five, where the charter does not say: the next ones draw nothing and reach nobody', async () => {
    await publish(limited({ proposalsPerTask: undefined }, { 'ads.set_bid': 'suggest' }));
    const events = [
      ...(await propose(
        instance,
        [1, 2, 3].map((n) => bid(n)),
      )),
      ...(await propose(
        other,
        [4, 5, 6, 7].map((n) => bid(n)),
      )),
      ...(await propose(
        instance,
        [8, 9].map((n) => bid(n)),
      )),
    ];
    expect(count(events, 'ActionEscalated')).toBe(7);
    expect(refusedBy(events)).toEqual([['proposals-per-task'], ['proposals-per-task']]);
    expect(await instance.query('SELECT 1 FROM escalations')).toHaveLength(7);
    expect(await instance.query('SELECT 1 FROM reservations')).toEqual([]);
    expect(await instance.query('SELECT 1 FROM approvals_by_minute')).toEqual([]);
    // Another task has room of its own.
    const taskId = derivedId('task', 'two');
    await assign(taskId, { contactIds: [] });
    const more = await propose(
      instance,
      [1, 2, 3, 4, 5, 6].map((n) => bid(n, { taskId })),
    );
    expect([count(more, 'ActionEscalated'), count(more, 'ActionRefused')]).toEqual([5, 1]);
  });

  test('are exactly so many whichever instances judge them at once, and a repeat takes none', async () => {
    await publish(limited({ proposalsPerTask: 7 }));
    const batches = Array.from({ length: 10 }, (_, b) =>
      propose(
        b % 2 ? other : instance,
        [0, 1, 2].map((n) => bid(b * 3 + n)),
      ),
    );
    await Promise.all(batches);
    const all = [...instance.published, ...other.published];
    const approved = all.filter((e) => e.type === 'ActionApproved');
    expect(approved).toHaveLength(7);
    expect(refusedBy(all)).toEqual(Array(23).fill(['proposals-per-task']));
    const again = (approved[0] as Published).subject;
    const same = Array.from({ length: 30 }, (_, n) => bid(n)).filter((p) => p.proposalId === again);
    expect(same).toHaveLength(1);
    expect(await propose(other, same)).toEqual([]);
    expect(await instance.query('SELECT 1 FROM proposals')).toHaveLength(30);
  });

  test('of before an update are counted with it, by their task', async () => {
    await publish(limited({ proposalsPerTask: 2 }));
    const odd = bid(1, { rationale: 'a\0b' });
    await propose(instance, [bid(2), odd]);
    await updatedAnew(new CountedByTask1763700000009(), [
      `UPDATE state_rows SET data = data - 'dueAt' - 'contactCount' WHERE topic = 'tasks.assigned.v1'`,
    ]);
    const rows = await instance.query<{ task_id: string | null }>(
      'SELECT task_id FROM proposals ORDER BY task_id NULLS LAST',
    );
    expect(rows).toEqual([{ task_id: taskOf(agent).taskId }, { task_id: null }]);
    const events = await propose(instance, [bid(3), bid(4)]);
    expect(typesOf(events)).toEqual(['ActionApproved', 'ActionRefused']);
    const [task] = await instance.query(`SELECT data FROM state_rows WHERE key = $1`, [taskOf(agent).taskId]);
    expect(task).toMatchObject({ data: { assumed: true, contactCount: 1000, dueAt: plus(7 * day) } });
  });
});

describe('the actions of an agent that wait for a person', () => {
  const suggested = { 'ads.set_bid': 'suggest' };
  const open = async () => (await instance.query("SELECT 1 FROM escalations WHERE state = 'open'")).length;

  test('are exactly as many as may, whichever instances judge at once; an answer and the deadline make room', async () => {
    await publish(limited({ reviewsWaiting: 5 }, suggested));
    await Promise.all(
      Array.from({ length: 8 }, (_, b) =>
        propose(
          b % 2 ? other : instance,
          [0, 1, 2].map((n) => bid(b * 3 + n)),
        ),
      ),
    );
    const all = () => [...instance.published, ...other.published];
    expect(await open()).toBe(5);
    expect(count(all(), 'ActionEscalated')).toBe(5);
    expect(refusedBy(all())).toEqual(Array(19).fill(['reviews-waiting']));
    expect(await instance.query("SELECT 1 FROM jobs WHERE kind = 'review-deadline'")).toHaveLength(5);

    const card = all().find((e) => e.type === 'ActionEscalated')?.data as unknown as ActionEscalated;
    await decide(instance, { digest: card.digest, decision: 'reject' }, card.proposalId);
    const next = await propose(other, [bid(100), bid(101)]);
    expect(typesOf(next)).toEqual(['ActionEscalated', 'ActionRefused']);

    for (const to of [instance, other]) to.setNow(plus(3_601));
    await instance.runJobs();
    expect(await open()).toBe(0);
    expect(
      count(
        await propose(
          other,
          Array.from({ length: 7 }, (_, n) => bid(200 + n)),
        ),
        'ActionEscalated',
      ),
    ).toBe(5);
  });

  test('are those that its own restarts and restores find: what was escalated before is among them', async () => {
    await publish(limited({ reviewsWaiting: 2 }, suggested));
    const given = records(instance, [bid(1), bid(2)]);
    const events = await instance.deliverRecords(topic, given);
    expect(typesOf(events)).toEqual(['ActionEscalated', 'ActionEscalated']);
    for (const table of ['escalations', 'verdicts', 'proposals', 'inbox', 'outbox', 'jobs'])
      await instance.query(`DELETE FROM ${table}`);
    await instance.afterRestore(events);
    expect(await instance.deliverRecords(topic, given)).toEqual([]);
    expect(await open()).toBe(2);
    expect(refusedBy(await propose(instance, [bid(3)]))).toEqual([['reviews-waiting']]);
  });

  test('of one agent leave the room of another', async () => {
    await publish(limited({ reviewsWaiting: 1 }, suggested));
    await propose(instance, [bid(1), bid(2)]);
    const theirs = proposed('ads.set_bid', { bidMinor: 110 }, 1, { agent: 'sequencing-agent' });
    const events = await instance.deliver('actions.proposed.sequencing-agent.v1', [
      { type: 'ActionProposed', data: theirs },
    ]);
    expect(typesOf(events)).toEqual(['ActionEscalated']);
    expect(theirs.proposalId).toBe(proposalIdOf('sequencing-agent', theirs.taskId, theirs.item ?? ''));
  });
});
