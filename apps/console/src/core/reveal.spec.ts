import { expect, test } from 'vitest';
import { RevealRequest, stateOf, tooManyReveals } from './reveal.js';

/** The base point of P-256. */
const publicKey = {
  kty: 'EC',
  crv: 'P-256',
  x: 'axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY',
  y: 'T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU',
};
const request = { fields: ['name'], purpose: 'access-request', note: 'request 4711', publicKey };
const faults = (given: object): string[] =>
  (RevealRequest.safeParse(given).error?.issues ?? []).map(({ path }) => path.join('.'));

test('a request names fields once each, in one order, and its note is one line', () => {
  expect(RevealRequest.parse({ ...request, fields: ['email', 'name', 'email'], note: ' a \n b ' })).toMatchObject({
    fields: ['name', 'email'],
    note: 'a b',
  });
});

test.each([
  ['without a field', { fields: [] }, 'fields'],
  ['of a field that there is not', { fields: ['birthday'] }, 'fields.0'],
  ['without a purpose', { purpose: '' }, 'purpose'],
  ['without a note', { note: ' ' }, 'note'],
  ['with a note that is too long', { note: 'x'.repeat(201) }, 'note'],
  ['with an address in its note', { note: 'for jane@example.com' }, 'note'],
  ['with a private key', { publicKey: { ...publicKey, d: publicKey.x } }, 'publicKey'],
  ['with a point that is not on the curve', { publicKey: { ...publicKey, x: publicKey.y } }, 'publicKey'],
  ['with a key of another curve', { publicKey: { ...publicKey, crv: 'P-384' } }, 'publicKey.crv'],
  ['with a coordinate that is too long', { publicKey: { ...publicKey, x: 'x'.repeat(10_000) } }, 'publicKey.x'],
])('a request %s is refused, and the field is named', (_, more, field) => {
  expect(faults(request)).toEqual([]);
  expect(faults({ ...request, ...more })[0]).toBe(field);
});

test('a reveal waits until its end, and is unanswered after it; what was answered stays so', () => {
  const expiresAt = '2026-11-21T10:02:00.000Z';
  const states = ['2026-11-21T10:01:59.999Z', expiresAt].flatMap((at) =>
    ([null, 'sealed', 'refused'] as const).map((outcome) => stateOf({ outcome, expiresAt }, at)),
  );
  expect(states).toEqual(['waiting', 'sealed', 'refused', 'unanswered', 'sealed', 'refused']);
});

test('who has asked too often is told when to ask again', () => {
  const refused = tooManyReveals('ann', 20, '2026-11-21T10:30:00.001Z', '2026-11-21T10:00:00.000Z');
  expect(refused).toMatchObject({ status: 429, retryAfter: 1801 });
  expect(refused.detail).toContain('ann has asked 20 times within the last hour');
  expect(refused.detail).toContain('Ask again at 2026-11-21T10:30:00.001Z');
  const never = tooManyReveals('ann', 0, '2026-11-21T11:00:00.000Z', '2026-11-21T10:00:00.000Z');
  expect(never.detail).toContain('REVEALS_PER_HOUR is 0');
});
