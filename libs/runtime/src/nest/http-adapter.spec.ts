import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { Readable } from 'node:stream';
import { HttpException } from '@nestjs/common';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Access } from './access.js';
import { asking } from './asker.js';
import { type HttpBounds, httpAdapter, httpBounds, letIn } from './http-adapter.js';

/** As `@Public()` has it. */
const everybody = { config: { 'countersign:public': true } };

/** A server that answers a body with its size, on a port of its own. */
async function listening(bounds: Partial<HttpBounds>) {
  const server = httpAdapter({ ...httpBounds, ...bounds }).getInstance();
  server.post('/', everybody, async (request) => ({ size: JSON.stringify(request.body).length }));
  await server.listen({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => server.close());
  const { port } = server.server.address() as AddressInfo;
  /** Everything that the server says until it closes the connection; `write` sends, and may go on sending. */
  const transcript = async (...write: readonly string[]) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('error', () => undefined);
    for (const part of write) socket.write(part);
    const drip = setInterval(() => socket.writable && socket.write('x'), 20);
    await new Promise((resolve) => socket.on('close', resolve));
    clearInterval(drip);
    return text;
  };
  const post = (body: string) =>
    fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  let begun = 0;
  server.server.on('request', () => begun++);
  return { port, transcript, post, begun: () => begun };
}

const head = 'POST / HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\n';

test('a request that comes byte by byte is closed at its bound; others are answered meanwhile', async () => {
  const { transcript, post } = await listening({ headersMs: 200, requestMs: 400, lookEveryMs: 50 });
  const slow = [transcript(`${head}x-never-ends: `), transcript(`${head}content-length: 200000\r\n\r\n"`)];
  expect(await (await post('"twelve bytes"')).json()).toEqual({ size: 14 });
  // A byte that is on its way when the connection closes may take the answer with it.
  for (const answer of await Promise.all(slow)) expect(answer).toMatch(/^(HTTP\/1\.1 408 |$)/);
});

test('a connection on which nothing passes is closed', async () => {
  const { port } = await listening({ silentMs: 100 });
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'close');
});

test('one connection more than the bound closes the one that has been without a request for longest, so everybody is answered', async () => {
  const { port, post } = await listening({ connections: 3 });
  const closed: number[] = [];
  const held = await Promise.all(
    [0, 1, 2].map(async (n) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.on('close', () => closed.push(n));
      await once(socket, 'connect');
      // Headers that never end are no request yet.
      if (n === 1) socket.write(head);
      return socket;
    }),
  );
  expect((await post('1')).status).toBe(200);
  await expect.poll(() => closed).toHaveLength(1);
  const [another] = [connect(port, '127.0.0.1')];
  await expect.poll(() => closed.length).toBe(2);
  expect((await post('1')).status).toBe(200);
  for (const socket of [...held, another]) socket?.destroy();
});

test('where every connection has a request in work one more is closed, and there is room again when a request is answered', async () => {
  const { port, transcript, post, begun } = await listening({ connections: 2 });
  const held = [0, 1].map(() => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(`${head}content-length: 9\r\n\r\n"`);
    return socket;
  });
  await expect.poll(begun).toBe(2);
  expect(await transcript()).toBe('');
  const [first] = held;
  first?.write('1234567"');
  await expect.poll(async () => (await post('1').catch(() => undefined))?.status).toBe(200);
  for (const socket of held) socket.destroy();
});

test('a body above the bound is answered 413, one at the bound is read', async () => {
  const { post } = await listening({ bodyBytes: 100 });
  expect((await post(`"${'x'.repeat(98)}"`)).status).toBe(200);
  expect((await post(`"${'x'.repeat(99)}"`)).status).toBe(413);
});

test('a JSON body that nests too deep is answered 400 before anything walks it; a deep one within the bound is read', async () => {
  const server = httpAdapter().getInstance();
  server.post('/', everybody, async (request) => request.body);
  const post = (payload: string) =>
    server.inject({ method: 'POST', url: '/', headers: { 'content-type': 'application/json' }, payload });
  const nested = (depth: number) => '{"a":'.repeat(depth) + 1 + '}'.repeat(depth);
  // Nest answers with the status of its exception; without Nest, Fastify tells the error as it is.
  server.setErrorHandler((error, _request, reply) =>
    reply.status(error instanceof HttpException ? error.getStatus() : 500).send((error as Error).message),
  );
  try {
    expect(await post(nested(30_000))).toMatchObject({
      statusCode: 400,
      body: expect.stringContaining('nested deeper'),
    });
    expect(await post(nested(100))).toMatchObject({ statusCode: 200, body: nested(100) });
  } finally {
    await server.close();
  }
});

test('an address with a NUL, which no table holds, is answered 400 before any page looks for it', async () => {
  const server = httpAdapter().getInstance();
  server.get('/*', everybody, async (request) => request.url);
  server.setErrorHandler((error, _request, reply) =>
    reply.status(error instanceof HttpException ? error.getStatus() : 500).send((error as Error).message),
  );
  try {
    for (const url of ['/a%00', '/a?b=%00', '/a?b=1&%00=2'])
      expect(await server.inject({ url })).toMatchObject({ statusCode: 400, body: expect.stringContaining('NUL') });
    for (const url of ['/a%20', '/a?b=%2500']) expect(await server.inject({ url })).toMatchObject({ statusCode: 200 });
  } finally {
    await server.close();
  }
});

const known = (name: string): Access => ({ realm: 'here', identify: () => ({ principal: { name, roles: [] } }) });

