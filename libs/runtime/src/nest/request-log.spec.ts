import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { Readable } from 'node:stream';
import { Logger } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Access } from './access.js';
import { httpAdapter, httpBounds, letIn } from './http-adapter.js';
import { NestLog, serviceLog } from './log.js';
import { requests } from './request-log.js';

/** As `@Public()` has it. */
const everybody = { config: { 'countersign:public': true } };
const uuid = '0190c0de-4a5b-4c6d-8e7f-0123456789ab';

function logged(level = 'debug') {
  const lines: Record<string, unknown>[] = [];
  const log = serviceLog('console', { LOG_LEVEL: level }, { write: (text) => void lines.push(JSON.parse(text)) });
  return { lines, log };
}

const people: Access = {
  realm: 'here',
  identify: ({ authorization }) =>
    authorization
      ? { principal: { name: 'lea', roles: ['reviewer'] } }
      : { refusal: { status: 401, title: 'No token', detail: 'send one' } },
};

function site(access: Access = people, level?: string) {
  const { lines, log } = logged(level);
  const adapter = httpAdapter(httpBounds, log);
  letIn(adapter, access);
  const server = adapter.getInstance() as unknown as FastifyInstance;
  onTestFinished(() => server.close());
  server.get('/v1/reviews/:id', async () => ({ ok: true }));
  server.get('/health/ready', everybody, async (_request, reply) => reply.code(503).send({ status: 'starting' }));
  /** The lines of requests; the line follows the answer. */
  const answers = async (count: number) => {
    const answered = () => lines.filter(({ route }) => route !== undefined);
    await vi.waitFor(() => expect(answered().length).toBeGreaterThanOrEqual(count));
    return answered();
  };
  return { server, lines, log, answers };
}
const token = { authorization: 'Bearer secret-token' };

test('a request is one line: method, route, status, time, request id and roles; no address, query, name or token', async () => {
  const { server, lines, answers } = site();
  await server.inject({ url: '/v1/reviews/mia@north.example?note=Mia', headers: { ...token, 'x-request-id': uuid } });
  expect(await answers(1)).toEqual([
    {
      level: 'info',
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      service: 'console',
      context: 'http',
      requestId: uuid,
      method: 'GET',
      route: '/v1/reviews/:id',
      status: 200,
      durationMs: expect.any(Number),
      roles: ['reviewer'],
      msg: 'GET /v1/reviews/:id 200',
    },
  ]);
  expect(JSON.stringify(lines)).not.toMatch(/mia|secret|lea|note/i);
});

test('whoever is refused before a page is reached has a line too: unknown, no such address, an address that cannot be read', async () => {
  const { server, answers } = site();
  for (const [url, headers] of [
    ['/v1/reviews/1', {}],
    ['/nowhere', token],
    ['/%zz', token],
  ] as const) {
    const answer = await server.inject({ url, headers });
    expect(answer.headers['x-request-id']).toBe(answer.json().requestId);
  }
  expect((await answers(3)).map(({ route, status, roles }) => [route, status, roles])).toEqual([
    ['/v1/reviews/:id', 401, undefined],
    [null, 404, ['reviewer']],
    [null, 400, undefined],
  ]);
});

test('a system has its name in the line, since it is nobody', async () => {
  const { server, answers } = site({
    realm: 'here',
    systems: true,
    identify: () => ({ principal: { name: 'website', roles: [] } }),
  });
  await server.inject({ url: '/v1/reviews/1' });
  expect((await answers(1))[0]).toMatchObject({ principal: 'website', roles: [] });
});

test.each([
  [uuid, true],
  ['0190C0DE4A5B4C6D8E7F0123456789AB', true],
  ['mia@north.example', false],
  ['4917012345678', false],
  [`${uuid}, ${uuid}`, false],
  ['', false],
])('the request id %j is kept: %s; otherwise a new one is made, and the answer says which', async (given, isReused) => {
  const { server, answers } = site();
  const { headers } = await server.inject({ url: '/v1/reviews/1', headers: { ...token, 'x-request-id': given } });
  const id = headers['x-request-id'];
  expect(id === given).toBe(isReused);
  expect(id).toMatch(/^[0-9a-f-]{32,36}$/i);
  expect((await answers(1))[0]?.requestId).toBe(id);
});

test('health is told only where somebody asks for debugging, whatever it answers', async () => {
  const quiet = site(people, 'info');
  await quiet.server.inject({ url: '/health/ready' });
  await quiet.server.inject({ url: '/v1/reviews/1', headers: token });
  expect((await quiet.answers(1)).map(({ route }) => route)).toEqual(['/v1/reviews/:id']);
  const loud = site(people, 'debug');
  await loud.server.inject({ url: '/health/ready' });
  expect(await loud.answers(1)).toMatchObject([{ route: '/health/ready', level: 'debug', status: 503 }]);
});

