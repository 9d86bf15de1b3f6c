import { expect, test } from 'vitest';
import { answerOf, foundOf } from './webhook.js';

const key = 'k-1';
const text = (body: unknown) => JSON.stringify(body);

test.each<[number, string, string]>([
  [200, '', 'done'],
  [204, '', 'done'],
  [200, 'thanks', 'done'],
  [202, text({ outcome: 'running' }), 'unknown'],
  [202, text({ outcome: 'queued' }), 'unknown'],
  [200, text({ outcome: 'rejected', reason: 'x'.repeat(5_000) }), 'rejected'],
  [200, text({ outcome: 'done', reference: 7 }), 'done'],
  [301, '', 'unknown'],
  [400, '', 'rejected'],
  [401, '', 'unknown'],
  [403, '', 'rejected'],
  [408, '', 'unknown'],
  [200, '<!DOCTYPE html><p>Back soon</p>', 'unknown'],
  [200, '\ufeff <html>', 'unknown'],
  [200, '{"outcome": "rej', 'unknown'],
  [200, '[]', 'done'],
  [404, '<html>', 'rejected'],
  [409, '', 'unknown'],
  [409, text({ outcome: 'rejected' }), 'unknown'],
  [410, '', 'rejected'],
  [412, '', 'rejected'],
  [422, text({ outcome: 'done' }), 'unknown'],
  [422, '', 'rejected'],
  [425, '', 'unknown'],
  [429, '', 'unknown'],
  [500, text({ outcome: 'done' }), 'unknown'],
  [503, text({ outcome: 'rejected' }), 'unknown'],
])('a call answered with %i %s is %s', (status, body, outcome) => {
  expect(answerOf(status, body, key).outcome).toBe(outcome);
});

test.each<[number, string, string]>([
  [200, text({ outcome: 'done', reference: 'r-1' }), 'done'],
  [200, text({ outcome: 'rejected', reason: 'no such list' }), 'rejected'],
  [200, text({ outcome: 'running' }), 'unknown'],
  [200, '', 'unknown'],
  [200, text({ status: 'fine' }), 'unknown'],
  [200, text({ outcome: 'absent' }), 'absent'],
  [404, text({ outcome: 'absent' }), 'absent'],
  [404, '', 'unknown'],
  [404, '{}', 'unknown'],
  [404, text({ error: 'no such route' }), 'unknown'],
  [404, text({ outcome: 'done' }), 'unknown'],
  [404, '<html><h1>404</h1></html>', 'unknown'],
  [404, '{"outcome": "abs', 'unknown'],
  [200, '<html>', 'unknown'],
  [302, text({ outcome: 'absent' }), 'unknown'],
  [503, text({ outcome: 'absent' }), 'unknown'],
  [401, '', 'unknown'],
  [405, '', 'unknown'],
  [409, '', 'unknown'],
  [410, text({ outcome: 'absent' }), 'unknown'],
  [500, '', 'unknown'],
])('a question answered with %i %s is %s', (status, body, outcome) => {
  expect(foundOf(status, body, key).outcome).toBe(outcome);
});

test('an answer that is too long to be read whole tells nothing', () => {
  expect(answerOf(200, undefined, key)).toMatchObject({ outcome: 'unknown' });
  expect(foundOf(404, undefined, key)).toMatchObject({ outcome: 'unknown' });
});

test('reference, values and reason come through, and the key stands in for a missing reference', () => {
  expect(
    answerOf(200, text({ reference: 'r-1', spentMinor: 4600, before: { bid: 1 }, after: { bid: 2 } }), key),
  ).toEqual({
    outcome: 'done',
    externalReference: 'r-1',
    spentMinor: 4600,
    before: { bid: 1 },
    after: { bid: 2 },
  });
  expect(answerOf(204, '', key)).toEqual({ outcome: 'done', externalReference: key });
  expect(answerOf(422, text({ reason: 'no such list' }), key)).toMatchObject({ reason: { detail: 'no such list' } });
  expect(answerOf(422, '<html>', key)).toMatchObject({ reason: { detail: 'the receiver refused with 422' } });
});

test.each([0, -1, 46.5, '46', Number.MAX_SAFE_INTEGER + 1])(
  'an amount of %s is no amount, and settles all the same',
  (spentMinor) => {
    expect(answerOf(200, text({ spentMinor }), key)).toEqual({ outcome: 'done', externalReference: key });
  },
);

test('values that are too large for a settlement are left out', () => {
  expect(answerOf(200, text({ after: { body: 'x'.repeat(5_000) } }), key)).toEqual({
    outcome: 'done',
    externalReference: key,
  });
});

test('an answer that nests too deep to be kept is no answer of ours', () => {
  const after = (depth: number) => `{"outcome":"done","after":{"x":${'['.repeat(depth)}${']'.repeat(depth)}}}`;
  expect(answerOf(200, after(90), key)).toMatchObject({ outcome: 'done' });
  for (const depth of [101, 100_000]) expect(answerOf(200, after(depth), key)).toMatchObject({ outcome: 'unknown' });
});
