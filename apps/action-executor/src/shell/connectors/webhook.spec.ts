import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { Webhook as Verifier } from 'standardwebhooks';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NotSent } from '../../core/answer.js';
import { approved, setBid } from '../testing.js';
import { Webhook } from './webhook.js';

const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
const action = approved(setBid(), 'webhook');
const key = action.action.actionId;

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly body: string;
  readonly verified: boolean;
  readonly headers: IncomingMessage['headers'];
}

let server: Server;
let seen: Seen[];
let respond: (seen: Seen, response: ServerResponse) => void;
let webhook: Webhook;

beforeEach(async () => {
  seen = [];
  respond = (_seen, response) => response.writeHead(204).end();
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { method = '', url = '', headers } = request;
    const received = { method, url, body, headers, verified: verified(body, headers) };
    seen.push(received);
    respond(received, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  webhook = new Webhook({ url: `http://127.0.0.1:${port}/actions?tenant=a`, secret, timeoutMs: 5_000 });
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** By the library that a receiver would use. */
function verified(body: string, headers: IncomingMessage['headers']): boolean {
  try {
    new Verifier(secret).verify(body, headers as Record<string, string>, { jsonParse: false });
    return true;
  } catch {
    return false;
  }
}
const patient = () => new AbortController().signal;
const json = (response: ServerResponse, status: number, body: unknown) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

test('a call is a signed POST whose id is the idempotency key, and its answer comes back', async () => {
  respond = (_seen, response) => json(response, 200, { reference: 'r-1', before: { bid: 1 }, after: { bid: 2 } });
  expect(await webhook.call(action, key, patient())).toEqual({
    outcome: 'done',
    externalReference: 'r-1',
    before: { bid: 1 },
    after: { bid: 2 },
  });
  expect(seen).toMatchObject([
    {
      method: 'POST',
      url: '/actions?tenant=a',
      verified: true,
      headers: { 'webhook-id': key, 'idempotency-key': key, 'content-type': 'application/json' },
    },
  ]);
  expect(JSON.parse(seen[0]?.body ?? '')).toEqual({
    type: 'ads.set_bid',
    data: { actionId: key, payload: action.action.payload },
  });
});

test('a repeated call brings the same id and the same bytes', async () => {
  await webhook.call(action, key, patient());
  await webhook.call(action, key, patient());
  const [first, second] = seen;
  expect(second?.body).toBe(first?.body);
  expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
});

test('a question is a signed POST for the key, beside what the url has already, under an id of its own each time', async () => {
  respond = (_seen, response) => json(response, 404, { outcome: 'absent' });
  expect(await webhook.find(key, patient())).toEqual({ outcome: 'absent' });
  await webhook.find(key, patient());
  const question = { method: 'POST', url: `/actions?tenant=a&key=${key}`, verified: true };
  const headers = { 'content-type': 'application/json' };
  expect(seen).toMatchObject([
    { ...question, headers },
    { ...question, headers },
  ]);
  for (const received of seen) {
    // Some libraries parse whatever they have verified.
    expect(JSON.parse(received.body)).toEqual({ type: 'countersign.question', data: { key } });
    // Nothing on the way may give the question's answer to the call.
    expect(received.headers).not.toHaveProperty('idempotency-key');
  }
  expect(new Set([key, ...seen.map((received) => received.headers['webhook-id'])]).size).toBe(3);
});

test('an unknown key is absent, a refused one is rejected, an ailing receiver cannot tell', async () => {
  respond = (_seen, response) => json(response, 404, { outcome: 'absent' });
  expect(await webhook.find(key, patient())).toEqual({ outcome: 'absent' });
  respond = (_seen, response) => response.writeHead(404).end();
  expect(await webhook.find(key, patient())).toMatchObject({ outcome: 'unknown' });
  respond = (_seen, response) => json(response, 200, { outcome: 'rejected', reason: 'no such list' });
  expect(await webhook.find(key, patient())).toMatchObject({ outcome: 'rejected', reason: { detail: 'no such list' } });
  respond = (_seen, response) => response.writeHead(503).end();
  expect(await webhook.find(key, patient())).toMatchObject({ outcome: 'unknown' });
});

test('a receiver that never answers is given up when the signal says so', async () => {
  respond = () => undefined;
  const limit = new AbortController();
  const call = webhook.call(action, key, limit.signal);
  await expect.poll(() => seen.length).toBe(1);
  limit.abort();
  await expect(call).rejects.toThrow();
});

test('a receiver that breaks off in the middle of its answer has not answered', async () => {
  respond = (_seen, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('{"outcome":');
    response.destroy();
  };
  await expect(webhook.call(action, key, patient())).rejects.toThrow();
});

test('a body that is longer than can be kept is no answer, whatever it begins with', async () => {
  respond = (_seen, response) => json(response, 200, { outcome: 'done', after: 'x'.repeat(100_000) });
  expect(await webhook.call(action, key, patient())).toMatchObject({ outcome: 'unknown' });
});

test('of a receiver that cannot be reached it is certain that nothing was sent', async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await expect(webhook.call(action, key, patient())).rejects.toBeInstanceOf(NotSent);
});

test('of a receiver that accepts and never gets as far as TLS it is certain that nothing was sent', async () => {
  const deaf = createTcpServer(() => undefined).listen(0, '127.0.0.1');
  await once(deaf, 'listening');
  const { port } = deaf.address() as AddressInfo;
  const behind = new Webhook({ url: `https://127.0.0.1:${port}/`, secret, timeoutMs: 5_000 });
  await expect(behind.call(action, key, AbortSignal.timeout(100))).rejects.toBeInstanceOf(NotSent);
  deaf.close();
});

test('a call that was cut off before it was answered may have been carried out', async () => {
  respond = (_seen, response) => response.destroy();
  await expect(webhook.call(action, key, patient())).rejects.not.toBeInstanceOf(NotSent);
  expect(seen).toHaveLength(1);
});

test('a redirect is not followed, and is no answer', async () => {
  respond = (_seen, response) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end();
  expect(await webhook.call(action, key, patient())).toMatchObject({ outcome: 'unknown' });
  expect(seen).toHaveLength(1);
});

/** Writes for as long as anybody reads; resolves when the connection is closed, with what was written by then. */
const endless = (response: ServerResponse, chunk: Buffer): Promise<number> =>
  new Promise((resolve) => {
    let written = 0;
    const more = () => {
      while (!response.destroyed && response.write(chunk)) written += chunk.length;
      if (!response.destroyed) response.once('drain', more);
    };
    response.once('close', () => resolve(written));
    response.writeHead(200, { 'content-type': 'application/json' });
    more();
  });

test('an answer without end is left, and its connection closed, when it is longer than an answer may be', async () => {
  let written: Promise<number> | undefined;
  respond = (_seen, response) => {
    written = endless(response, Buffer.alloc(16_384, 0x20));
  };
  for (const asked of [webhook.call(action, key, patient()), webhook.find(key, patient())]) {
    expect(await asked).toMatchObject({ outcome: 'unknown' });
    // What the two ends and the sockets between them hold, and no more.
    expect(await written).toBeLessThan(32_000_000);
  }
});

test('an answer in drops, one that breaks off, and none at all end with the time, or at once, and say nothing', async () => {
  const drops = (response: ServerResponse) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write(' '), 20);
    response.once('close', () => clearInterval(timer));
  };
  const moods = [drops, (response: ServerResponse) => response.flushHeaders(), () => undefined];
  for (const mood of moods) {
    respond = (_seen, response) => mood(response);
    await expect(webhook.call(action, key, AbortSignal.timeout(300))).rejects.toThrow();
  }
  respond = (_seen, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('{"outcome": "done"', () => response.destroy());
  };
  await expect(webhook.call(action, key, patient())).rejects.toThrow();
});

test('one receiver is given 64 connections at most', async () => {
  let open = 0;
  server.on('connection', () => open++);
  respond = () => undefined;
  const signal = AbortSignal.timeout(1_500);
  const calls = await Promise.allSettled(Array.from({ length: 100 }, () => webhook.call(action, key, signal)));
  expect(open).toBe(64);
  const unsent = calls.filter((call) => call.status === 'rejected' && call.reason instanceof NotSent);
  expect(unsent).toHaveLength(36);
});
