import { derivedId, toBinary } from '@countersign/contracts';
import { eventBytes } from '@countersign/record';
import type { Received } from '@countersign/runtime';
import { describe, expect, test } from 'vitest';
import { actionId, approved, at, escalated, proposalId, refused } from './given.js';
import { storiesIn } from './stories.js';
import { beginsWithFirst, chainOfTask, doerOf, inOrder, type StepRow, stepsOf, traceUrlOf } from './story-steps.js';

const received = (type: string, data: unknown, topic = 'actions.escalated.v1'): Received =>
  ({
    event: { id: `of ${type}`, source: '/countersign/given', type, time: at, data, correlationid: 'signal-1' },
    topic,
    partition: 0,
    offset: '1',
    key: null,
    sha256: '',
    bytes: Buffer.alloc(0),
  }) as Received;

describe('what events say of a story', () => {
  test('a person in the sentence is told by what a reviewer is told, never by an id', () => {
    const contactId = derivedId('given', 'contact');
    const payload = { contactId, template: 'comparison-guide', purpose: 'marketing', subject: 's', body: 'b' };
    const card = {
      ...escalated().card,
      accountName: 'Lumen Health',
      people: [{ contactId, seniority: 'c-suite' as const, jobFunction: 'finance', accountName: 'Lumen Health' }],
    };
    const action = { actionId, kind: 'crm.create_task', accountId: 'acme', payload: { ...payload, title: 'Call' } };
    const { parts } = storiesIn([received('ActionEscalated', escalated({ action, card }))]);
    expect(parts).toMatchObject([{ accountName: 'Lumen Health', outcome: 'escalated' }]);
    expect(parts[0]?.sentence).not.toContain(contactId);
  });

  test('an edit takes the story over: what was superseded counts less than the verdict on the edited action', () => {
    const reviewId = derivedId('given', 'review');
    const review = { reviewId, by: 'lea', decision: 'edit' } as const;
    const edited = { ...escalated().action, actionId: derivedId('action', reviewId) };
    const { parts } = storiesIn([
      received('ActionRefused', refused({ review, supersededBy: edited.actionId })),
      received('ActionApproved', approved({ review, action: edited, actionId: edited.actionId })),
    ]);
    expect(parts.map(({ outcome, rank }) => [outcome, rank])).toEqual([
      ['superseded', 2],
      ['approved', 3],
    ]);
  });

  test('a name that steers a terminal or a table is made inert, and long lists end', () => {
    const card = { ...escalated().card, accountName: 'Lumen\u0000\u001b[31m' };
    const { names } = storiesIn([received('ActionEscalated', escalated({ card }))]);
    expect(names.map(({ name }) => name)).toContain('lumen\ufffd\ufffd[31m');
    expect(names.map(({ name }) => name)).toContain('acme');
  });
});

