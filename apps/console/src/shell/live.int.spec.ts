import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createHarness, type Harness, tablesOf } from '@countersign/runtime/harness';
import { copyTestDatabase, type TestDatabase } from '@countersign/testing';
import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { at, escalated } from '../core/given.js';
import { ConsoleModule, spec } from '../module.js';
import { mostEach } from './live.service.js';

let database: TestDatabase;
let harness: Harness;
let folder: string;
let address: string;
const stops: AbortController[] = [];

const listening = async (): Promise<{ harness: Harness; address: string }> => {
  const started = await createHarness(ConsoleModule, spec, { databaseUrl: database.url, at });
  await started.app.listen(0, '127.0.0.1');
  const { port } = started.app.getHttpServer().address() as AddressInfo;
  return { harness: started, address: `http://127.0.0.1:${port}` };
};

beforeEach(async () => {
  database = await copyTestDatabase(tablesOf(spec));
  folder = mkdtempSync(join(tmpdir(), 'live-'));
  const sha256 = createHash('sha256').update('lea-token').digest('hex');
  writeFileSync(join(folder, 'tokens.json'), JSON.stringify([{ sha256, person: 'lea', roles: ['operator'] }]));
  process.env.CONSOLE_TOKENS_FILE = join(folder, 'tokens.json');
  process.env.CONFIG_DIR = fileURLToPath(new URL('../../../../deploy/config', import.meta.url));
  ({ harness, address } = await listening());
});
afterEach(async () => {
  for (const stop of stops.splice(0)) stop.abort();
  // The fetch of the test opens connections that it never uses; a drain closes them after a while.
  harness.app.getHttpServer().closeAllConnections();
  await harness.close();
  await database.close();
  rmSync(folder, { recursive: true });
});

