import { expect, test } from 'vitest';
import { couldBePassSecret, passesIn } from './pass.js';
import { kafkaFact } from './testing.js';

const at = '2026-11-21T10:00:00.000Z';
const data = {
  passId: '8a4d1c52-3a0e-4a36-9a55-0d6b1f7e2c44',
  use: 'export' as const,
  purpose: 'yearly audit',
  secretSha256: 'ab'.repeat(32),
  by: 'lea',
  at,
  expiresAt: '2026-11-21T10:10:00.000Z',
};
const fact = (more: Partial<typeof data> = {}) =>
  kafkaFact(
    { id: 'pass-1', at, topic: 'record.passes.v1', type: 'RecordPassRequested', data: { ...data, ...more } } as never,
    0,
  );

test('a request becomes a pass of who asked, and keeps its end', () => {
  expect(passesIn([fact()], at)).toEqual([
    { passId: data.passId, secretSha256: data.secretSha256, by: 'lea', expiresAt: data.expiresAt },
  ]);
});

test('no event makes a pass that lasts longer than ten minutes, and one that is over makes none', () => {
  expect(passesIn([fact({ expiresAt: '2027-11-21T10:00:00.000Z' })], at)).toMatchObject([
    { expiresAt: '2026-11-21T10:10:00.000Z' },
  ]);
  expect(passesIn([fact({ expiresAt: at })], at)).toEqual([]);
});

test('the same event on another topic makes no pass, and neither does a record that cannot be read', () => {
  const { event, ...unread } = fact();
  expect(passesIn([{ ...unread, event: event as never, topic: 'reviews.decided.v1' }, unread], at)).toEqual([]);
});

test.each([
  ['A'.repeat(43), true],
  ['A'.repeat(42), false],
  ['A'.repeat(44), false],
  [`${'A'.repeat(42)}+`, false],
  ['', false],
])('%s can be a secret: %s', (token, could) => {
  expect(couldBePassSecret(token)).toBe(could);
});