test('clients that do not take their answers keep nobody out', async () => {
  const { port, begun } = await listening({ connections: 3 });
  const mute = [0, 1, 2].map(() => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.pause();
    // More answers than the windows of both sides hold.
    socket.write('GET /nobody HTTP/1.1\r\nhost: here\r\n\r\n'.repeat(40_000));
    onTestFinished(() => void socket.destroy());
    return socket;
  });
  await Promise.all(mute.map((socket) => once(socket, 'connect')));
  // Until the server waits for them: no request more is taken up.
  for (let before = -1; before !== begun() || before === 0; ) {
    before = begun();
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  const answer = await fetch(`http://127.0.0.1:${port}/nobody`, { headers: { connection: 'close' } });
  expect(answer.status).toBe(401);
});

test('who identifies a caller is told the route and where the request comes from, and may tell the caller to wait', async () => {
  const adapter = httpAdapter();
  const requests: unknown[] = [];
  letIn(adapter, {
    realm: 'here',
    identify: (_, asked) => {
      requests.push(asked);
      return { refusal: { status: 429, title: 'Too many requests', detail: 'wait', retryAfter: 3 } };
    },
  });
  const server = adapter.getInstance();
  server.get('/v1/things/:id', async () => 'a thing');
  const refused = await server.inject({ url: '/v1/things/7?a=b', remoteAddress: '10.0.0.1' });
  expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '3']);
  expect(refused.json()).toMatchObject({ status: 429, title: 'Too many requests', detail: 'wait' });
  expect(refused.body).not.toContain('retryAfter');
  await server.inject({ url: '/elsewhere', remoteAddress: '10.0.0.1' });
  expect(requests).toEqual([
    { method: 'GET', route: '/v1/things/:id', ip: '10.0.0.1' },
    { method: 'GET', route: undefined, ip: '10.0.0.1' },
  ]);
  await server.close();
});

test('one principal has a bound of requests under way, and others are answered', async () => {
  const adapter = httpAdapter({ ...httpBounds, requestsEach: 2 });
  letIn(adapter, {
    realm: 'here',
    identify: ({ authorization }) => ({ principal: { name: String(authorization), roles: [] } }),
  });
  const server = adapter.getInstance();
  const waiting: (() => void)[] = [];
  server.get('/wait', () => new Promise((resolve) => waiting.push(() => resolve('done'))));
  const ask = (name: string) => server.inject({ url: '/wait', headers: { authorization: name } });
  const held = [ask('viewer'), ask('viewer')];
  await vi.waitFor(() => expect(waiting).toHaveLength(2));
  const refused = await ask('viewer');
  expect([refused.statusCode, refused.headers['retry-after'], refused.json().title]).toEqual([
    429,
    '1',
    'Too many requests',
  ]);
  const other = ask('operator');
  await vi.waitFor(() => expect(waiting).toHaveLength(3));
  for (const end of waiting) end();
  for (const { statusCode } of await Promise.all([...held, other])) expect(statusCode).toBe(200);
  // What has ended counts no more, however often.
  for (let n = 0; n < 5; n++) {
    const again = ask('viewer');
    await vi.waitFor(() => expect(waiting).toHaveLength(4 + n));
    waiting.at(-1)?.();
    expect((await again).statusCode).toBe(200);
  }
});

test('whatever is done for a request knows whose it is and when it is over, also where its body comes later and others come meanwhile', async () => {
  const adapter = httpAdapter();
  letIn(adapter, {
    realm: 'here',
    identify: ({ authorization: name }) => ({ principal: { name: String(name), roles: [] } }),
  });
  const server = adapter.getInstance();
  const over: string[] = [];
  server.post('/', async (request) => {
    await new Promise((resolve) => setImmediate(resolve));
    const asker = asking.getStore();
    asker?.whenClosed(() => over.push(asker.name));
    return { asker: asker?.name, body: request.body };
  });
  await server.listen({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => server.close());
  const { port } = server.server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  // One after the other over one connection: what one left must not be there for the next.
  for (const name of ['viewer', 'reviewer']) {
    const asked = request({
      port,
      agent,
      method: 'POST',
      headers: { authorization: name, 'content-type': 'application/json' },
    });
    asked.write('"in ');
    await new Promise((resolve) => setImmediate(resolve));
    asked.end('parts"');
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    expect(JSON.parse(String(Buffer.concat(await answer.toArray())))).toEqual({ asker: name, body: 'in parts' });
  }
  await expect.poll(() => over).toEqual(['viewer', 'reviewer']);
});

test('no body is read for an address that nothing has, nor where only the head of a stream is asked for', async () => {
  const adapter = httpAdapter();
  letIn(adapter, known('viewer'));
  const server = adapter.getInstance();
  let read = 0;
  server.get('/stream', () =>
    Readable.from(
      (function* () {
        for (; read < 1_000; read++) yield 'line';
      })(),
    ),
  );
  const head = await server.inject({ method: 'HEAD', url: '/stream' });
  expect([head.statusCode, read < 100]).toEqual([200, true]);
  await server.listen({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => server.close());
  const { port } = server.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  // The body never comes.
  socket.write('POST /nowhere HTTP/1.1\r\nhost: here\r\ncontent-length: 100\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(String(answer)).toMatch(/^HTTP\/1\.1 404 [\s\S]*application\/problem\+json/);
});

test.each(['/%FF', '/%zz', `/runs/${'x'.repeat(500)}`])(
  'an address that no router can read is a problem document, whoever asks: %s',
  async (url) => {
    const server = httpAdapter().getInstance();
    server.get('/runs/:id', async () => 'here');
    const answer = await server.inject({ url });
    expect(answer.statusCode).toBe(400);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json().title).toBe('Bad address');
  },
);
