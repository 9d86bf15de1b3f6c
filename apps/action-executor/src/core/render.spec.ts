import { expect, test } from 'vitest';
import { masked, render } from './render.js';

const points = { email: 'mia@north.example', firstName: 'Mia', accountName: 'North' };

test('fills in what is known', () => {
  expect(render('Hello {{contact.firstName}} of {{ account.name }}', points)).toEqual({
    ok: true,
    text: 'Hello Mia of North',
  });
});

test('refuses a placeholder that does not exist, and names it', () => {
  expect(render('{{contact.salary}}', points)).toMatchObject({
    ok: false,
    code: 'unknown-placeholder',
    says: 'there is no placeholder {{contact.salary}}',
  });
  expect(render('{{constructor}}', points)).toMatchObject({ code: 'unknown-placeholder' });
});

test('refuses a placeholder without a value rather than leaving a gap', () => {
  expect(render('Dear {{contact.lastName}}', points)).toMatchObject({ ok: false, code: 'no-value' });
  expect(render('Dear {{contact.lastName}}', { ...points, lastName: '  ' })).toMatchObject({ code: 'no-value' });
});

test('a name cannot bring in a header or another placeholder', () => {
  const bad = { ...points, firstName: 'Mia\r\n\0Bcc: all@north.example', lastName: '{{contact.firstName}}' };
  expect(render('{{contact.firstName}} {{contact.lastName}}', bad)).toEqual({
    ok: true,
    text: 'Mia Bcc: all@north.example {{contact.firstName}}',
  });
});

test.each([
  ['mia.lang@north.example', 'm***@n***.example'],
  ['m@localhost', 'm***@l***'],
  ['@', '***@***'],
  ['\u{1f600}x@\u{1f600}x.example', '\u{1f600}***@\u{1f600}***.example'],
  ['"a b"@[192.168.0.1]', '"***@[***.1]'],
])('masks %s', (address, expected) => expect(masked(address)).toBe(expected));