describe('the steps of a story', () => {
  const row = (seq: number, type: string, subjectId: string | null, more: Partial<StepRow> = {}): StepRow => ({
    seq: String(seq),
    correlationId: 'signal-1',
    topic: 'actions.refused.v1',
    partition: 0,
    offset: String(seq),
    eventId: `event-${seq}`,
    type,
    subjectId,
    detail: type,
    at,
    bytes: null,
    ...more,
  });

  test('are those of its proposal and its task and what began the chain, each once; not those of its neighbours', () => {
    const rows = [
      row(5, 'ActionRefused', proposalId),
      row(1, 'SignalAccepted', null),
      row(2, 'TaskAssigned', 'task-1'),
      row(3, 'TaskAssigned', 'task-2'),
      row(4, 'ActionProposed', 'another'),
      row(5, 'ActionRefused', proposalId),
      row(6, 'ControlConfirmed', null),
    ];
    const steps = stepsOf(rows, { proposalId, taskId: 'task-1', runId: 'run' });
    expect(steps.map(({ seq }) => seq)).toEqual(['1', '2', '5']);
  });

  test('stand in the order of what leads to what, where their times are equal', () => {
    const rows = [row(1, 'ActionApproved', proposalId), row(2, 'ActionProposed', proposalId)];
    expect(inOrder(rows).map(({ type }) => type)).toEqual(['ActionProposed', 'ActionApproved']);
    const late = [
      row(1, 'ActionProposed', proposalId, { at: '2026-11-21T11:00:00.000Z' }),
      row(2, 'ActionSettled', 'x'),
    ];
    expect(inOrder(late).map(({ seq }) => seq)).toEqual(['2', '1']);
  });

  /** A step whose bytes say what it is caused by, as a service or an agent wrote them. */
  const caused = (
    seq: number,
    type: string,
    by: { correlationid?: string; causationid?: string; data?: object },
  ): StepRow => {
    const event = { id: `event-${seq}`, source: '/countersign/given', type, time: at, data: {}, ...by };
    const { headers, value } = toBinary(event);
    const bytes = eventBytes({ key: null, headers, value: Buffer.from(value) });
    return row(seq, type, proposalId, { correlationId: by.correlationid ?? event.id, bytes });
  };
  const inChain = (seq: number, type: string, causationid?: string): StepRow =>
    caused(seq, type, { correlationid: 'signal-1', ...(causationid !== undefined && { causationid }) });
  const story = [
    inChain(1, 'SignalAccepted', 'signal-1'),
    inChain(2, 'TaskEscalated', 'event-1'),
    inChain(3, 'TaskAssigned', 'event-2'),
    inChain(4, 'ActionProposed', 'event-3'),
    inChain(5, 'ActionRefused', 'event-4'),
  ];

  test('begin with the first as long as the console has not forgotten it, whatever of them is asked for', () => {
    for (let length = 1; length <= story.length; length += 1)
      for (const ofProposal of [true, false]) {
        const begun = beginsWithFirst(story.slice(0, length), ofProposal);
        expect([length, ofProposal, begun]).toEqual([length, ofProposal, !ofProposal || length >= 4]);
      }
    for (let gone = 1; gone <= story.length; gone += 1)
      for (const ofProposal of [true, false])
        expect([gone, beginsWithFirst(story.slice(gone), ofProposal)]).toEqual([gone, false]);
  });

  test('begin with what a person or no event began, also where that is no signal', () => {
    expect(beginsWithFirst([caused(1, 'DeadLetter', { causationid: 'a job' })], false)).toBe(true);
    expect(
      beginsWithFirst([caused(1, 'DeadLetterReplayed', { correlationid: 'act', causationid: 'act' })], false),
    ).toBe(true);
    expect(beginsWithFirst([inChain(1, 'ReviewDecided', 'review-1')], false)).toBe(false);
  });

  test('begin with the first also where a clock was behind, and where its bytes are not here', () => {
    const [signal, escalation, ...others] = story as [StepRow, StepRow, ...StepRow[]];
    expect(beginsWithFirst([escalation, signal, ...others], true)).toBe(true);
    expect(beginsWithFirst([{ ...signal, bytes: null }, escalation, ...others], true)).toBe(true);
    expect(beginsWithFirst([{ ...escalation, bytes: null }, ...others], true)).toBe(false);
    // Each is the cause of the other.
    expect(beginsWithFirst([inChain(1, 'TaskSettled', 'event-2'), inChain(2, 'TaskSettled', 'event-1')], false)).toBe(
      false,
    );
  });

  test('reach into the chain of the task where an agent began one of its own with its proposal', () => {
    const assigned = { ...inChain(3, 'TaskAssigned', 'event-1'), subjectId: 'task-1' };
    const own = [caused(4, 'ActionProposed', {}), assigned];
    expect(chainOfTask(own, 'task-1', 'event-4')).toBe('signal-1');
    expect(chainOfTask(own, 'task-2', 'event-4')).toBeUndefined();
    expect(chainOfTask(story, proposalId, 'signal-1')).toBeUndefined();
    const about = { proposalId, taskId: 'task-1', runId: 'run' };
    expect(beginsWithFirst(stepsOf(own, about), true)).toBe(false);
    const whole = stepsOf([inChain(1, 'SignalAccepted', 'signal-1'), assigned, ...own], about);
    expect(whole.map(({ type }) => type)).toEqual(['SignalAccepted', 'TaskAssigned', 'ActionProposed']);
    expect(beginsWithFirst(whole, true)).toBe(true);
  });

  test('do not begin with the first where an agent names no cause, or begins a chain of its own with its proposal', () => {
    const refusal = inChain(5, 'ActionRefused', 'event-4');
    expect(beginsWithFirst([inChain(4, 'ActionProposed'), refusal], true)).toBe(false);
    const own = [
      caused(4, 'ActionProposed', {}),
      caused(5, 'ActionRefused', { correlationid: 'event-4', causationid: 'event-4' }),
    ];
    expect(beginsWithFirst(own, true)).toBe(false);
    expect(beginsWithFirst([...own].reverse(), true)).toBe(false);
  });

  test.each(['RevealRequested', 'DryRunAsked', 'RecordPassRequested', 'SettlementDecided'])(
    '%s is done by the person that it names',
    (type) => {
      expect(doerOf(caused(1, type, { data: { by: 'mara' } }), 'console')).toEqual({ kind: 'person', name: 'mara' });
    },
  );

  test('without the bytes of an event nobody is named but the writer of its topic, and no trace is linked', () => {
    expect(doerOf(row(1, 'ReviewDecided', proposalId), 'console')).toEqual({ kind: 'service', name: 'console' });
    expect(traceUrlOf(row(1, 'ReviewDecided', proposalId), 'https://traces.example/{traceId}')).toBeNull();
  });
});
