import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Plan } from '../core/plan.js';
import { aCampaign, aTask, at, factsFor } from '../testing.js';
import { modelAccess } from './model-access.js';
import { modelPlanner } from './model-planner.js';

// A server of bytes, since one of HTTP does not send what these tests are about.
let answer: (socket: Socket, nth: number) => void;
let asked: string[];
let server: Server;
let port: number;
let held: number;
let used: number;
const sockets = new Set<Socket>();

beforeEach(async () => {
  [asked, held, used] = [[], 0, 0];
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    let request = '';
    socket.on('data', (bytes) => {
      request += bytes.toString('latin1');
      const [head = '', body] = request.split('\r\n\r\n');
      if (body === undefined || body.length < Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)) return;
      asked.push(request);
      request = '';
      answer(socket, asked.length);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  if (server.listening) await new Promise((resolve) => server.close(resolve));
});

/** An answer of HTTP and the end of its connection. */
const http =
  (status: string, body: string | Buffer, headers: readonly string[] = []) =>
  (socket: Socket): void => {
    const lines = [`HTTP/1.1 ${status}`, `content-length: ${Buffer.byteLength(body)}`, 'connection: close', ...headers];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    socket.end(body);
  };
const raw =
  (bytes: string) =>
  (socket: Socket): void =>
    void socket.end(bytes);

const proposal = {
  kind: 'ads.set_bid',
  payload: { adAccountId: 'ad-account', campaignId: 'campaign-1', bidMinor: 220, currency: 'EUR' },
  rationale: 'more for it',
  evidence: [1],
  confidence: 0.6,
  alternatives: [],
};
const completion = (content: unknown): string =>
  JSON.stringify({ choices: [{ finish_reason: 'stop', message: { content } }], usage: { total_tokens: 150 } });
const good = (more: object = {}): string =>
  completion(JSON.stringify({ proposals: [{ ...proposal, ...more }], declined: null }));

/** A time that never ends, of which too little is left to try again. */
const noRetry = { timeoutMs: 400, timer: () => new AbortController().signal };

async function plan(
  options: { host?: string; query?: string; timeoutMs?: number; timer?: () => AbortSignal } = {},
): Promise<Plan> {
  const access = await modelAccess({
    OPENAI_BASE_URL: `http://${options.host ?? '127.0.0.1'}:${port}/v1${options.query ?? ''}`,
    OPENAI_API_KEY: 'secret-key',
    OPENAI_MODEL: 'a-model',
    MODEL_TIMEOUT_MS: String(options.timeoutMs ?? 20_000),
  });
  if (!access) throw new Error('no model configured');
  const task = aTask();
  const planner = modelPlanner({
    access,
    rules: { name: 'test rules', plan: () => ({ proposals: [] }) },
    bounds: { kinds: ['ads.set_bid'], most: 8, planner: 'test rules' },
    stop: new AbortController().signal,
    log: { warn: () => undefined },
    ...(options.timer && { timer: options.timer }),
    budget: {
      reserve: async (tokens) => {
        held += tokens;
        return true;
      },
      settle: async (reserved, spent) => {
        held -= reserved;
        used += spent;
      },
    },
    questions: { begin: async () => 'a question', end: async () => undefined },
  });
  return planner.plan(task, factsFor(task, [aCampaign('cmp-a', 100, 300), aCampaign('cmp-b', 100, 50)]), at);
}
const byRules = (fallback: unknown) => ({ proposals: [], by: { kind: 'rules', name: 'test rules', fallback } });

test.each([301, 302, 303, 307, 308])(
  'a redirect is not followed: HTTP %d takes neither the question nor the key elsewhere, and no answer from there',
  async (status) => {
    const elsewhere: string[] = [];
    const other = createServer((socket) => {
      socket.on('data', (bytes) => {
        elsewhere.push(bytes.toString());
        http('200 OK', good())(socket);
      });
    });
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const location = `http://127.0.0.1:${(other.address() as AddressInfo).port}/v1/chat/completions`;
    answer = http(`${status} Elsewhere`, '', [`location: ${location}`]);
    const given = await plan();
    await new Promise((resolve) => other.close(resolve));
    expect(elsewhere).toEqual([]);
    expect(given).toEqual(byRules(`the model's server answered HTTP ${status}, a redirect, which is not followed`));
    expect({ held, used, asked: asked.length }).toEqual({ held: 0, used: 0, asked: 1 });
  },
);

test('the query of the base URL arrives with the question, and none where there is none', async () => {
  answer = http('200 OK', good());
  for (const query of ['?api-version=2024-10-21&tag=a%26b&tag=c', '']) {
    expect(await plan({ query })).toMatchObject({ by: { kind: 'model' }, proposals: [{ kind: 'ads.set_bid' }] });
    expect(asked.at(-1)?.split('\r\n')[0]).toBe(`POST /v1/chat/completions${query} HTTP/1.1`);
  }
});

test('a redirect to itself is asked once', async () => {
  answer = http('307 Here', '', ['location: /v1/chat/completions']);
  await plan();
  expect(asked).toHaveLength(1);
});

test.each<[string, (socket: Socket) => void, string | RegExp]>([
  ['something other than HTTP', raw('220 mail.example ready\r\n\r\n'), 'the model could not be reached'],
  ['a header without end', raw(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}`), 'the model could not be reached'],
  ['a status that is too small', raw('HTTP/1.1 099 None\r\n\r\n'), 'the model could not be reached'],
  ['another protocol', raw('HTTP/1.1 101 Yes\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'), /reached/],
  ['a closed connection', (socket) => socket.destroy(), 'the model could not be reached'],
  ['"not modified"', http('304 Not Modified', ''), /HTTP 304/],
  ['"reset content"', http('205 Reset Content', ''), "the model's server answered with something other than JSON"],
  ['a refusal of great depth', http('400 No', '['.repeat(100_000) + ']'.repeat(100_000)), /HTTP 400|no usable answer/],
  ['an answer of great depth', http('200 OK', '['.repeat(100_000) + ']'.repeat(100_000)), /nests too deep/],
  ['what is no gzip', http('200 OK', good(), ['content-encoding: gzip']), "the model's server broke off its answer"],
  [
    'half of a gzip',
    http('200 OK', gzipSync(good()).subarray(0, 60), ['content-encoding: gzip']),
    /broke off|other than JSON/,
  ],
  [
    'letters that are not UTF-8',
    http('200 OK', Buffer.from(good({ rationale: 'für' }), 'latin1')),
    "the model's server answered with bytes that are not the text that it says",
  ],
  ['UTF-16', http('200 OK', Buffer.from(good(), 'utf16le')), /bytes|other than JSON/],
])('%s: the rules plan at once, and nothing stays held', async (_name, given, reason) => {
  answer = given;
  expect(await plan(noRetry)).toEqual(byRules(typeof reason === 'string' ? reason : expect.stringMatching(reason)));
  expect({ held, asked: asked.length }).toEqual({ held: 0, asked: 1 });
});

test.each<[string, (socket: Socket) => void, string]>([
  ['gzip', http('200 OK', gzipSync(good()), ['content-encoding: gzip']), 'more for it'],
  [
    'letters in the charset that it states',
    http('200 OK', Buffer.from(good({ rationale: 'für' }), 'latin1'), ['content-type: text/plain; charset=latin1']),
    'für',
  ],
  ['HTTP 202', http('202 Accepted', good()), 'more for it'],
])('%s is read', async (_name, given, rationale) => {
  answer = given;
  expect(await plan()).toMatchObject({ by: { kind: 'model' }, proposals: [{ rationale }] });
});

const many = Array(125_000).fill(0);
test.each<[string, string]>([
  ['proposals', completion(JSON.stringify({ proposals: many }))],
  ['alternatives', good({ alternatives: many })],
  ['evidence', good({ evidence: many })],
  ['parts of a text', completion(many)],
])('%s by the ten thousand are an answer that cannot be read, not a plan that fails', async (_name, body) => {
  answer = http('200 OK', body);
  expect(await plan()).toEqual(byRules("the model's answer could not be read"));
  expect({ held, used }).toEqual({ held: 0, used: 300 });
});

test.each([
  ['seconds', 'retry-after: 21'],
  ['an hour', 'retry-after: 3600'],
  ['milliseconds', 'retry-after-ms: 20001'],
  ['a date', 'date: Sat, 21 Nov 2026 10:00:00 GMT\r\nretry-after: Sat, 21 Nov 2026 10:00:21 GMT'],
])('a wait that is longer than the time left is not begun, and costs nothing: %s', async (_name, header) => {
  answer = http('429 Too Many', '{}', [header]);
  expect(await plan()).toEqual(byRules('the model is over its rate limit'));
  expect({ held, used, asked: asked.length }).toEqual({ held: 0, used: 0, asked: 1 });
});

test.each(['127.0.0.1', 'localhost'])('a server at %s that does not run costs nothing of the day', async (host) => {
  await new Promise((resolve) => server.close(resolve));
  expect(await plan({ ...noRetry, host })).toEqual(byRules('the model could not be reached'));
  expect({ held, used }).toEqual({ held: 0, used: 0 });
});

test('a question that got no answer counts, also where the next try costs nothing', async () => {
  answer = (socket, nth) => (nth === 1 ? socket.destroy() : http('429 Too Many', '{}', ['retry-after: 60'])(socket));
  expect(await plan()).toEqual(byRules('the model is over its rate limit'));
  expect(asked).toHaveLength(2);
  expect(held).toBe(0);
  expect(used).toBeGreaterThan(4_000);
});

test.each(['200 OK', '400 No'])(
  'HTTP %s that drips is given up when the time is over, and its connection is closed',
  async (status) => {
    const time = new AbortController();
    const closed = new Promise<void>((resolve) => {
      answer = (socket) => {
        socket.write(`HTTP/1.1 ${status}\r\ntransfer-encoding: chunked\r\n\r\n`);
        const drip = setInterval(() => socket.write('1\r\n \r\n'), 10);
        socket.on('close', () => {
          clearInterval(drip);
          resolve();
        });
        setTimeout(() => time.abort(), 50);
      };
    });
    expect(await plan({ timer: () => time.signal })).toEqual(byRules('the model took too long'));
    await closed;
    expect(held).toBe(0);
  },
);
