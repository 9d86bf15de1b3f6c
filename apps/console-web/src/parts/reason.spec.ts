import { expect, test } from 'vitest';
import { plainReason, plainText, withoutContacts } from './reason.js';

const id = 'd75b6259-ab4c-52ba-86d0-8a55fc70a50e';
const people = new Map([[id, 'this person']]);
const now = Date.parse('2026-11-30T00:00:00Z');
const plain = (text: string): string => plainReason(text, people, now);

test('a used limit of messages says whom it protects, how many there may be, and from when on', () => {
  const text = plain(
    `1 of 1 touches of contact ${id} in 1 days are used; the next slot opens 2026-12-02T12:39:25.581Z`,
  );
  expect(text).toMatch(
    /^this person may be contacted at most once in a day, and that is used up; possible again from .*\b2\b/,
  );
  expect(text).not.toMatch(/T12|Z$/);
  expect(plain(`3 of 3 touches of contact ${id} in 7 days are used; the next slot opens x`)).toBe(
    'this person may be contacted at most 3 times in 7 days, and that is used up; possible again from x',
  );
  expect(plain(`2 of 3 touches of contact ${id} in 1 days are used; the next slot opens x`)).toBe(
    '2 of 3 touches of this person in 1 day are used; the next slot opens x',
  );
});

test('what changed after an approval is said without versions', () => {
  expect(plain(`consent of contact ${id} changed: version 2, signed at 1`)).toBe(
    'the consent of this person changed after this was approved',
  );
  expect(plain('agent:paid-media-agent was stopped and resumed since: version 3, signed at 1')).toBe(
    'the agent paid-media-agent was stopped and resumed after this was approved',
  );
});

test('a list that does not know its contacts calls each of them a contact', () => {
  expect(withoutContacts(`Send "intro" to contact ${id}, after contact ${id}`)).toBe(
    'Send "intro" to a contact, after a contact',
  );
  expect(withoutContacts('contact lea')).toBe('contact lea');
});

test('what is quoted has the quotation marks of the pages', () => {
  expect(plain('send "For [account name]" (sales), then "x"')).toBe('send “For [account name]” (sales), then “x”');
  expect(plain('<img alt="x"> is not known')).toBe('<img alt="x"> is not known');
  expect(plain('5" wide')).toBe('5" wide');
});

test('a stop names what is stopped in words, and leaves what a person wrote', () => {
  expect(plain('stopped: agent:paid-media-agent by lea: see agent:x, stopped: all')).toBe(
    'stopped: the agent paid-media-agent by lea: see agent:x, stopped: all',
  );
  expect(plain('stopped: all by lea: test')).toBe('stopped: everything by lea: test');
  expect(plain('stopped: channel:email by lea: test')).toBe('stopped: the channel email by lea: test');
  expect(plain('refused: stopped: all')).toBe('refused: stopped: everything');
  expect(plain('stopped: allies by lea')).toBe('stopped: allies by lea');
  expect(plain('all was stopped and resumed since: version 3, signed at 1')).toBe(
    'everything was stopped and resumed after this was approved',
  );
  expect(plain('EUR 20.00 over the cap')).toBe('EUR 20.00 over the cap');
});

test('a stop of a play or an account has its name, where the reader of the text knows it', () => {
  const scopes = new Map([
    ['play:surge', 'Surge'],
    ['account:acme', 'Acme'],
  ]);
  const named = (text: string): string => plainReason(text, people, now, scopes);
  expect(named('stopped: play:surge by lea: see account:acme')).toBe(
    'stopped: the play “Surge” by lea: see account:acme',
  );
  expect(named('account:acme was stopped and resumed since: version 3, signed at 1')).toBe(
    'the account “Acme” was stopped and resumed after this was approved',
  );
  expect(named('stopped: play:surge-2 by lea: x')).toBe('stopped: the play surge-2 by lea: x');
});

test('a text of the console names no contact by its id, and its times are in the zone of the reader', () => {
  expect(plainText(`contact ${id} agreed to marketing on 2026-11-29T12:00:00.000Z`, now)).toMatch(
    /^a contact agreed to marketing on .*\b29\b.*2026.*\d\d:\d\d/,
  );
  expect(plainText('stopped: agent:paid-media-agent by lea: test', now)).toBe(
    'stopped: the agent paid-media-agent by lea: test',
  );
});
