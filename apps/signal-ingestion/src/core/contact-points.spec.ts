import { expect, test } from 'vitest';
import { belonging, openedPoints, opensOtherwise, type Points, pointsAfter, pointsOf } from './contact-points.js';
import { signal } from './testing.js';

const none: Points = { fields: {} };
const contact = { ref: 'crm:1', email: 'Jane@Example.com' };
const early = '2026-01-01T00:00:00.000Z';
const late = '2026-02-01T00:00:00.000Z';

test('an upsert and a form tell name, phone and address as they were written', () => {
  const person = { firstName: 'Jane', lastName: 'Doe', phone: '+49 30 123' };
  expect(pointsOf(signal('ContactUpserted', { contact, person }))).toEqual({ ...person, email: 'Jane@Example.com' });
  expect(pointsOf(signal('FormSubmitted', { contact, formId: 'f', person }))).toMatchObject(person);
});

test('what takes a permission away is no occasion to keep an address', () => {
  expect(pointsOf(signal('EmailUnsubscribed', { contact }))).toEqual({});
  expect(pointsOf(signal('EmailComplained', { contact }))).toEqual({});
  expect(pointsOf(signal('EmailDelivered', { contact }))).toEqual({ email: 'Jane@Example.com' });
});

test('field by field the later value wins, whatever the order of arrival', () => {
  const state = pointsAfter(
    pointsAfter(none, { firstName: 'Janet', phone: '1' }, late),
    { firstName: 'Jane', lastName: 'Doe' },
    early,
  );
  expect(openedPoints(state)).toEqual({ firstName: 'Janet', lastName: 'Doe', phone: '1' });
});

test('points carry the name of the account the contact belongs to, and lose it with the account', () => {
  const acme = belonging(pointsAfter(none, { firstName: 'Jane' }, early), 'acme', 'Acme Inc');
  expect(openedPoints(acme)).toEqual({ firstName: 'Jane', accountName: 'Acme Inc' });
  expect(openedPoints(belonging(acme, 'acme', undefined))).toMatchObject({ accountName: 'Acme Inc' });
  expect(openedPoints(belonging(acme, 'other', undefined))).toEqual({ firstName: 'Jane' });
});

test('an account alone is nothing to open', () => {
  expect(openedPoints(belonging(none, 'acme', 'Acme Inc'))).toBeNull();
});

test('the same address told again opens nothing new, another one does', () => {
  const before = pointsAfter(none, { email: 'jane@example.com' }, early);
  expect(opensOtherwise(before, pointsAfter(before, { email: 'jane@example.com' }, late))).toBe(false);
  expect(opensOtherwise(before, pointsAfter(before, { email: 'doe@example.com' }, late))).toBe(true);
  expect(opensOtherwise(undefined, before)).toBe(true);
});
