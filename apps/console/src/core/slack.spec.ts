import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { at, proposalId } from './given.js';
import { isSigned, pressIn } from './slack.js';

const secret = '8f742231b10e8888abcd99yyyzzz85a5';
const seconds = Date.parse(at) / 1000;
const body = Buffer.from('payload=%7B%7D&x=%ff');
const sign = (timestamp: string, bytes = body, key = secret) =>
  `v0=${createHmac('sha256', key).update(`v0:${timestamp}:`).update(bytes).digest('hex')}`;

test("the example of Slack's documentation is signed", () => {
  const given = Buffer.from(
    'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c',
  );
  const signature = 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503';
  const timestamp = '1531420618';
  expect(isSigned({ secret, timestamp, signature, body: given }, '2018-07-12T18:36:58.000Z')).toBe(true);
});

test.each([
  ['now', String(seconds), undefined, true],
  ['five minutes ago', String(seconds - 300), undefined, true],
  ['more than five minutes ago', String(seconds - 301), undefined, false],
  ['more than five minutes ahead', String(seconds + 301), undefined, false],
  ['with another time than was signed', String(seconds - 1), sign(String(seconds)), false],
  ['with another secret', String(seconds), sign(String(seconds), body, 'another secret'), false],
  ['over another body', String(seconds), sign(String(seconds), Buffer.from('payload=%7B%7D&x=%fe')), false],
  ['without a signature', String(seconds), '', false],
  ['with half a signature', String(seconds), sign(String(seconds)).slice(0, 40), false],
  ['with a time that is none', 'NaN', sign('NaN'), false],
])('a request signed %s', (_name, timestamp, signature, expected) => {
  expect(isSigned({ secret, timestamp, signature: signature ?? sign(timestamp), body }, at)).toBe(expected);
});

const value = { subjectId: proposalId, digest: 'a'.repeat(64), decision: 'approve' };
const form = (action: object, more: object = {}) =>
  new URLSearchParams({
    payload: JSON.stringify({
      type: 'block_actions',
      user: { id: 'U1' },
      trigger_id: 't.1',
      actions: [{ action_id: 'countersign-approve', action_ts: '1.2', value: JSON.stringify(value), ...action }],
      ...more,
    }),
  }).toString();

test('a press is read, with what makes it this press', () => {
  expect(pressIn(form({}))).toEqual({ user: 'U1', press: 't.1 1.2', answer: value });
  expect(pressIn(form({ action_id: 'open', value: undefined }))).toEqual({ user: 'U1', press: 't.1 1.2' });
});

const block = `countersign ${value.subjectId} ${value.digest}`;
const chosen = (more: object = {}) => ({
  ...{ action_id: 'countersign-reject-why', block_id: block, value: undefined },
  ...{ selected_option: { value: 'wrong-time' }, ...more },
});

test('a choice in the menu is a rejection that says why', () => {
  expect(pressIn(form(chosen()))).toEqual({
    user: 'U1',
    press: 't.1 1.2',
    answer: { subjectId: value.subjectId, digest: value.digest, decision: 'reject', category: 'wrong-time' },
  });
});

test('the button of an earlier message is a rejection that does not say why', () => {
  const rejected = { ...value, decision: 'reject' };
  const action = { action_id: 'countersign-reject', value: JSON.stringify(rejected) };
  expect(pressIn(form(action))?.answer).toEqual(rejected);
});

test.each([
  ['no payload', 'x=1'],
  ['a choice that there is not', form(chosen({ selected_option: { value: 'wrong' } }))],
  ['no choice', form(chosen({ selected_option: null }))],
  ['a choice about no card', form(chosen({ block_id: 'countersign x y' }))],
  ['a choice in a block of something else', form(chosen({ block_id: 'b1' }))],
  ['a choice about another kind of digest', form(chosen({ block_id: `${block}f` }))],
  ['no JSON', 'payload=%7B'],
  ['another kind', form({}, { type: 'view_submission' })],
  ['no action', form({}, { actions: [] })],
  ['a button that says one thing and means the other', form({ action_id: 'countersign-reject' })],
  ['a value with more than ours', form({ value: JSON.stringify({ ...value, payload: {} }) })],
  ['an edit', form({ value: JSON.stringify({ ...value, decision: 'edit' }) })],
  ['a value of any length', form({ value: 'x'.repeat(3000) })],
])('%s is none of ours', (_name, given) => {
  expect(pressIn(given)).toBeUndefined();
});