const authorization = 'Bearer lea-token';
/** Listens, and keeps what it is events. */
async function listen(headers: Record<string, string> = { authorization }, from = address) {
  const stop = new AbortController();
  stops.push(stop);
  const response = await fetch(`${from}/v1/live`, { headers, signal: stop.signal });
  const events: { event: string; at: string; parts?: string[] }[] = [];
  const seen = { status: response.status, headers: response.headers, events, over: false };
  void (async () => {
    let text = '';
    for await (const piece of response.body ?? []) {
      text += Buffer.from(piece).toString('latin1');
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const [event = '', line = ''] = text.slice(0, end).split('\n');
        events.push({ event: event.replace('event: ', ''), ...JSON.parse(line.replace('data: ', '')) });
        text = text.slice(end + 2);
      }
    }
    seen.over = true;
  })().catch(() => undefined);
  return seen;
}
const soon = { timeout: 8_000, interval: 50 };
const changes = ({ events }: Awaited<ReturnType<typeof listen>>) => events.filter(({ event }) => event === 'changed');
const signIn = async (): Promise<{ cookie: string; csrf: string }> => {
  const made = await fetch(`${address}/v1/sign-in/links`, { method: 'POST', headers: { authorization } });
  const { url } = (await made.json()) as { url: string };
  const given = await fetch(`${address}/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code: url.split('=')[1] }),
  });
  const { csrfToken } = (await given.json()) as { csrfToken: string };
  return { cookie: String(given.headers.get('set-cookie')).split(';')[0] as string, csrf: csrfToken };
};

test('tells at once that it is there, and then what changed, whichever process of the console it came to', async () => {
  const first = await listen();
  expect([first.status, first.headers.get('content-type'), first.headers.get('cache-control')]).toEqual([
    200,
    'text/event-stream',
    'no-store',
  ]);
  const second = await listening();
  const elsewhere = await listen({ authorization }, second.address);
  try {
    await vi.waitFor(
      () => expect([first.events, elsewhere.events].map(([word]) => word?.event)).toEqual(['alive', 'alive']),
      soon,
    );
    // Both have looked once.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect([...changes(first), ...changes(elsewhere)]).toEqual([]);
    await harness.deliver('actions.escalated.v1', [{ type: 'ActionEscalated', data: escalated(), key: 'ads-1' }]);
    for (const listener of [first, elsewhere])
      await vi.waitFor(
        () => expect(changes(listener)[0]?.parts).toEqual(expect.arrayContaining(['reviews', 'funnel'])),
        soon,
      );
    const stop = { scope: 'all', state: 'stopped', reason: 'a test' };
    await fetch(`${second.address}/v1/controls`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify(stop),
    });
    for (const listener of [first, elsewhere])
      await vi.waitFor(() => expect(changes(listener).at(-1)?.parts).toContain('controls'), soon);
    await vi.waitFor(
      () => expect(first.events.filter(({ event }) => event === 'alive').length).toBeGreaterThan(1),
      soon,
    );
  } finally {
    await second.harness.close();
  }
});

test('ends when its person signs out, and when the session is over, which listening does not put off', async () => {
  const { cookie, csrf } = await signIn();
  const first = await listen({ cookie });
  await fetch(`${address}/v1/session`, { method: 'DELETE', headers: { cookie, 'x-csrf-token': csrf } });
  await vi.waitFor(() => expect([first.events.at(-1)?.event, first.over]).toEqual(['ended', true]), soon);
  expect((await listen({ cookie })).status).toBe(401);

  const again = await signIn();
  const second = await listen({ cookie: again.cookie });
  harness.setNow(new Date(Date.parse(at) + 3_600_000).toISOString());
  await vi.waitFor(() => expect([second.events.at(-1)?.event, second.over]).toEqual(['ended', true]), soon);
});

test('ends when an operator signs its person out, whichever process of the console is asked, and says nothing after that', async () => {
  const { cookie } = await signIn();
  const listener = await listen({ cookie });
  const byToken = await listen();
  const second = await listening();
  try {
    const done = await fetch(`${second.address}/v1/sign-outs`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify({ person: 'lea', reason: 'a test' }),
    });
    expect(done.status).toBe(200);
    await harness.deliver('actions.escalated.v1', [{ type: 'ActionEscalated', data: escalated(), key: 'ads-1' }]);
    await vi.waitFor(() => expect(changes(byToken)).not.toEqual([]), soon);
    await vi.waitFor(() => expect(listener.over).toBe(true), soon);
    expect(listener.events.at(-1)?.event).toBe('ended');
    expect(changes(listener)).toEqual([]);
  } finally {
    await second.harness.close();
  }
});

test('a person has a bounded number of windows, and one that is closed makes room', async () => {
  const open = await Promise.all(Array.from({ length: mostEach }, () => listen()));
  expect(new Set(open.map(({ status }) => status))).toEqual(new Set([200]));
  const refused = await listen();
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '30']);
  stops[0]?.abort();
  await vi.waitFor(async () => {
    expect((await listen()).status).toBe(200);
  }, soon);
});

test('tells what changed in the first moment after it is there', async () => {
  const listener = await listen();
  await vi.waitFor(() => expect(listener.events[0]?.event).toBe('alive'), soon);
  await harness.deliver('actions.escalated.v1', [{ type: 'ActionEscalated', data: escalated(), key: 'ads-1' }]);
  await vi.waitFor(() => expect(changes(listener)[0]?.parts).toContain('reviews'), soon);
});

test('whoever goes away before they are let in takes no room', async () => {
  const { cookie } = await signIn();
  const { hostname, port } = new URL(address);
  await Promise.all(
    Array.from({ length: mostEach + 10 }, async () => {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      await new Promise((sent) => socket.write(`GET /v1/live HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\n\r\n`, sent));
      socket.resetAndDestroy();
    }),
  );
  // The requests are being let in by now, or were.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect((await listen({ cookie })).status).toBe(200);
});

test('a service that drains does not wait for whoever listens', async () => {
  const listener = await listen();
  const began = performance.now();
  await harness.app.close();
  expect(performance.now() - began).toBeLessThan(1_000);
  await vi.waitFor(() => expect(listener.over).toBe(true), soon);
});

test('while the database does not answer, one line of the log says so, and another that it answers again', async () => {
  const [warnings, news] = [vi.spyOn(Logger.prototype, 'warn'), vi.spyOn(Logger.prototype, 'log')];
  onTestFinished(() => {
    for (const spy of [warnings, news]) spy.mockRestore();
  });
  const written = (spy: typeof warnings) => spy.mock.calls.map(String).filter((line) => line.includes('announced'));
  const listener = await listen();
  await vi.waitFor(() => expect(listener.events).toHaveLength(1), soon);
  let looks = 0;
  const read = vi.spyOn(harness.engine, 'readForPage').mockImplementation(async () => {
    looks += 1;
    throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  });
  await vi.waitFor(() => expect(looks).toBeGreaterThan(2), soon);
  expect(written(warnings)).toEqual(['changes are not announced to browsers: connect ECONNREFUSED']);
  expect(written(news)).toEqual([]);
  read.mockRestore();
  await vi.waitFor(() => expect(written(news)).toEqual(['changes are announced again']), soon);
});

test('is closed to whoever is nobody, and its head has no body', async () => {
  expect((await listen({})).status).toBe(401);
  expect((await fetch(`${address}/v1/live`, { method: 'HEAD', headers: { authorization } })).status).toBe(200);
});
