import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { RUNTIME, type Runtime, type Tx } from '@countersign/runtime';
import { createHarness, type Harness, tablesOf } from '@countersign/runtime/harness';
import { copyTestDatabase, type TestDatabase } from '@countersign/testing';
import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { at, escalated, proposalId } from '../core/given.js';
import { ConsoleModule, spec } from '../module.js';
import { SessionStore } from './sessions.repository.js';
import { Sessions } from './sessions.service.js';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const after = (ms: number) => new Date(Date.parse(at) + ms).toISOString();
const minute = 60_000;
const here = { 'sec-fetch-site': 'same-origin', origin: 'http://127.0.0.1:8088' };
let database: TestDatabase;
let harness: Harness;
let folder: string;
let environment: NodeJS.ProcessEnv;

const tokens = (people: Readonly<Record<string, readonly string[]>>) =>
  writeFileSync(
    join(folder, 'tokens.json'),
    JSON.stringify(
      Object.entries(people).map(([person, roles]) => ({ sha256: sha256(`${person}-token`), person, roles })),
    ),
  );
const start = async () => {
  harness = await createHarness(ConsoleModule, spec, { databaseUrl: database.url, at });
};
const restart = async () => {
  await harness.close();
  await start();
};

beforeEach(async () => {
  environment = { ...process.env };
  database = await copyTestDatabase(tablesOf(spec));
  folder = mkdtempSync(join(tmpdir(), 'sessions-'));
  tokens({ lea: ['reviewer', 'operator'], max: ['reviewer'] });
  mkdirSync(join(folder, 'pages', 'assets'), { recursive: true });
  writeFileSync(
    join(folder, 'pages', 'index.html'),
    '<script nonce="{{nonce}}" src="/assets/main-AbCd1234.js"></script>',
  );
  writeFileSync(join(folder, 'pages', 'assets', 'main-AbCd1234.js'), 'start()');
  writeFileSync(join(folder, 'secret.txt'), 'nobody sees it');
  process.env.CONSOLE_TOKENS_FILE = join(folder, 'tokens.json');
  process.env.CONFIG_DIR = fileURLToPath(new URL('../../../../deploy/config', import.meta.url));
  process.env.PAGES_DIR = join(folder, 'pages');
});
afterEach(async () => {
  await harness?.close();
  await database.close();
  rmSync(folder, { recursive: true });
  process.env = environment;
});

type Sent = Record<string, string>;
const ask = async (method: 'GET' | 'POST' | 'DELETE', url: string, headers: Sent = {}, payload?: object) => {
  const response = await harness.app.inject({ method, url, headers, ...(payload && { payload }) });
  const type = String(response.headers['content-type']);
  const body = type.includes('json') ? response.json() : response.body;
  return { status: response.statusCode, headers: response.headers, body };
};
const linkOf = async (headers: Sent = { authorization: 'Bearer lea-token' }) => {
  const { status, body } = await ask('POST', '/v1/sign-in/links', headers);
  expect(status).toBe(201);
  return { ...body, code: String(body.url).split('#code=')[1] as string };
};
const use = (code: string, headers: Sent = here) => ask('POST', '/v1/session', headers, { code });
/** What the browser sends back of what it was given. */
const cookieOf = ({ headers }: { headers: Record<string, unknown> }) =>
  String(headers['set-cookie']).split(';')[0] as string;
const signIn = async (token = 'lea-token') => {
  const { code } = await linkOf({ authorization: `Bearer ${token}` });
  const answer = await use(code);
  expect(answer.status).toBe(201);
  const cookie = cookieOf(answer);
  return {
    cookie,
    csrf: answer.body.csrfToken as string,
    acting: { ...here, cookie, 'x-csrf-token': answer.body.csrfToken as string },
  };
};
const escalate = () =>
  harness.deliver('actions.escalated.v1', [{ type: 'ActionEscalated', data: escalated(), key: 'ads-1' }]);
const answer = { decision: 'approve', digest: escalated().digest };
const decided = () => harness.published.filter(({ type }) => type === 'ReviewDecided');

