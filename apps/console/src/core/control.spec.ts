import { expect, test } from 'vitest';
import { ControlRequest, changes, scopeProblem } from './control.js';

const known = { agents: ['paid-media-agent'], plays: ['return-below-floor'] };

test.each(['all', 'agent:paid-media-agent', 'play:return-below-floor', 'channel:email', 'account:any-account'])(
  '%s can be stopped',
  (scope) => {
    expect(scopeProblem(scope, known)).toBeUndefined();
  },
);

test.each([
  ['agent:paid-media', 'no agent is called paid-media; there is paid-media-agent'],
  ['play:nothing', 'no play is called nothing; there is return-below-floor'],
  ['channel:fax', 'no channel is called fax; there is email, advertising, crm'],
])('stopping %s is refused, since it would stop nothing', (scope, detail) => {
  expect(scopeProblem(scope, known)).toMatchObject({ status: 400, field: 'scope', detail });
});

test.each(['constructor:x', '__proto__:x', 'toString:x'])('%s is no family of scopes', (scope) => {
  expect(scopeProblem(scope, known)).toBeUndefined();
  expect(ControlRequest.safeParse({ scope, state: 'stopped', reason: 'x' }).success).toBe(false);
});

test('a control asks for a reason', () => {
  expect(ControlRequest.safeParse({ scope: 'all', state: 'stopped', reason: '  ' }).success).toBe(false);
});

test('a repeated stop changes nothing, nor does resuming what runs', () => {
  const stopped = { scope: 'all', state: 'stopped', by: 'lea', reason: 'x', version: 1, changedAt: '' } as const;
  expect(changes(stopped, { scope: 'all', state: 'stopped', reason: 'again' })).toBe(false);
  expect(changes(null, { scope: 'all', state: 'running', reason: 'never stopped' })).toBe(false);
  expect(changes(stopped, { scope: 'all', state: 'running', reason: 'over' })).toBe(true);
  expect(changes(null, { scope: 'all', state: 'stopped', reason: 'first' })).toBe(true);
});

test('an address in a reason is left out, and the stop is made', () => {
  const reasonOf = (reason: string) => ControlRequest.parse({ scope: 'all', state: 'stopped', reason }).reason;
  expect(reasonOf('Ann asked: see ann.miller@example.com, today')).toBe('Ann asked: see [address], today');
  expect(reasonOf('a@b.c '.repeat(83))).toHaveLength(500);
});

test('a reason is one line, however it was written: a stop never fails for its wording', () => {
  const reason = ' bids\r\nSTOPPED  all  by tom\u0085\u2028\u202e\u001b[2J ';
  const read = ControlRequest.parse({ scope: 'all', state: 'stopped', reason });
  expect(read.reason).toMatch(/^bids STOPPED all by tom/);
  expect(read.reason).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
  expect(ControlRequest.safeParse({ scope: 'all', state: 'stopped', reason: 'x'.repeat(501) }).success).toBe(false);
});
