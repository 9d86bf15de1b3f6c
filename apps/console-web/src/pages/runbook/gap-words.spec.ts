import { expect, test } from 'vitest';
import { howToRepair, lackingState, placeText, standingOf, waitingTopics, whatHappened } from './gap-words.js';
import type { AcknowledgedGap, OpenGap } from './runbook.queries.js';

const at = '2026-11-21T10:00:00.000Z';
const later = '2026-11-21T10:30:00.000Z';
const gap: OpenGap = {
  gapId: '00000000-0000-4000-8000-000000000001',
  service: 'orchestrator',
  topic: 'signals.accepted.v1',
  topicId: 'q5mZ1mXvSPmQW8iUqD3Yxg',
  partition: 2,
  from: 10,
  to: 15,
  reason: 'records-deleted',
  noticedAt: at,
  acknowledged: null,
  state: null,
};
const again = { ...gap, to: null, reason: 'topic-made-again' as const };
const pending = { by: 'lea', note: 'known', at };

test('the topics are those with gaps that nobody has acknowledged', () => {
  const others = { ...gap, topic: 'controls.v1' };
  expect(waitingTopics([gap, { ...others, acknowledged: pending }, { ...gap, service: 'console' }])).toEqual([
    { topic: gap.topic, gaps: [gap, { ...gap, service: 'console' }] },
  ]);
  expect(waitingTopics([{ ...gap, acknowledged: pending }])).toEqual([]);
});

test.each([
  [gap, 'partition 2, the records from 10 to 14'],
  [{ ...gap, to: 11 }, 'partition 2, the record 10'],
  [again, 'partition 2, all from 10 on'],
])('a place names the records, the last of them included: %j', (place, text) => {
  expect(placeText(place)).toBe(text);
});

test('what happened is said for each reason, with the services that it concerns', () => {
  const [deleted, made] = whatHappened([
    gap,
    { ...again, service: 'console' },
    { ...again, service: 'audit-recorder' },
  ]);
  expect(deleted).toContain('before orchestrator read them. It handles');
  expect(made).toContain('audit-recorder and console read the new one');
  expect(whatHappened([gap])).toHaveLength(1);
});

test('a log has a way to get its records back; accepted signals need new ids', () => {
  expect(howToRepair('signals.accepted.v1')).toContain('under a new id');
  expect(howToRepair('signals.inbound.crm.v1')).toContain('keeps its id');
  expect(howToRepair('tasks.assigned.v1')).toContain('writes this topic');
});

test('a service lacks state only if records were deleted; the writer has published again when it did for every such gap', () => {
  const state = { writer: 'console', publishedAgainAt: null };
  expect(lackingState([gap])).toBeUndefined();
  expect(lackingState([{ ...again, state }])).toBeUndefined();
  const [mended, open] = [
    { ...gap, state: { ...state, publishedAgainAt: later } },
    { ...gap, state },
  ];
  expect(lackingState([open])).toEqual({ writer: 'console', publishedAgainAt: null, gaps: [open] });
  expect(lackingState([mended, open])?.publishedAgainAt).toBeNull();
  expect(lackingState([mended])?.publishedAgainAt).toBe(later);
});

test('an acknowledgement counts as done only if its service has closed the gap', () => {
  const { state: _, acknowledged: __, noticedAt: ___, ...place } = gap;
  const word: AcknowledgedGap = { ...place, ...pending, answer: null };
  const waiting = { ...gap, acknowledged: pending };
  const standing = (given: Partial<AcknowledgedGap>, open: OpenGap[], silent: string[] = []) =>
    standingOf({ ...word, ...given }, open, new Set(silent));
  expect(standing({ answer: { outcome: 'closed', at: later } }, [])).toMatchObject({ state: 'closed' });
  expect(standing({ answer: { outcome: 'not-open', at: later } }, [])).toMatchObject({
    state: 'not-open',
    text: expect.stringContaining('Not closed by this'),
  });
  expect(standing({}, [waiting])).toMatchObject({
    state: 'waiting',
    text: expect.stringContaining('look at the health page of orchestrator'),
  });
  expect(standing({}, [waiting], ['orchestrator']).text).toContain('no instance of orchestrator runs');
  expect(standing({}, [gap])).toMatchObject({
    state: 'reported-again',
    text: expect.stringContaining('acknowledge the gap again'),
  });
  expect(standing({}, [])).toMatchObject({ state: 'unknown' });
});
