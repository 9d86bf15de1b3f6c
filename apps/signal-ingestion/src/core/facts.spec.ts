import { expect, test } from 'vitest';
import { cleaned, factsOf, readable } from './facts.js';
import { signal } from './testing.js';

const contact = { ref: 'crm:1', email: 'jane@example.com' };

test('only facts travel on: not whom the signal names, not what is sealed', () => {
  const given = signal('FormSubmitted', {
    account: { id: 'acme' },
    contact,
    formId: 'demo',
    person: { firstName: 'Jane', phone: '+4930123' },
    message: 'call me',
  });
  expect(factsOf(cleaned(given))).toEqual({ formId: 'demo' });
});

test('a link keeps neither query nor fragment, user, nor an address in its path', () => {
  const url = 'https://jane:pw@example.com/u/jane%40example.com/plans?email=jane@example.com#jane';
  expect(factsOf(cleaned(signal('PageViewed', { contact, url })))).toEqual({
    url: 'https://example.com/u/[address]/plans',
  });
});

test('an address in a text is blanked, an identifier that looks like one is kept', () => {
  const viewed = signal('PageViewed', { contact, url: 'https://example.com/', title: 'For jane.doe@example.com only' });
  expect(factsOf(cleaned(viewed))).toMatchObject({ title: 'For [address] only' });
  const opened = signal('EmailOpened', { contact, messageId: '<1@mail.example.com>' });
  expect(factsOf(cleaned(opened))).toEqual({ messageId: '<1@mail.example.com>' });
});

test('cleaning leaves the contact in place for ingestion itself', () => {
  expect(cleaned(signal('EmailOpened', { contact })).data).toEqual({ contact });
});

test.each([
  ['an address', 'the reference', { ref: 'crm:1', email: '' }, { ref: 'crm:1' }, ['address', 'data.contact.email']],
  [
    'a reference',
    'the address',
    { ref: '', email: 'a@b.example' },
    { email: 'a@b.example' },
    ['reference', 'data.contact.ref'],
  ],
])('%s that could not be read is left out, and said; %s stays', (_out, _stays, given, stays, [code, field]) => {
  const { signal: read, leftOut } = readable(signal('EmailUnsubscribed', { contact: given }));
  expect(read.data).toEqual({ contact: stays });
  expect(leftOut).toMatchObject([{ code, field }]);
  const whole = signal('EmailUnsubscribed', { contact });
  expect(readable(whole)).toEqual({ signal: whole, leftOut: [] });
});

test('an address that no simple pattern knows is blanked too', () => {
  const title = 'For "jane doe"@example.com or o\'hara@firma.рф';
  expect(factsOf(cleaned(signal('PageViewed', { contact, url: 'https://example.com/', title })))).toMatchObject({
    title: 'For [address] or [address]',
  });
});
