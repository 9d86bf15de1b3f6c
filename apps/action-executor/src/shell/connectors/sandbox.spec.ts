import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NotSent, NotWritten } from '../../core/answer.js';
import { approved, setBid } from '../testing.js';
import { Sandbox } from './sandbox.js';

const action = approved(setBid(), 'ads');
const key = action.action.actionId;
const patient = () => new AbortController().signal;

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly authorization: string | undefined;
  readonly body: string;
}

let server: Server;
let seen: Seen[];
let respond: (response: ServerResponse) => void;
let sandbox: Sandbox;

beforeEach(async () => {
  seen = [];
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { method, url, headers } = request;
    seen.push({ method, url, authorization: headers.authorization, body });
    respond(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  sandbox = new Sandbox('ads', { url: `http://127.0.0.1:${port}`, token: 'a-token' });
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const detail = (status: number, body: unknown) => (response: ServerResponse) =>
  void response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));

test('a call is put under its key with the token, and its answer comes back', async () => {
  respond = detail(200, { outcome: 'done', reference: 'r-1', before: { bidMinor: 1 }, after: { bidMinor: 2 } });
  const answer = { outcome: 'done', externalReference: 'r-1', before: { bidMinor: 1 }, after: { bidMinor: 2 } };
  expect(await sandbox.call(action, key, patient())).toEqual(answer);
  expect(await sandbox.find(key, patient())).toEqual(answer);
  const to = { url: `/ads/calls/${key}`, authorization: 'Bearer a-token' };
  expect(seen).toEqual([
    { ...to, method: 'PUT', body: JSON.stringify({ kind: 'ads.set_bid', payload: action.action.payload }) },
    { ...to, method: 'GET', body: '' },
  ]);
});

const reason = { code: 'no-such-campaign', detail: 'no such campaign: c-1' };
const token = /it does not take the token of SANDBOX_TOKEN_FILE/;

test.each<[string, number, unknown, object, object]>([
  ['a refusal', 200, { outcome: 'rejected', reason }, { outcome: 'rejected', reason }, { outcome: 'rejected', reason }],
  ['still at work', 200, { outcome: 'running' }, { outcome: 'unknown' }, { outcome: 'unknown' }],
  ['an unknown key', 404, { outcome: 'absent' }, { outcome: 'unknown' }, { outcome: 'absent' }],
  ['absent without 404', 200, { outcome: 'absent' }, { outcome: 'unknown' }, { outcome: 'unknown' }],
  ['404 of somebody else', 404, { status: 404 }, { outcome: 'unknown' }, { outcome: 'unknown' }],
  ['done with 404', 404, { outcome: 'done', reference: 'r' }, { outcome: 'unknown' }, { outcome: 'unknown' }],
  ['done without a reference', 200, { outcome: 'done' }, { outcome: 'unknown' }, { outcome: 'unknown' }],
  ['a page', 200, '<html>', { outcome: 'unknown' }, { outcome: 'unknown' }],
  ['half an answer', 200, '{"outcome":"done","refe', { outcome: 'unknown' }, { outcome: 'unknown' }],
  ['a call that is none', 400, {}, { outcome: 'rejected' }, { outcome: 'unknown' }],
  ['too many at once', 429, {}, { outcome: 'unknown' }, { outcome: 'unknown' }],
  ['a failure', 500, {}, { outcome: 'unknown' }, { outcome: 'unknown' }],
  ['a redirect', 307, {}, { outcome: 'unknown' }, { outcome: 'unknown' }],
  ['an unknown token', 401, {}, { detail: expect.stringMatching(token) }, { detail: expect.stringMatching(token) }],
  ['a token for something else', 403, {}, { detail: expect.stringMatching(token) }, { outcome: 'unknown' }],
])('%s: what the answer means', async (_what, status, body, called, found) => {
  respond = detail(status, body);
  expect(await sandbox.call(action, key, patient())).toMatchObject(called);
  expect(await sandbox.find(key, patient())).toMatchObject(found);
});

test('where nobody listens it is certain that nothing was sent', async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await expect(sandbox.call(action, key, patient())).rejects.toBeInstanceOf(NotSent);
  await expect(sandbox.find(key, patient())).rejects.not.toBeInstanceOf(NotSent);
});

test('a call that cannot be written is not sent, and what went wrong is told without its words', async () => {
  const { port } = server.address() as AddressInfo;
  const unable = new Sandbox('mailer', { url: `http://127.0.0.1:${port}`, token: 'a-token' }, () => {
    throw new TypeError('mia.lang@north.example');
  });
  const thrown = await unable.call(action, key, patient()).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(NotWritten);
  expect(thrown).toBeInstanceOf(NotSent);
  expect((thrown as Error).message).toBe('what is sent could not be written (TypeError)');
  expect(seen).toEqual([]);
});

test('a call that was cut off before it was answered may have been carried out', async () => {
  respond = (response) => response.destroy();
  await expect(sandbox.call(action, key, patient())).rejects.not.toBeInstanceOf(NotSent);
});

test('an answer that is longer than one may be is no answer', async () => {
  respond = detail(200, { outcome: 'done', reference: 'r', after: { text: 'x'.repeat(100_000) } });
  expect(await sandbox.call(action, key, patient())).toMatchObject({ outcome: 'unknown' });
});

test('one that never answers is given up when the signal says so', async () => {
  respond = () => undefined;
  await expect(sandbox.call(action, key, AbortSignal.timeout(200))).rejects.toThrow();
  await expect(sandbox.find(key, AbortSignal.timeout(200))).rejects.toThrow();
});
