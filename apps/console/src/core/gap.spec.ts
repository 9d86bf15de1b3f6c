import { topology } from '@countersign/contracts';
import { expect, test } from 'vitest';
import { refusalOf, stateOf } from './gap.js';

const request = {
  service: 'orchestrator',
  topic: 'reviews.decided.v1',
  topicId: 'q5mZ1mXvSPmQW8iUqD3Yxg',
  partition: 2,
  from: 10,
  to: 15,
  reason: 'records-deleted' as const,
  note: 'given again',
};
const [before, noticedAt, after] = [9, 10, 11].map((hour) => `2026-11-21T${hour === 9 ? '09' : hour}:00:00.000Z`);

test.each([
  ['is open', { to: 15, endedAt: null }, undefined],
  ['nobody reported', undefined, { status: 404, detail: expect.stringContaining('has reported no gap') }],
  ['is closed', { to: 15, endedAt: noticedAt as string }, { status: 409, title: 'This gap is closed' }],
  [
    'ends elsewhere',
    { to: 16, endedAt: null },
    { status: 409, field: 'to', detail: expect.stringContaining('the end 16') },
  ],
  ['has no end', { to: null, endedAt: null }, { status: 409, field: 'to', detail: expect.stringContaining('no end') }],
])('a gap that %s is acknowledged, or it is said why not and where its values are', (_, known, refusal) => {
  const found = refusalOf(request, known);
  if (!refusal) expect(found).toBeUndefined();
  else expect(found).toMatchObject(refusal);
  if (found) expect(found.detail).toContain('`countersign gaps`');
});

test.each([
  ['reviews.decided.v1', [], null],
  ['unknown.v1', [], null],
  ['controls.v1', [], { writer: 'console', publishedAgainAt: null }],
  // What another reader noticed says nothing of the writer.
  [
    'controls.v1',
    [{ topic: 'controls.v1', service: 'orchestrator', at: after }],
    { writer: 'console', publishedAgainAt: null },
  ],
  [
    'controls.v1',
    [{ topic: 'consents.v1', service: 'console', at: after }],
    { writer: 'console', publishedAgainAt: null },
  ],
  [
    'controls.v1',
    [{ topic: 'controls.v1', service: 'console', at: before }],
    { writer: 'console', publishedAgainAt: null },
  ],
  [
    'controls.v1',
    [{ topic: 'controls.v1', service: 'console', at: after }],
    { writer: 'console', publishedAgainAt: after },
  ],
  [
    'consents.v1',
    [{ topic: 'consents.v1', service: 'signal-ingestion', at: after }],
    { writer: 'signal-ingestion', publishedAgainAt: after },
  ],
])('of a gap of %s, when %j was seen, the state is %j', (topic, madeAgain, expected) => {
  expect(stateOf({ topic, noticedAt: noticedAt as string }, topology(), madeAgain as never)).toEqual(expected);
});