test('what a service says while it answers has the request id, and the act that the request began is in its line', async () => {
  const { server, lines, log, answers } = site();
  const nestLog = new NestLog(log);
  server.post('/v1/controls', async () => {
    await new Promise((resolve) => setImmediate(resolve));
    nestLog.warn('a stop', 'controls');
    const request = requests.getStore();
    if (request) request.act = 'act-1';
    return {};
  });
  nestLog.log('before', 'controls');
  await server.inject({ method: 'POST', url: '/v1/controls', headers: { ...token, 'x-request-id': uuid } });
  expect(await answers(1)).toMatchObject([{ act: 'act-1', requestId: uuid }]);
  expect(lines.filter(({ context }) => context === 'controls')).toMatchObject([
    { msg: 'before', level: 'info' },
    { msg: 'a stop', level: 'warn', requestId: uuid },
  ]);
  expect(lines.find(({ msg }) => msg === 'before')).not.toHaveProperty('requestId');
});

test('a request whose sender went away before its answer has a line without a status', async () => {
  const { server, answers } = site();
  let begun = false;
  server.get('/waits', () => {
    begun = true;
    return new Promise(() => undefined);
  });
  await server.listen({ port: 0, host: '127.0.0.1' });
  const { port } = server.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write('GET /waits HTTP/1.1\r\nhost: here\r\nauthorization: Bearer x\r\n\r\n');
  await vi.waitFor(() => expect(begun).toBe(true));
  socket.destroy();
  expect(await answers(1)).toMatchObject([{ route: '/waits', status: null, msg: 'GET /waits not answered' }]);
});

test('an answer that breaks off by our fault is told beside the line of its request', async () => {
  const { server, lines, answers } = site();
  const parts = async function* () {
    yield 'first\n';
    await new Promise((resolve) => setImmediate(resolve));
    throw Object.assign(new Error('Key (email)=(mia@north.example)'), {
      ...{ severity: 'FATAL', routine: 'ProcessInterrupts', code: '57P01' },
    });
  };
  server.get('/export', (_request, reply) => reply.send(Readable.from(parts(), { objectMode: false })));
  await server.listen({ port: 0, host: '127.0.0.1' });
  const { port } = server.server.address() as AddressInfo;
  const asked = fetch(`http://127.0.0.1:${port}/export`, { headers: { ...token, 'x-request-id': uuid } });
  await expect(asked.then((answer) => answer.text())).rejects.toThrow();
  expect(await answers(1)).toMatchObject([{ route: '/export', status: null, requestId: uuid }]);
  expect(lines.find(({ msg }) => msg === 'the answer broke off')).toMatchObject({
    level: 'error',
    context: 'http',
    requestId: uuid,
    err: 'database error 57P01',
  });
  expect(JSON.stringify(lines)).not.toContain('mia@');
});

test('an error is told as it may be told, and a text of several lines is one', () => {
  const { lines, log } = logged();
  const nestLog = new NestLog(log);
  const error = Object.assign(new Error('Key (email)=(mia@north.example) already exists'), {
    ...{ severity: 'ERROR', routine: '_bt_check_unique', code: '23505', detail: 'Key (email)=(mia@north.example)' },
  });
  nestLog.error(error, 'x');
  nestLog.error('failed', 'Error: mia@north.example\n    at there (file.js:1:1)', 'x');
  log.error({ err: error }, 'of Fastify');
  nestLog.warn('one\ntwo\u2028three\u001b[2J', 'plays');
  expect(JSON.stringify(lines)).not.toContain('mia@');
  expect(lines[0]?.msg).toBe('database error 23505');
  expect(lines[2]).toMatchObject({ msg: 'of Fastify', err: 'database error 23505' });
  expect(lines.find(({ msg }) => msg === 'failed')?.stack).toEqual(['at there (file.js:1:1)']);
  expect(lines.at(-1)?.msg).not.toMatch(/[\p{Cc}\p{Zl}]/u);
});

test('a level that there is none stops the start', () => {
  expect(() => serviceLog('console', { LOG_LEVEL: 'loud' })).toThrow(/LOG_LEVEL: .*debug/);
});

test('the logger of Nest takes all of its levels', () => {
  const { lines, log } = logged('trace');
  Logger.overrideLogger(new NestLog(log));
  onTestFinished(() => Logger.overrideLogger(true));
  const logger = new Logger('x');
  for (const level of ['verbose', 'debug', 'log', 'warn', 'error', 'fatal'] as const) logger[level]('here');
  expect(lines.map(({ level, context }) => [level, context])).toEqual(
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal'].map((level) => [level, 'x']),
  );
});
