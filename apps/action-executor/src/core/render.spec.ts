import { expect, test } from 'vitest';
import { render } from './render.js';

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
    detail: 'there is no placeholder {{contact.salary}}',
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
