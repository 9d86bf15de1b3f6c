import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createHarness, type Harness, tablesOf } from '@countersign/runtime/harness';
import { copyTestDatabase, type TestDatabase } from '@countersign/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { at } from '../core/given.js';
import { ConsoleModule, spec } from '../module.js';

/* What somebody tries who knows the code: each is tried on the HTTP side as it is started. */

let database: TestDatabase;
let harness: Harness;
let folder: string;
let port: number;
const authorization = 'Bearer lea-token';

beforeAll(async () => {
  database = await copyTestDatabase(tablesOf(spec));
  folder = mkdtempSync(join(tmpdir(), 'attacks-'));
  const sha256 = createHash('sha256').update('lea-token').digest('hex');
  writeFileSync(join(folder, 'tokens.json'), JSON.stringify([{ sha256, person: 'lea', roles: ['operator'] }]));
  process.env.CONSOLE_TOKENS_FILE = join(folder, 'tokens.json');
  process.env.CONFIG_DIR = fileURLToPath(new URL('../../../../deploy/config', import.meta.url));
  harness = await createHarness(ConsoleModule, spec, { databaseUrl: database.url, at });
  await harness.app.listen(0, '127.0.0.1');
  ({ port } = harness.app.getHttpServer().address() as AddressInfo);
});
afterAll(async () => {
  await harness?.close();
  await database?.close();
  if (folder) rmSync(folder, { recursive: true });
});

interface Asked {
  readonly method?: 'GET' | 'HEAD' | 'OPTIONS' | 'POST' | 'PUT' | 'TRACE';
  readonly url: string;
  readonly headers?: Record<string, string>;
  readonly payload?: string;
}
const ask = ({ method = 'GET', ...asked }: Asked) => harness.app.inject({ method: method as 'GET', ...asked });
/** Sends bytes, and resolves to all that comes back. */
async function raw(bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  let answer = '';
  socket.setEncoding('latin1').on('data', (piece: string) => {
    answer += piece;
  });
  socket.write(bytes);
  await new Promise((closed) => socket.once('close', closed));
  return answer;
}
async function signIn(): Promise<{ readonly cookie: string; readonly csrf: string }> {
  const made = (await ask({ method: 'POST', url: '/v1/sign-in/links', headers: { authorization } })).json();
  const begun = await ask({
    ...{ method: 'POST', url: '/v1/session', headers: { 'content-type': 'application/json' } },
    payload: JSON.stringify({ code: String(made.url).split('#code=')[1] }),
  });
  return { cookie: String(begun.headers['set-cookie']).split(';')[0] as string, csrf: begun.json().csrfToken };
}
const json = { authorization, 'content-type': 'application/json' };
const stop = JSON.stringify({ scope: 'all', state: 'stopped', reason: 'x' });
const stops = () => harness.published.filter(({ type }) => type === 'ControlChanged');

const answers: readonly [string, number, Asked][] = [
  ['a page', 200, { url: '/v1/whoami', headers: { authorization } }],
  ['nobody asking', 401, { url: '/v1/whoami' }],
  ['an unknown token', 401, { url: '/v1/whoami', headers: { authorization: 'Bearer x' } }],
  ['a cookie that is none', 401, { url: '/v1/whoami', headers: { cookie: `countersign=${'x'.repeat(43)}` } }],
  ['an address that nothing has', 404, { url: '/v1/nothing', headers: { authorization } }],
  ['an address that cannot be read', 400, { url: '/v1/%zz' }],
  ['a NUL in the address', 400, { url: '/v1/whoami?x=%00', headers: { authorization } }],
  ['a body that is none', 400, { method: 'POST', url: '/v1/controls', headers: json, payload: '{' }],
  [
    'a body that is too large',
    413,
    { method: 'POST', url: '/v1/controls', headers: json, payload: `"${'x'.repeat(300_000)}"` },
  ],
  ['an act without the role', 403, { method: 'POST', url: '/v1/policies/check', headers: { authorization } }],
  [
    'a refused sign-in',
    401,
    { method: 'POST', url: '/v1/session', headers: { 'content-type': 'application/json' }, payload: '{"code":"x"}' },
  ],
  ['a provider that is not set up', 404, { url: '/v1/sign-in/oidc' }],
  ['an unsigned press', 401, { method: 'POST', url: '/v1/slack/actions' }],
];
test.each(answers)(
  'the answer to %s (%i) is kept by nobody, in no frame, and nothing of it runs',
  async (_, status, asked) => {
    const { statusCode, headers } = await ask(asked);
    expect(statusCode).toBe(status);
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['x-frame-options']).toBe('DENY');
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*/);
    // No other site may read an answer.
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
    if (status >= 400 && !String(headers['content-type']).startsWith('text/html'))
      expect(headers['content-type']).toContain('application/problem+json');
  },
);

test.each([
  ['text/plain', stop],
  ['application/x-www-form-urlencoded', 'scope=all&state=stopped&reason=x'],
  ['multipart/form-data; boundary=x', `--x\r\nContent-Disposition: form-data; name="scope"\r\n\r\nall\r\n--x--`],
  ['application/json+x', stop],
  ['text/html, application/json', stop],
  ['', stop],
])('a body that is called %j is not read as JSON', async (type, payload) => {
  const answer = await ask({
    ...{ method: 'POST', url: '/v1/controls', payload },
    headers: { authorization, ...(type !== '' && { 'content-type': type }) },
  });
  expect([400, 415]).toContain(answer.statusCode);
  expect(stops()).toEqual([]);
});

