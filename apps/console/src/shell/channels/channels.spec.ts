import tls, { type ConnectionOptions } from 'node:tls';
import { afterEach, expect, test, vi } from 'vitest';
import type { Message } from '../../core/message.js';
import { selfSigned } from '../certificate-testing.js';
import { httpReceiver, mailServer } from '../notifying-testing.js';
import { sendMail } from './mail.js';
import { sendSlack, sendTeams, sendWebhook } from './web.js';

const at = '2026-11-21T10:00:00.000Z';
const message: Message = {
  id: '2ff3ae86-6acc-589f-aab7-697bc1e30f58',
  event: 'alarm',
  items: [
    { facts: { title: 'an alarm', lines: [['What to do', 'look']], path: '/', check: { on: 'nothing' } }, until: null },
  ],
  publicUrl: 'https://console.example.com',
  timeZone: 'UTC',
};

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
const opened = async <T extends { close(): Promise<void> }>(server: Promise<T>): Promise<T> => {
  const found = await server;
  closing.push(found.close);
  return found;
};

const login = { user: 'countersign', password: 'a long password' };
const mailTo = (port: number, how: 'starttls' | 'implicit' | 'none', given?: typeof login) =>
  sendMail(
    {
      ...{ kind: 'email', host: '127.0.0.1', port, tls: how, from: 'countersign@example.com' },
      ...(given && { login: given }),
    },
    'lea@example.com',
    message,
  );
/** From now on this process trusts the certificate, as an operator's machine trusts that of a mail server. */
function trust(cert: string): void {
  const { connect } = tls;
  const trusting = (options: ConnectionOptions, done?: () => void) => connect({ ...options, ca: cert }, done);
  vi.spyOn(tls, 'connect').mockImplementation(trusting as typeof tls.connect);
}

test.each([
  ['starttls', {}],
  ['implicit', { implicit: true }],
] as const)('a mail goes through TLS (%s), under the login of loginFile', async (how, options) => {
  const certificate = selfSigned();
  const server = await opened(mailServer({ ...options, certificate, login }));
  trust(certificate.cert);
  expect(await mailTo(server.port, how, login)).toEqual({ outcome: 'sent' });
  expect(server.sessions).toEqual([{ secure: true, user: 'countersign' }]);
  expect(server.mails).toMatchObject([{ to: ['lea@example.com'], text: expect.stringContaining('an alarm') }]);
});

test.each([
  ['starttls', {}],
  ['implicit', { implicit: true }],
] as const)('a certificate that nobody trusts (%s) gets neither mail nor login', async (how, options) => {
  const server = await opened(mailServer({ ...options, certificate: selfSigned(), login }));
  trust(selfSigned().cert);
  expect(await mailTo(server.port, how, login)).toEqual({
    outcome: 'later',
    words: expect.stringMatching(/^the mail server could not be used \(\w+\)$/),
  });
  expect([server.state.logins, server.state.tries]).toEqual([0, 0]);
});

test('a wrong login and a missing one are tried again, and say so without the login', async () => {
  const server = await opened(mailServer({ hideSTARTTLS: true, login }));
  const wrong = await mailTo(server.port, 'none', { ...login, password: 'another' });
  expect(wrong).toEqual({ outcome: 'later', words: 'the mail server does not accept the login (535)' });
  const missing = await mailTo(server.port, 'none');
  expect(missing).toEqual({ outcome: 'later', words: 'the mail server does not accept the login (530)' });
  expect(server.state.logins).toBe(1);
  expect(await mailTo(server.port, 'none', login)).toEqual({ outcome: 'sent' });
});

test('a server without the TLS that is asked for gets nothing, and may have it at the next try', async () => {
  const server = await opened(mailServer({ hideSTARTTLS: true }));
  expect(await mailTo(server.port, 'starttls')).toEqual({
    outcome: 'later',
    words: 'the mail server could not be used (ETLS)',
  });
  expect(server.state.tries).toBe(0);
});

test('a mail that the server refuses is refused for good', async () => {
  const server = await opened(mailServer({ hideSTARTTLS: true }));
  server.state.answer = () => 550;
  expect(await mailTo(server.port, 'none')).toMatchObject({ outcome: 'refused' });
});

const channels = async () => {
  const web = await opened(httpReceiver());
  const slack = { kind: 'slack', buttons: false, hooks: web.url } as const;
  const key = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  const bot = () => sendSlack({ ...slack, send: { token: 'xoxb-token', api: web.url } }, 'C1', message);
  const others = {
    'an incoming webhook of Slack': () => sendSlack({ ...slack, send: { webhook: web.url } }, undefined, message),
    'a workflow of Teams': () => sendTeams({ kind: 'teams', webhook: web.url }, message),
    'a webhook': () => sendWebhook({ kind: 'webhook', url: web.url, secret: key }, message, at, at),
  };
  return { web, bot, others };
};

test.each([
  ['longer than anybody reads', { body: 'x'.repeat(2_000_000) }],
  ['without an end', { body: 'ok', endless: true }],
])('what was taken is not sent again because the answer is %s', async (_name, answer) => {
  const { web, others } = await channels();
  web.state.answer = () => answer;
  for (const [name, send] of Object.entries(others)) expect([name, await send()]).toEqual([name, { outcome: 'sent' }]);
  expect(web.posted).toHaveLength(3);
});

test('of Slack’s API the body is read, up to a limit', async () => {
  const { web, bot } = await channels();
  web.state.answer = () => ({ body: JSON.stringify({ ok: true, more: 'x'.repeat(60_000) }) });
  expect(await bot()).toEqual({ outcome: 'sent' });
  web.state.answer = () => ({ body: JSON.stringify({ ok: true, more: 'x'.repeat(70_000) }) });
  expect(await bot()).toEqual({ outcome: 'later', words: 'Slack gave no answer that can be read' });
});

test.each([
  [401, 'later', 'does not accept the address or the credential (401)'],
  [403, 'later', 'does not accept the address or the credential (403)'],
  [404, 'later', 'does not accept the address or the credential (404)'],
  [429, 'later', 'does not take it now (429)'],
  [503, 'later', 'does not take it now (503)'],
  [302, 'refused', 'refused it for good (302)'],
  [400, 'refused', 'refused it for good (400)'],
  [410, 'refused', 'refused it for good (410)'],
])('an answer of %i: %s', async (status, outcome, words) => {
  const { web, bot, others } = await channels();
  web.state.answer = () => ({ status });
  for (const [name, send] of Object.entries({ ...others, bot }))
    expect([name, await send()]).toMatchObject([name, { outcome, words: expect.stringContaining(words) }]);
});

test.each([
  ['invalid_auth', 'later'],
  ['token_revoked', 'later'],
  ['missing_scope', 'later'],
  ['ratelimited', 'later'],
  ['channel_not_found', 'refused'],
  ['invalid_blocks', 'refused'],
])('Slack’s %s in a 200: %s', async (error, outcome) => {
  const { web, bot } = await channels();
  web.state.answer = () => ({ body: JSON.stringify({ ok: false, error }) });
  expect(await bot()).toMatchObject({ outcome, words: expect.stringContaining(`(${error})`) });
});