describe('signing in', () => {
  test('a link signs a browser in as the person who asked for it, with the same roles, and out again', async () => {
    await start();
    expect((await ask('GET', '/v1/sign-in')).body).toEqual({ link: true, oidc: null });
    const { url, code, expiresAt } = await linkOf();
    expect([url, expiresAt]).toEqual([`http://127.0.0.1:8088/sign-in#code=${code}`, after(10 * minute)]);
    const given = await use(code);
    const session = { person: 'lea', roles: ['reviewer', 'operator'], signedInAt: at, expiresAt: after(720 * minute) };
    expect(given).toMatchObject({ status: 201, body: session });
    expect(given.headers['set-cookie']).toMatch(
      /^countersign=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    const cookie = cookieOf(given);
    expect((await ask('GET', '/v1/session', { cookie })).body).toEqual(given.body);
    expect((await ask('GET', '/v1/whoami', { cookie })).body).toEqual({
      person: 'lea',
      roles: ['reviewer', 'operator'],
    });

    const out = await ask('DELETE', '/v1/session', { ...here, cookie, 'x-csrf-token': given.body.csrfToken });
    expect(out.status).toBe(204);
    expect(out.headers['set-cookie']).toMatch(/^countersign=; Max-Age=0;/);
    expect(await ask('GET', '/v1/session', { cookie })).toMatchObject({
      status: 401,
      body: { title: 'Session ended' },
    });
  });

  test('behind TLS the cookie belongs to this host alone and is never sent in the clear', async () => {
    process.env.PUBLIC_URL = 'https://console.example.com';
    await start();
    const { url, code } = await linkOf();
    expect(url).toMatch(/^https:\/\/console\.example\.com\/sign-in#code=/);
    const given = await use(code, { ...here, origin: 'https://console.example.com' });
    expect(given.headers['set-cookie']).toMatch(
      /^__Host-countersign=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    );
    expect(given.headers['strict-transport-security']).toContain('max-age=');
  });

  test('neither a link nor a sign-in leaves a row for ever', async () => {
    await start();
    const acts = () => harness.query('SELECT topic, id FROM inbox ORDER BY id');
    const before = await acts();
    for (let times = 0; times < 3; times += 1) await signIn();
    await linkOf();
    expect(await acts()).toEqual(before);
    // The links and sessions themselves go a day after their end.
    harness.setNow(after(48 * 60 * minute));
    await harness.runJobs();
    expect(await harness.query('SELECT 1 FROM sign_in_links UNION ALL SELECT 1 FROM sessions')).toEqual([]);
  });

  test('a code is used once, also by two at the same moment', async () => {
    await start();
    const { code } = await linkOf();
    const statuses = await Promise.all([1, 2, 3].map(async () => (await use(code)).status));
    expect(statuses.sort()).toEqual([201, 401, 401]);
    expect(await use(code)).toMatchObject({ status: 401, body: { title: 'Link not usable' } });
    expect(await harness.query('SELECT person FROM sessions')).toHaveLength(1);
  });

  test('a code is too old after ten minutes', async () => {
    await start();
    const { code } = await linkOf();
    harness.setNow(after(10 * minute));
    expect((await use(code)).status).toBe(401);
    harness.setNow(after(10 * minute - 1));
    expect((await use(code)).status).toBe(201);
  });

  test('neither a code nor a token of a session is in a table', async () => {
    await start();
    const { code } = await linkOf();
    const cookie = cookieOf(await use(code));
    const stored = JSON.stringify(
      await harness.query(
        'SELECT (SELECT json_agg(s) FROM sessions s) AS s, (SELECT json_agg(l) FROM sign_in_links l) AS l',
      ),
    );
    expect(stored).toContain(sha256(code));
    for (const secret of [code, cookie.split('=')[1] as string]) expect(stored).not.toContain(secret);
  });

  test('whoever tries codes is slowed down, and a person is not', async () => {
    await start();
    for (let n = 0; n < 10; n++) expect((await use('x'.repeat(43))).status).toBe(401);
    const slowed = await use('x'.repeat(43));
    expect(slowed).toMatchObject({ status: 429, body: { title: 'Too many requests' } });
    expect(slowed.headers['content-type']).toContain('application/problem+json');
    expect(Number(slowed.headers['retry-after'])).toBeGreaterThan(0);
    // From elsewhere, as long as all together are not too many.
    const { code } = await linkOf();
    const from = (remoteAddress: string, tried: string) =>
      harness.app.inject({
        method: 'POST',
        url: '/v1/session',
        headers: here,
        payload: { code: tried },
        remoteAddress,
      });
    for (let n = 0; n < 130; n++) await from('10.0.2.1', 'x'.repeat(43));
    expect((await from('10.0.0.1', code)).statusCode).toBe(201);
    const statuses: number[] = [];
    for (let n = 0; n < 130; n++) statuses.push((await from(`10.0.1.${n}`, 'x'.repeat(43))).statusCode);
    expect([statuses[0], statuses.at(-1)]).toEqual([401, 429]);
    expect((await ask('GET', '/v1/whoami', { authorization: 'Bearer lea-token' })).status).toBe(200);
  });
});

describe('behind a proxy', () => {
  const tries = async (remoteAddress: string, forwarded: string | undefined, times: number, code = 'x'.repeat(43)) => {
    const statuses: number[] = [];
    for (let n = 0; n < times; n++) {
      const headers = {
        ...here,
        ...(forwarded !== undefined && { 'x-forwarded-for': forwarded.replaceAll('*', `${n}`) }),
      };
      const answered = await harness.app.inject({
        ...{ method: 'POST', url: '/v1/session', headers, payload: { code }, remoteAddress },
      });
      statuses.push(answered.statusCode);
    }
    return statuses;
  };

  test('that is trusted each client has a limit of its own', async () => {
    process.env.TRUSTED_PROXIES = '10.9.0.0/16, fd00::7';
    await start();
    expect((await tries('10.9.0.1', '203.0.113.5', 11)).at(-1)).toBe(429);
    expect(await tries('10.9.0.1', '203.0.113.6', 1, (await linkOf()).code)).toEqual([201]);
    expect(await tries('fd00::7', '203.0.113.5', 1)).toEqual([429]);
    // Two proxies in a row.
    expect(await tries('10.9.0.1', '203.0.113.5, 10.9.3.3', 1)).toEqual([429]);
  });

  test('may be named by an address of IPv4 as IPv6 writes it, or by a small range of these', async () => {
    process.env.TRUSTED_PROXIES = '::ffff:10.9.0.1, ::ffff:10.8.0.0/112';
    await start();
    expect((await tries('10.9.0.1', '203.0.113.5', 11)).at(-1)).toBe(429);
    expect(await tries('10.8.0.7', '203.0.113.5', 1)).toEqual([429]);
    expect(await tries('10.8.0.7', '203.0.113.6', 1)).toEqual([401]);
  });

  test('that is trusted a client cannot say that it is another one', async () => {
    process.env.TRUSTED_PROXIES = '10.9.0.1';
    await start();
    // The proxy appends the address that it sees; what stands before came from the client.
    expect((await tries('10.9.0.1', '198.51.100.*, 203.0.113.5', 11)).at(-1)).toBe(429);
    expect((await tries('10.9.0.1', 'nonsense *, 10.9.0.1, 203.0.113.8', 11)).at(-1)).toBe(429);
  });

  test.each([
    ['none is trusted', undefined],
    ['another one is trusted', '10.9.0.1'],
  ])('that nobody named, what it says of clients is not believed: %s', async (_, trusted) => {
    if (trusted !== undefined) process.env.TRUSTED_PROXIES = trusted;
    await start();
    expect((await tries('203.0.113.9', '198.51.100.*', 11)).at(-1)).toBe(429);
    // Nor can it use up what another address may.
    expect((await tries('203.0.113.10', '203.0.113.11', 11)).at(-1)).toBe(429);
    expect(await tries('203.0.113.11', undefined, 1)).toEqual([401]);
  });

  test('an IPv6 client does not get a new limit with each address of its network', async () => {
    process.env.TRUSTED_PROXIES = '10.9.0.1';
    await start();
    expect((await tries('10.9.0.1', '2001:db8:1:2::*', 11)).at(-1)).toBe(429);
    expect(await tries('10.9.0.1', '2001:db8:1:3::1', 1)).toEqual([401]);
  });

  test('that writes the port of a client too, a client has one limit for all its connections', async () => {
    process.env.TRUSTED_PROXIES = '10.9.0.1, 10.9.3.3';
    await start();
    expect((await tries('10.9.0.1', '203.0.113.9:47*', 11)).at(-1)).toBe(429);
    expect(await tries('10.9.0.1', '203.0.113.9', 1)).toEqual([429]);
    // Two proxies in a row.
    expect(await tries('10.9.0.1', '203.0.113.9:1, 10.9.3.3:4711', 1)).toEqual([429]);
    expect(await tries('10.9.0.1', '203.0.113.10:4711', 1)).toEqual([401]);
    expect((await tries('10.9.0.1', '[2001:db8:1:2::*]:47*', 11)).at(-1)).toBe(429);
    expect(await tries('10.9.0.1', '[2001:db8:1:2::5]', 1)).toEqual([429]);
    expect(await tries('10.9.0.1', '[2001:db8:1:3::1]:4711', 1)).toEqual([401]);
  });

  test.each(['x-forwarded-for', 'forwarded'])(
    'that nobody named leads to one warning, which holds no address: %s',
    async (header) => {
      await start();
      const warnings = vi.spyOn(Logger.prototype, 'warn');
      onTestFinished(() => warnings.mockRestore());
      const warned = () => warnings.mock.calls.map(String).filter((text) => text.includes('TRUSTED_PROXIES'));
      await ask('GET', '/v1/sign-in');
      expect(warned()).toEqual([]);
      for (const n of [1, 2]) await ask('GET', '/v1/sign-in', { [header]: `203.0.113.${n}` });
      expect(warned()).toEqual([expect.not.stringContaining('203.0.113')]);
      await harness.close();
      warnings.mockClear();
      process.env.TRUSTED_PROXIES = '10.9.0.1';
      await start();
      await ask('GET', '/v1/sign-in', { [header]: '203.0.113.1' });
      expect(warned()).toEqual([]);
    },
  );

  test.each([
    ...['everybody', '10.9.0.0/0', '::/0', '::ffff:10.0.0.5/96', '0:0:0:0:0:ffff:a00:5/64', '10.9.0.1:80'],
    ...['10.9.0.1/33', '10.9.0.1 10.9.0.2', '10.9.0.1/24/3'],
  ])('the setting %j does not start', async (trusted) => {
    process.env.TRUSTED_PROXIES = trusted;
    await expect(createHarness(ConsoleModule, spec, { databaseUrl: database.url, at })).rejects.toThrow(
      'TRUSTED_PROXIES',
    );
    delete process.env.TRUSTED_PROXIES;
    await start();
  });

  test('no number of strangers keeps a person with a link out', async () => {
    await start();
    const { code } = await linkOf();
    for (let n = 0; n < 130; n++) await tries(`10.0.1.${n}`, undefined, 1);
    expect(await tries('10.0.2.1', undefined, 1)).toEqual([429]);
    expect(await tries('10.0.2.2', undefined, 1, code)).toEqual([201]);
  });

  test('a person may ask for so many links and no more, and keeps nobody else from it', async () => {
    await start();
    const asked = async (token: string) =>
      (await ask('POST', '/v1/sign-in/links', { authorization: `Bearer ${token}` })).status;
    for (let n = 0; n < 30; n++) expect(await asked('lea-token')).toBe(201);
    expect(await asked('lea-token')).toBe(429);
    expect(await asked('max-token')).toBe(201);
  });

  test('that ends TLS the console still knows its own origin, and takes no request of the same host in the clear', async () => {
    process.env.PUBLIC_URL = 'https://console.example.com';
    process.env.TRUSTED_PROXIES = '10.9.0.1';
    await start();
    const host = 'console.example.com';
    const from = async (origin: string, more: Sent = {}) =>
      (await use((await linkOf()).code, { host, origin, ...more })).status;
    expect(await from('https://console.example.com')).toBe(201);
    expect(await from('http://console.example.com')).toBe(403);
    expect(await from('https://evil.example', { host: 'evil.example' })).toBe(403);
    expect(await from('https://evil.example', { 'x-forwarded-host': 'evil.example' })).toBe(403);
  });
});

describe('a session', () => {
  test('begins under a new token, whatever cookie the browser had, and ends the one before', async () => {
    await start();
    const planted = `countersign=${'p'.repeat(43)}`;
    const { code } = await linkOf();
    const first = cookieOf(await use(code, { ...here, cookie: planted }));
    expect(first).not.toBe(planted);
    expect((await ask('GET', '/v1/session', { cookie: planted })).status).toBe(401);
    const again = cookieOf(await use((await linkOf()).code, { ...here, cookie: first }));
    expect((await ask('GET', '/v1/session', { cookie: first })).status).toBe(401);
    expect((await ask('GET', '/v1/session', { cookie: again })).status).toBe(200);
  });

  test('ends an hour after its last request, and twelve hours after it began', async () => {
    await start();
    const { cookie } = await signIn();
    const statusAt = async (minutes: number) => {
      harness.setNow(after(minutes * minute));
      return (await ask('GET', '/v1/session', { cookie })).status;
    };
    for (let minutes = 0; minutes < 720; minutes += 50) expect(await statusAt(minutes)).toBe(200);
    expect(await statusAt(720)).toBe(401);
    harness.setNow(at);
    const idle = await signIn();
    harness.setNow(after(60 * minute));
    expect((await ask('GET', '/v1/session', { cookie: idle.cookie })).status).toBe(401);
  });

  test('leaves no row for ever, however long it is used', async () => {
    await start();
    const { cookie } = await signIn();
    const rows = async () => (await harness.query('SELECT count(*) FROM inbox'))[0];
    const before = await rows();
    for (let minutes = 2; minutes < 20; minutes += 2) {
      harness.setNow(after(minutes * minute));
      expect((await ask('GET', '/v1/whoami', { cookie })).status).toBe(200);
    }
    expect(await rows()).toEqual(before);
  });

  test('has the roles that its token has now, and ends with the token', async () => {
    await start();
    const { cookie, acting } = await signIn();
    tokens({ lea: ['reviewer'], max: ['reviewer'] });
    await restart();
    expect((await ask('GET', '/v1/session', { cookie })).body).toMatchObject({ roles: ['reviewer'] });
    const stop = { scope: 'all', state: 'stopped', reason: 'x' };
    expect((await ask('POST', '/v1/controls', acting, stop)).status).toBe(403);
    tokens({ max: ['reviewer'] });
    await restart();
    expect((await ask('GET', '/v1/session', { cookie })).status).toBe(401);
  });

  test('makes links that sign in no longer than itself', async () => {
    await start();
    const { acting } = await signIn();
    harness.setNow(after(30 * minute));
    const given = await use((await linkOf(acting)).code);
    expect(given.body).toMatchObject({ person: 'lea', expiresAt: after(720 * minute) });
  });

  test('takes its links along when its person signs out, and those that others made stay', async () => {
    await start();
    const { acting } = await signIn();
    const [own, byToken, used] = [await linkOf(acting), await linkOf(), await linkOf(acting)];
    const phone = cookieOf(await use(used.code));
    expect((await ask('DELETE', '/v1/session', acting)).status).toBe(204);
    expect(await use(own.code)).toMatchObject({ status: 401, body: { title: 'Link not usable' } });
    // What was signed in before is another session.
    expect((await ask('GET', '/v1/session', { cookie: phone })).status).toBe(200);
    expect((await use(byToken.code)).status).toBe(201);
  });

  test('takes its links along when another sign-in takes its place in the browser', async () => {
    await start();
    const { acting, cookie } = await signIn();
    const own = await linkOf(acting);
    expect((await use((await linkOf()).code, { ...here, cookie })).status).toBe(201);
    expect((await use(own.code)).status).toBe(401);
  });

  test('that ended in the middle of an answer publishes nothing, and the answer can be given after signing in', async () => {
    await start();
    await escalate();
    const { acting } = await signIn();
    expect((await ask('GET', `/v1/reviews/${proposalId}`, acting)).body).toMatchObject({ state: 'open' });
    harness.setNow(after(61 * minute));
    const late = { ...answer };
    expect(await ask('POST', `/v1/reviews/${proposalId}`, { ...acting, 'idempotency-key': 'k1' }, late)).toMatchObject({
      status: 401,
      body: { title: 'Session ended', detail: expect.stringContaining('sign in again') },
    });
    expect(decided()).toEqual([]);
    harness.setNow(after(1 * minute));
    const again = await signIn();
    expect(
      (await ask('POST', `/v1/reviews/${proposalId}`, { ...again.acting, 'idempotency-key': 'k1' }, late)).status,
    ).toBe(202);
    expect(decided()).toMatchObject([{ data: { by: 'lea' } }]);
  });

  test('is deleted a day after its end', async () => {
    await start();
    await signIn();
    const left = () => harness.query('SELECT 1 FROM sessions UNION ALL SELECT 1 FROM sign_in_links');
    harness.setNow(after(1_455 * minute));
    await harness.runJobs();
    expect(await left()).toHaveLength(1);
    harness.setNow(after(2_162 * minute));
    await harness.runJobs();
    expect(await left()).toHaveLength(0);
  });
});

describe('an operator', () => {
  const operator = { authorization: 'Bearer lea-token' };
  const reason = 'the laptop was stolen';
  const signOut = (person: string, headers: Sent = operator, more: object = { reason }) =>
    ask('POST', '/v1/sign-outs', headers, { person, ...more });

  test('ends all sessions of a person and revokes the links, and the record has who did it and why', async () => {
    await start();
    const [desk, phone, other] = [await signIn('max-token'), await signIn('max-token'), await signIn()];
    const links = [await linkOf(desk.acting), await linkOf({ authorization: 'Bearer max-token' })];
    const done = await signOut('max');
    expect(done).toMatchObject({ status: 200, body: { person: 'max', sessions: 2, links: 2, at } });
    for (const { cookie } of [desk, phone])
      expect(await ask('GET', '/v1/session', { cookie })).toMatchObject({
        status: 401,
        body: { title: 'Session ended' },
      });
    for (const { code } of links) expect((await use(code)).status).toBe(401);
    expect((await ask('GET', '/v1/session', { cookie: other.cookie })).status).toBe(200);
    expect(harness.published.filter(({ type }) => type === 'SessionsEnded')).toMatchObject([
      { topic: 'sessions.ended.v1', key: 'max', subject: 'max', data: { person: 'max', by: 'lea', reason, at } },
    ]);
    // Whoever still has a token may come in again.
    harness.setNow(after(1));
    expect((await ask('GET', '/v1/session', { cookie: (await signIn('max-token')).cookie })).status).toBe(200);
  });

  test('is heard by a session and a link that were being made at that moment', async () => {
    await start();
    const { cookie } = await signIn('max-token');
    const { code } = await linkOf({ authorization: 'Bearer max-token' });
    await signOut('max');
    // As if their transactions had ended after that of the operator.
    await harness.query('UPDATE sessions SET ended_at = NULL');
    await harness.query('UPDATE sign_in_links SET used_at = NULL');
    expect((await ask('GET', '/v1/session', { cookie })).status).toBe(401);
    expect((await use(code)).status).toBe(401);
  });

  /** A transaction that has done its work and is not committed yet. */
  const open = async <R>(work: (tx: Tx) => Promise<R>) => {
    const done = Promise.withResolvers<R>();
    const released = Promise.withResolvers<void>();
    const committed = harness.app.get<Runtime>(RUNTIME).write(async (tx) => {
      done.resolve(await work(tx));
      await released.promise;
    });
    committed.catch(done.reject);
    const result = await done.promise;
    const commit = async () => {
      released.resolve();
      await committed;
    };
    return { result, commit };
  };
  /** Resolves when another transaction waits for a lock. */
  const someoneWaits = async (): Promise<void> => {
    const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    while ((await harness.query(waiting)).length === 0) await new Promise((resolve) => setImmediate(resolve));
  };

  test.each([
    ['', 1],
    [', whose clock is a minute ahead', minute],
    [', whose clock is a minute behind', -minute],
  ])('ends the session of a link that is used at that moment in another process%s', async (_, ahead) => {
    await start();
    const { code } = await linkOf({ authorization: 'Bearer max-token' });
    const store = harness.app.get(SessionStore);
    const { result, commit } = await open(async (tx) => {
      const grant = await store.useLink(tx, sha256(code), after(ahead));
      if (!grant) throw new Error('the link does not work');
      return harness.app.get(Sessions).begin(tx, grant, after(ahead), []);
    });
    const [done] = await Promise.all([signOut('max'), someoneWaits().then(commit)]);
    expect(done).toMatchObject({ status: 200, body: { sessions: 1, links: 0 } });
    const cookie = `countersign=${result.held.token}`;
    expect((await ask('GET', '/v1/session', { cookie })).status).toBe(401);
  });

  test('ends a link that is made at that moment, and leaves a link no session that is used while the sign-out is not committed', async () => {
    await start();
    const { code, expiresAt } = await linkOf({ authorization: 'Bearer max-token' });
    const store = harness.app.get(SessionStore);
    const lateCode = 'l'.repeat(43);
    const { commit: commitLink } = await open(async (tx) =>
      store.storeLink(tx, {
        ...{ person: 'max', roles: [], grantedBy: sha256('max-token'), sessionUntil: null, ofSession: null },
        codeSha256: sha256(lateCode),
        // Made by a clock that is ahead.
        expiresAt: new Date(Date.parse(expiresAt) + minute).toISOString(),
      }),
    );
    const [signedOut] = await Promise.all([
      open((tx) => store.endAllOf(tx, 'max', at)),
      someoneWaits().then(commitLink),
    ]);
    expect(signedOut.result).toEqual({ sessions: 0, links: 2 });
    const later = open((tx) => store.useLink(tx, sha256(code), after(minute)));
    await Promise.all([someoneWaits().then(signedOut.commit), later.then(({ commit }) => commit())]);
    expect((await later).result).toBeUndefined();
    harness.setNow(after(1));
    for (const ended of [code, lateCode]) expect((await use(ended)).status).toBe(401);
  });

  test('is obeyed by a database that was restored from before', async () => {
    await start();
    const { cookie } = await signIn('max-token');
    const data = { person: 'max', by: 'lea', reason, at: after(1) };
    await harness.deliver('sessions.ended.v1', [{ type: 'SessionsEnded', data, key: 'max' }]);
    expect((await ask('GET', '/v1/session', { cookie })).status).toBe(401);
  });

  const day = 24 * 60 * minute;
  /** Who is known to have been signed out, after the jobs of that time. */
  const knownAt = async (ms: number) => {
    harness.setNow(after(ms));
    await harness.runJobs();
    return (await harness.query('SELECT person FROM sign_outs ORDER BY person')).map(({ person }) => person);
  };
  const deliverSignOut = (person: string) =>
    harness.deliver('sessions.ended.v1', [
      { type: 'SessionsEnded', key: person, data: { person, by: 'lea', reason, at: after(1) } },
    ]);

  test('leaves no row for ever: a sign-out is deleted after 30 days, when nothing from before it is left', async () => {
    await start();
    await signIn('max-token');
    await signOut('max');
    expect(await knownAt(30 * day)).toEqual(['max']);
    expect(await knownAt(30 * day + 61 * minute)).toEqual([]);
    // A sign-out that is heard again is deleted again.
    await deliverSignOut('max');
    expect(await knownAt(30 * day + 122 * minute)).toEqual([]);
  });

  test('is obeyed for as long as a session from before it is left, however long that is', async () => {
    vi.stubEnv('SIGNED_IN_MS', String(60 * day));
    vi.stubEnv('SESSION_IDLE_MS', String(60 * day));
    await start();
    const { cookie } = await signIn('max-token');
    // As in a restored database: only the time of the sign-out ends the session.
    await deliverSignOut('max');
    await deliverSignOut('ann');
    expect(await knownAt(59 * day)).toEqual(['max']);
    expect((await ask('GET', '/v1/session', { cookie })).status).toBe(401);
    expect(await knownAt(61 * day + 61 * minute)).toEqual([]);
  });

  test('is obeyed for as long as a review from before it is open, because an old message may have its buttons', async () => {
    await start();
    const data = { ...escalated(), deadline: after(60 * day) };
    await harness.deliver('actions.escalated.v1', [{ type: 'ActionEscalated', data, key: 'ads-1' }]);
    await deliverSignOut('max');
    expect(await knownAt(59 * day)).toEqual(['max']);
    expect(await knownAt(60 * day + 1)).toEqual([]);
  });

  test('is told of a name that nobody has, and nobody else may', async () => {
    await start();
    expect(await signOut('mx')).toMatchObject({ status: 404, body: { title: 'No such person' } });
    expect((await signOut('max', { authorization: 'Bearer max-token' })).status).toBe(403);
    expect((await signOut('max', operator, {})).status).toBe(400);
    expect(harness.published.filter(({ type }) => type === 'SessionsEnded')).toEqual([]);
  });
});

describe('another site', () => {
  test.each<[string, (acting: Sent, other: string) => Sent]>([
    ["without the session's CSRF token", ({ cookie }) => ({ ...here, cookie: cookie as string })],
    ['with a wrong one', (acting) => ({ ...acting, 'x-csrf-token': 'x'.repeat(43) })],
    ['with that of another session', (acting, other) => ({ ...acting, 'x-csrf-token': other })],
    ['as a browser says that it is cross-site', (acting) => ({ ...acting, 'sec-fetch-site': 'cross-site' })],
    ['as a browser says that it is of a neighbour', (acting) => ({ ...acting, 'sec-fetch-site': 'same-site' })],
    ['from another origin', ({ 'sec-fetch-site': _, ...acting }) => ({ ...acting, origin: 'https://evil.example' })],
    ['from an origin that is hidden', ({ 'sec-fetch-site': _, ...acting }) => ({ ...acting, origin: 'null' })],
  ])('cannot act in the name of whoever is signed in: %s', async (_, forge) => {
    await start();
    await escalate();
    const { acting } = await signIn();
    const other = await signIn('max-token');
    const refused = await ask('POST', `/v1/reviews/${proposalId}`, forge(acting, other.csrf), answer);
    expect(refused).toMatchObject({ status: 403, body: { title: 'Not from this page' } });
    expect(decided()).toEqual([]);
    expect((await ask('POST', `/v1/reviews/${proposalId}`, acting, answer)).status).toBe(202);
  });

  test('cannot sign a browser in', async () => {
    await start();
    const { code } = await linkOf();
    expect((await use(code, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await use(code, { origin: 'https://evil.example' })).status).toBe(403);
    expect((await use(code)).status).toBe(201);
  });

  test('a token in the header needs no CSRF token: no browser sends it by itself', async () => {
    await start();
    await escalate();
    expect((await ask('POST', `/v1/reviews/${proposalId}`, { authorization: 'Bearer lea-token' }, answer)).status).toBe(
      202,
    );
  });
});

describe('the pages', () => {
  test.each(['/', '/reviews/7d4c', '/sign-in?x=1', '/index.html'])(
    '%s is the page, in no frame, with nothing from elsewhere',
    async (url) => {
      await start();
      const { status, headers, body } = await ask('GET', url);
      expect([status, headers['content-type'], headers['cache-control']]).toEqual([
        200,
        'text/html; charset=utf-8',
        'no-store',
      ]);
      const policy = String(headers['content-security-policy']).split(';');
      const nonce = /nonce="([\w-]{22})"/.exec(body)?.[1];
      expect(policy).toEqual(
        expect.arrayContaining([
          "default-src 'none'",
          "frame-ancestors 'none'",
          "base-uri 'none'",
          `script-src 'self' 'nonce-${nonce}'`,
        ]),
      );
      expect(String(headers['content-security-policy'])).not.toMatch(/unsafe|\*|https?:/);
      expect([headers['x-frame-options'], headers['x-content-type-options']]).toEqual(['DENY', 'nosniff']);
      expect((await ask('GET', url)).body).not.toBe(body);
    },
  );

  test('files that are named by what they hold are kept, and a missing one is never', async () => {
    await start();
    const asset = await ask('GET', '/assets/main-AbCd1234.js');
    expect([asset.status, asset.body, asset.headers['cache-control']]).toEqual([
      200,
      'start()',
      'public, max-age=31536000, immutable',
    ]);
    writeFileSync(join(folder, 'pages', 'assets', 'main-AbCd1234.js.gz'), gzipSync('start()'));
    const small = await harness.app.inject({ url: '/assets/main-AbCd1234.js', headers: { 'accept-encoding': 'gzip' } });
    expect([small.headers['content-encoding'], gunzipSync(small.rawPayload).toString()]).toEqual(['gzip', 'start()']);
    expect([small.headers['content-type'], small.headers['cache-control']]).toEqual([
      asset.headers['content-type'],
      asset.headers['cache-control'],
    ]);
    const missing = await ask('GET', '/assets/main-Zzzz9999.js');
    expect([missing.status, missing.headers['cache-control'], missing.body.title]).toEqual([
      404,
      'no-store',
      'Not found',
    ]);
  });

  test.each([
    '/v1/nothing',
    '/v1',
    '/health/nothing',
    '/openapi.yaml',
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/assets/..%5c..%5csecret.txt',
    '/.env',
  ])('%s is none of them', async (url) => {
    await start();
    const { status, body } = await ask('GET', url);
    expect([400, 403, 404]).toContain(status);
    expect(JSON.stringify(body)).not.toContain('nobody sees it');
  });

  test('where they are not built the console says what builds them, and its API answers', async () => {
    process.env.PAGES_DIR = join(folder, 'nowhere');
    await start();
    expect(await ask('GET', '/')).toMatchObject({ status: 404, body: expect.stringContaining('npm run build') });
    const whoami = await ask('GET', '/v1/whoami', { authorization: 'Bearer lea-token' });
    expect([whoami.status, whoami.headers['cache-control']]).toEqual([200, 'no-store']);
    expect(whoami.headers['content-security-policy']).toContain("frame-ancestors 'none'");
  });
});