test.each([
  ['a member called __proto__', '{"scope":"all","state":"stopped","reason":"x","__proto__":{"by":"max"}}'],
  ['a constructor', '{"scope":"all","state":"stopped","reason":"x","constructor":{"prototype":{"by":"max"}}}'],
  ['a name of somebody else', '{"scope":"all","state":"stopped","reason":"x","by":"max"}'],
  ['a list', `[${stop}]`],
  ['what is nested without end', '['.repeat(100_000)],
])('a body with %s does nothing', async (_, payload) => {
  expect((await ask({ method: 'POST', url: '/v1/controls', headers: json, payload })).statusCode).toBe(400);
  expect(stops()).toEqual([]);
});

test.each([
  ['X-HTTP-Method-Override', { 'x-http-method-override': 'POST' }],
  ['X-HTTP-Method', { 'x-http-method': 'POST' }],
  ['X-Original-URL', { 'x-original-url': '/v1/controls', 'x-rewrite-url': '/v1/controls' }],
])('%s makes no other request of one', async (_, headers) => {
  const answer = await ask({ url: '/v1/controls', headers: { ...json, ...headers } });
  expect(answer.statusCode).toBe(200);
  expect(stops()).toEqual([]);
});

test('HEAD and OPTIONS change nothing, tell a stranger nothing, and let in no other site', async () => {
  for (const method of ['HEAD', 'OPTIONS'] as const) {
    const origin = 'https://evil.example';
    const stranger = await ask({
      method,
      url: '/v1/controls',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
    expect([stranger.statusCode, stranger.headers['access-control-allow-origin']]).toEqual([401, undefined]);
    const known = await ask({ method, url: '/v1/controls', headers: { authorization } });
    expect([200, 404]).toContain(known.statusCode);
    if (method === 'HEAD') expect(known.body).toBe('');
  }
  expect(stops()).toEqual([]);
});

test('headers without end are refused, and the service answers on', async () => {
  const answer = await raw(`GET /v1/whoami HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(17_000)}\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1\.1 431 /);
  const cookies = await raw(
    `GET /v1/whoami HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: ${'a=b; '.repeat(2_500)}\r\n\r\n`,
  );
  expect(cookies).toMatch(/^HTTP\/1\.1 401 /);
  expect((await ask({ url: '/v1/whoami', headers: { authorization } })).statusCode).toBe(200);
});

test('a request whose body is held back until its session has ended does nothing', async () => {
  const { cookie, csrf } = await signIn();
  const body = JSON.stringify({ scope: 'all', state: 'stopped', reason: 'held back' });
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  let answer = '';
  socket.setEncoding('latin1').on('data', (piece: string) => {
    answer += piece;
  });
  // It is written down as seen once it is let in.
  harness.setNow(new Date(Date.parse(at) + 120_000).toISOString());
  socket.write(
    `POST /v1/controls HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: ${cookie}\r\nX-CSRF-Token: ${csrf}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 5)}`,
  );
  await vi.waitFor(async () => {
    const seen = await harness.query('SELECT 1 FROM sessions WHERE last_seen_at > created_at');
    expect(seen).toHaveLength(1);
  });
  const out = await ask({
    ...{ method: 'POST', url: '/v1/sign-outs', headers: json },
    payload: JSON.stringify({ person: 'lea', reason: 'a test' }),
  });
  expect(out.statusCode).toBe(200);
  socket.write(body.slice(5));
  await new Promise((closed) => socket.once('close', closed));
  expect(answer).toMatch(/^HTTP\/1\.1 401 /);
  expect(answer).toContain('Session ended');
  expect(stops()).toEqual([]);
  harness.setNow(new Date(Date.parse(at) + 180_000).toISOString());
});

test.each([
  ['two lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello'],
  [
    'a length and chunks',
    'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /v1/whoami HTTP/1.1\r\n\r\n',
  ],
  ['a line that ends too early', 'X: a\rAuthorization: Bearer lea-token\r\n\r\n'],
])('a request with %s is no request: none is hidden in it', async (_, rest) => {
  const answer = await raw(`POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${rest}`);
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer).not.toContain('lea');
});

test('the host that a request names goes into no link and no redirect', async () => {
  const headers = {
    authorization,
    host: 'evil.example',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'https',
  };
  const answer = await ask({ method: 'POST', url: '/v1/sign-in/links', headers });
  expect(answer.statusCode).toBe(201);
  expect(answer.json().url).toMatch(/^http:\/\/127\.0\.0\.1:8088\/sign-in#code=/);
});

test('a cookie beside another one, or half of one, is nobody, and the right one counts wherever it stands', async () => {
  const { cookie } = await signIn();
  const status = async (sent: string) => (await ask({ url: '/v1/whoami', headers: { cookie: sent } })).statusCode;
  expect(await status(`theme=dark; ${cookie}; x`)).toBe(200);
  for (const wrong of [
    cookie.slice(0, -1),
    `${cookie}x`,
    cookie.toUpperCase(),
    `x${cookie}`,
    `countersign=${'%00'.repeat(20)}`,
  ])
    expect(await status(wrong)).toBe(401);
  // A token that is nobody's does not fall back to the cookie.
  expect((await ask({ url: '/v1/whoami', headers: { cookie, authorization: 'Bearer x' } })).statusCode).toBe(401);
});
