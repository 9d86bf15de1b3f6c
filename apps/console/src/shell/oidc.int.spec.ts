import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createHarness, type Harness, tablesOf } from '@countersign/runtime/harness';
import { copyTestDatabase, type TestDatabase } from '@countersign/testing';
import { Provider } from 'oidc-provider';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { at } from '../core/given.js';
import { ConsoleModule, spec } from '../module.js';
import { IdentityProvider } from './identity-provider.js';

/** People of the provider, by what they log in as. */
const groups: Record<string, readonly string[]> = { lea: ['marketing-leads', 'all'], sam: ['warehouse'] };
/** What the provider calls an account that does not go by what it logs in as. */
const names = new Map<string, string>();
const secret = 'the-secret-of-the-console';
let database: TestDatabase;
let harness: Harness;
let folder: string;
let provider: Server;
let issuer: string;
let address: string;
let environment: NodeJS.ProcessEnv;

const listening = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
};

beforeAll(async () => {
  environment = { ...process.env };
  folder = mkdtempSync(join(tmpdir(), 'oidc-'));
  const reserved = createServer();
  const port = await listening(reserved);
  await new Promise((resolve) => reserved.close(resolve));
  address = `http://127.0.0.1:${port}`;
  let handle: ReturnType<Provider['callback']> | undefined;
  provider = createServer((request, response) => void handle?.(request, response));
  issuer = `http://127.0.0.1:${await listening(provider)}`;
  handle = new Provider(issuer, {
    clients: [
      { client_id: 'countersign', client_secret: secret, redirect_uris: [`${address}/v1/sign-in/oidc/callback`] },
    ],
    claims: { openid: ['sub'], profile: ['preferred_username', 'groups'] },
    cookies: { keys: ['for tests'] },
    pkce: { required: () => true },
    findAccount: async (_context, sub) => ({
      accountId: sub,
      claims: async () => ({ sub, preferred_username: names.get(sub) ?? sub, groups: [...(groups[sub] ?? [])] }),
    }),
  }).callback();
  writeFileSync(join(folder, 'secret'), `${secret}\n`);
  writeFileSync(
    join(folder, 'roles.json'),
    JSON.stringify({ 'marketing-leads': ['reviewer', 'operator'], all: ['viewer'] }),
  );
  const sha256 = createHash('sha256').update('ann-token').digest('hex');
  writeFileSync(
    join(folder, 'tokens.json'),
    JSON.stringify([
      { sha256, person: 'ann', roles: ['viewer'] },
      { sha256: createHash('sha256').update('joe-token').digest('hex'), person: 'joe', roles: ['operator'] },
    ]),
  );
});
afterAll(async () => {
  provider.closeAllConnections();
  await new Promise((resolve) => provider.close(resolve));
  rmSync(folder, { recursive: true });
  process.env = environment;
});
beforeEach(async () => {
  Object.assign(process.env, {
    CONSOLE_TOKENS_FILE: join(folder, 'tokens.json'),
    CONFIG_DIR: fileURLToPath(new URL('../../../../deploy/config', import.meta.url)),
    PUBLIC_URL: address,
    OIDC_ISSUER: issuer,
    OIDC_CLIENT_ID: 'countersign',
    OIDC_CLIENT_SECRET_FILE: join(folder, 'secret'),
    OIDC_ROLES_FILE: join(folder, 'roles.json'),
    OIDC_NAME: 'Example',
  });
  database = await copyTestDatabase(tablesOf(spec));
});
afterEach(async () => {
  await harness.close();
  await database.close();
});
const start = async () => {
  harness = await createHarness(ConsoleModule, spec, { databaseUrl: database.url, at });
  await harness.app.listen(Number(new URL(address).port), '127.0.0.1');
};

/** A browser: keeps cookies by site, and follows no redirect by itself. */
function browser() {
  const jars = new Map<string, Map<string, string>>();
  return {
    cookie: (name: string, site = address) => jars.get(site)?.get(name),
    put: (name: string, value: string) => jars.get(address)?.set(name, value),
    drop: (name: string) => jars.get(address)?.delete(name),
    async go(url: string, init: RequestInit = {}) {
      const { origin } = new URL(url);
      const jar = jars.get(origin) ?? new Map<string, string>();
      jars.set(origin, jar);
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
      const response = await fetch(url, { ...init, redirect: 'manual', headers: { ...init.headers, cookie } });
      for (const line of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        if (value === '' || /max-age=0(;|$)|expires=Thu, 01 Jan 1970/i.test(line)) jar.delete(name);
        else jar.set(name, value);
      }
      const location = response.headers.get('location');
      return {
        status: response.status,
        next: location === null ? undefined : new URL(location, url).href,
        text: await response.text(),
        headers: response.headers,
      };
    },
  };
}
type Browser = ReturnType<typeof browser>;

const form = (fields: Record<string, string>): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams(fields).toString(),
});
/** Logs in at the provider; resolves to the address of the console that it sends the browser back to. */
async function wayBack(user: Browser, login: string, query = ''): Promise<string> {
  const begun = await user.go(`${address}/v1/sign-in/oidc${query}`);
  expect(begun.status).toBe(302);
  let next = begun.next as string;
  for (let steps = 0; steps < 12; steps++) {
    if (next.startsWith(`${address}/`)) return next;
    const answer = await user.go(next);
    if (answer.next !== undefined) {
      next = answer.next;
      continue;
    }
    const prompt = /name="prompt" value="(\w+)"/.exec(answer.text)?.[1];
    const posted = await user.go(
      next,
      form(prompt === 'login' ? { prompt, login, password: 'x' } : { prompt: 'consent' }),
    );
    next = posted.next as string;
  }
  throw new Error(`the provider never came back: ${next}`);
}
const session = (user: Browser) => user.go(`${address}/v1/session`);

test('whoever the provider knows is signed in with the roles of their groups, by a cookie that is sent to no other site', async () => {
  await start();
  const ways = await browser().go(`${address}/v1/sign-in`);
  expect(JSON.parse(ways.text)).toEqual({ link: true, oidc: { name: 'Example', url: '/v1/sign-in/oidc' } });
  const user = browser();
  const back = await wayBack(user, 'lea');
  const done = await user.go(back);
  // No redirect: a strict cookie does not come along from another site.
  expect([done.status, done.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  expect(done.text).toContain('content="0;url=/"');
  expect(done.headers.getSetCookie().at(-1)).toMatch(/^countersign=[\w-]{43}; .*HttpOnly; SameSite=Strict$/);
  expect(JSON.parse((await session(user)).text)).toMatchObject({
    person: 'lea',
    roles: ['viewer', 'reviewer', 'operator'],
  });
  expect(user.cookie('countersign-attempt')).toBeUndefined();
  expect(await harness.query('SELECT person, granted_by FROM sessions')).toEqual([{ person: 'lea', granted_by: null }]);
});

test.each([
  ['/reviews/1?a=b&c="d"#e', '/reviews/1?a=b&amp;c=%22d%22#e'],
  ['//evil.example/reviews', '/'],
  ['https://evil.example/', '/'],
  ['/v1/sign-in/oidc', '/'],
])('who wanted to go to %j is led to %s after signing in', async (next, led) => {
  await start();
  const user = browser();
  const done = await user.go(await wayBack(user, 'lea', `?next=${encodeURIComponent(next)}`));
  expect(done.status).toBe(200);
  expect(done.text).toContain(`content="0;url=${led}"`);
  expect(done.text).toContain(`<a href="${led}">`);
});

test('where an attempt leads is looked at again on the way back: its cookie may have been written by somebody else', async () => {
  await start();
  const user = browser();
  const back = await wayBack(user, 'lea', '?next=/reviews');
  const [secretOfAttempt] = (user.cookie('countersign-attempt') ?? '').split('.');
  user.put(
    'countersign-attempt',
    `${secretOfAttempt}.${Buffer.from('https://evil.example/"><script>').toString('base64url')}`,
  );
  const done = await user.go(back);
  expect(done.status).toBe(200);
  expect(done.text).toContain('content="0;url=/"');
  expect(done.text).not.toMatch(/evil|script/);
});

test('an attempt is of one browser, once, and in time', async () => {
  await start();
  const user = browser();
  const back = await wayBack(user, 'lea');
  const secretOfAttempt = user.cookie('countersign-attempt') as string;
  // Somebody lures another browser to the address: it would be signed in as somebody else.
  const victim = browser();
  expect((await victim.go(back)).status).toBe(401);
  await victim.go(`${address}/v1/sign-in/oidc`);
  expect((await victim.go(back)).status).toBe(401);
  expect((await session(victim)).status).toBe(401);

  expect((await user.go(back)).status).toBe(200);
  user.put('countersign-attempt', secretOfAttempt);
  expect((await user.go(back)).status).toBe(401);

  const slow = browser();
  const late = await wayBack(slow, 'lea');
  harness.setNow(new Date(Date.parse(at) + 600_000).toISOString());
  expect((await slow.go(late)).status).toBe(401);
});

test.each([
  ['another state', (back: URL) => back.searchParams.set('state', 'x'.repeat(43))],
  ['another code', (back: URL) => back.searchParams.set('code', 'x'.repeat(43))],
  ['no code', (back: URL) => back.searchParams.delete('code')],
  ['another issuer', (back: URL) => back.searchParams.set('iss', 'https://evil.example')],
  [
    'an error with words in it',
    (back: URL) => {
      back.searchParams.delete('code');
      back.searchParams.set('error', 'access_denied');
      back.searchParams.set('error_description', '<script>alert(1)</script>');
    },
  ],
])('an answer with %s signs nobody in, and nothing of it is shown', async (_, forge) => {
  await start();
  const user = browser();
  const back = new URL(await wayBack(user, 'lea'));
  forge(back);
  const answer = await user.go(back.href);
  expect(answer.status).toBe(401);
  expect(answer.text).not.toMatch(/script|access_denied|evil/);
  expect((await session(user)).status).toBe(401);
});

test('whoever has no role here is told so, and is nobody', async () => {
  await start();
  const user = browser();
  const answer = await user.go(await wayBack(user, 'sam'));
  expect(answer.status).toBe(403);
  expect(answer.text).toContain('no role');
  expect((await session(user)).status).toBe(401);
});

test('a provider that is away is told in words, and links work all the same', async () => {
  process.env.OIDC_ISSUER = 'http://127.0.0.1:1';
  await start();
  expect((await browser().go(`${address}/v1/sign-in/oidc`)).status).toBe(503);
  const link = await fetch(`${address}/v1/sign-in/links`, {
    method: 'POST',
    headers: { authorization: 'Bearer ann-token' },
  });
  expect(link.status).toBe(201);
});

test('the session that a browser had is over after a sign-in, although the browser does not send its strict cookie from the site of the provider', async () => {
  await start();
  const user = browser();
  await user.go(await wayBack(user, 'lea'));
  const before = user.cookie('countersign') as string;
  expect((await session(user)).status).toBe(200);
  const back = await wayBack(user, 'lea');
  user.drop('countersign');
  expect((await user.go(back)).status).toBe(200);
  expect((await session(user)).status).toBe(200);
  const earlier = browser();
  await earlier.go(`${address}/v1/sign-in`);
  earlier.put('countersign', before);
  expect((await session(earlier)).status).toBe(401);
});

test('from another site a browser is led to a page of the console first, so that it is known which session it had', async () => {
  await start();
  const headers = { 'sec-fetch-site': 'cross-site' };
  const led = await browser().go(`${address}/v1/sign-in/oidc?next=/reviews`, { headers });
  expect([led.status, led.next, led.headers.getSetCookie()]).toEqual([200, undefined, []]);
  expect(led.text).toContain('content="0;url=/v1/sign-in/oidc?next=%2Freviews"');
});

describe('an account', () => {
  beforeEach(() => {
    groups.max = ['marketing-leads'];
    groups['lea-2'] = ['marketing-leads'];
  });
  afterEach(() => {
    names.clear();
    delete groups.max;
    delete groups['lea-2'];
  });
  const signIn = async (login: string) => {
    const user = browser();
    const { status, text } = await user.go(await wayBack(user, login));
    return { user, status, text };
  };
  const personOf = async (user: Browser) => JSON.parse((await session(user)).text).person;
  const release = async (person: string) => {
    const asked = await fetch(`${address}/v1/sign-outs`, {
      method: 'POST',
      headers: { authorization: 'Bearer joe-token', 'content-type': 'application/json' },
      body: JSON.stringify({ person, reason: 'the account was replaced', newAccount: true }),
    });
    expect(asked.status).toBe(200);
    return (await asked.json()) as { accounts: number };
  };

  test('that takes the name of a person who signed in before is refused, and is told what to do', async () => {
    await start();
    expect((await signIn('lea')).status).toBe(200);
    names.set('max', 'lea');
    const { status, text, user } = await signIn('max');
    expect(status).toBe(403);
    expect(text).toContain('Another account of your identity provider signed in here as lea first.');
    expect(text).toContain('countersign sign-out --person lea --new-account --reason');
    expect((await session(user)).status).toBe(401);
    // The person is in again with their own.
    expect(await personOf((await signIn('lea')).user)).toBe('lea');
    expect(await harness.query('SELECT DISTINCT person FROM sessions')).toEqual([{ person: 'lea' }]);
  });

  test('that signed in by one name takes no other, also if nobody has used it', async () => {
    await start();
    expect((await signIn('max')).status).toBe(200);
    names.set('max', 'lea');
    const { status, text } = await signIn('max');
    expect(status).toBe(403);
    expect(text).toContain('signed in here as max before, and your identity provider now calls it lea');
    expect(text).toContain('countersign sign-out --person max --new-account --reason');
    expect((await signIn('lea')).status).toBe(200);
  });

  test('is released by an operator, with a reason on the record; the sessions of the old one end, and it is refused from then on', async () => {
    await start();
    const { user: old } = await signIn('lea');
    names.set('lea-2', 'lea');
    expect((await signIn('lea-2')).status).toBe(403);
    harness.setNow(new Date(Date.parse(at) + 1_000).toISOString());
    expect(await release('lea')).toMatchObject({ accounts: 1, sessions: 1 });
    expect(harness.published.filter(({ type }) => type === 'SessionsEnded')).toMatchObject([
      { data: { person: 'lea', by: 'joe', reason: 'the account was replaced', newAccount: true } },
    ]);
    harness.setNow(new Date(Date.parse(at) + 2_000).toISOString());
    expect((await session(old)).status).toBe(401);
    expect(await personOf((await signIn('lea-2')).user)).toBe('lea');
    expect((await signIn('lea')).status).toBe(403);
    expect(await release('lea')).toMatchObject({ accounts: 1 });
    expect(await release('lea')).toMatchObject({ accounts: 0 });
  });

  test('stays bound through a sign-out, and in a restored database is released by a release from the topic, if it was bound before it', async () => {
    await start();
    await signIn('lea');
    const ended = (seconds: number, more: object) =>
      harness.deliver('sessions.ended.v1', [
        {
          type: 'SessionsEnded',
          key: 'lea',
          data: {
            ...{ person: 'lea', by: 'joe', reason: 'x', ...more },
            at: new Date(Date.parse(at) + seconds * 1_000).toISOString(),
          },
        },
      ]);
    names.set('lea-2', 'lea');
    await ended(1, {});
    await ended(-1, { newAccount: true });
    harness.setNow(new Date(Date.parse(at) + 3_000).toISOString());
    expect((await signIn('lea-2')).status).toBe(403);
    await ended(2, { newAccount: true });
    expect((await signIn('lea-2')).status).toBe(200);
    expect((await signIn('lea')).status).toBe(403);
  });

  test('of two that sign in by a name at the same moment one is bound', async () => {
    await start();
    names.set('max', 'lea');
    const users = [browser(), browser()];
    const [first, second] = users as [Browser, Browser];
    const ways = [await wayBack(first, 'lea'), await wayBack(second, 'max')];
    const answers = await Promise.all(users.map((user, n) => user.go(ways[n] as string)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 403]);
    expect(await harness.query('SELECT person FROM sign_in_accounts')).toEqual([{ person: 'lea' }]);
  });

  test('of another provider is bound on its own: who chooses the provider decides whom to trust', async () => {
    await start();
    await signIn('lea');
    await harness.query(
      "UPDATE sign_in_accounts SET issuer = 'https://earlier.example', subject_sha256 = 'of another'",
    );
    expect((await signIn('lea')).status).toBe(200);
    expect(await harness.query('SELECT count(*)::int AS n FROM sign_in_accounts')).toEqual([{ n: 2 }]);
  });
});

test('behind a proxy that ends TLS the provider sends people back over TLS, and the attempt is of this host alone', async () => {
  process.env.PUBLIC_URL = 'https://console.example.com';
  await start();
  const begun = await fetch(`${address}/v1/sign-in/oidc`, {
    redirect: 'manual',
    headers: { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http' },
  });
  expect(new URL(String(begun.headers.get('location'))).searchParams.get('redirect_uri')).toBe(
    'https://console.example.com/v1/sign-in/oidc/callback',
  );
  // With this prefix a browser takes it from no neighbour, which would sign somebody in as somebody else.
  expect(begun.headers.get('set-cookie')).toMatch(
    /^__Host-countersign-attempt=[\w-]{43}; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
  );
});

test('what the provider says of somebody counts for fifteen minutes, also through links, and is then asked for again', async () => {
  await start();
  const user = browser();
  await user.go(await wayBack(user, 'lea'));
  const minutes = (n: number) => new Date(Date.parse(at) + n * 60_000).toISOString();
  const first = JSON.parse((await session(user)).text);
  expect([first.expiresAt, first.renewal]).toEqual([minutes(15), '/v1/sign-in/oidc']);

  harness.setNow(minutes(10));
  const made = await user.go(`${address}/v1/sign-in/links`, {
    method: 'POST',
    headers: { 'x-csrf-token': first.csrfToken, origin: address },
  });
  const code = JSON.parse(made.text).url.split('#code=')[1];
  const phone = browser();
  await phone.go(`${address}/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: address },
    body: JSON.stringify({ code }),
  });
  expect(JSON.parse((await session(phone)).text).expiresAt).toBe(minutes(15));

  groups.lea = ['all'];
  onTestFinished(() => {
    groups.lea = ['marketing-leads', 'all'];
  });
  harness.setNow(minutes(15));
  for (const over of [user, phone]) expect((await session(over)).status).toBe(401);
  // The provider knows the browser, so it asks nothing.
  const begun = await user.go(`${address}/v1/sign-in/oidc`);
  let next = begun.next as string;
  while (!next.startsWith(`${address}/`)) next = (await user.go(next)).next as string;
  expect((await user.go(next)).status).toBe(200);
  expect(JSON.parse((await session(user)).text)).toMatchObject({ roles: ['viewer'], expiresAt: minutes(30) });

  groups.lea = [];
  harness.setNow(minutes(30));
  expect((await user.go(await wayBack(user, 'lea'))).status).toBe(403);
  expect((await session(user)).status).toBe(401);
});

test('a session from before an upgrade, or before the settings were lowered, ends when one of today would, with its links', async () => {
  await start();
  const user = browser();
  await user.go(await wayBack(user, 'lea'));
  // As an earlier version made it.
  await harness.query("UPDATE sessions SET expires_at = created_at + interval '12 hours'");
  const minutes = (n: number) => new Date(Date.parse(at) + n * 60_000).toISOString();
  harness.setNow(minutes(14));
  const { csrfToken, expiresAt } = JSON.parse((await session(user)).text);
  expect(expiresAt).toBe(minutes(15));
  const headers = { origin: address, 'x-csrf-token': csrfToken };
  const link = await user.go(`${address}/v1/sign-in/links`, { method: 'POST', headers });
  expect(link.status).toBe(201);
  harness.setNow(minutes(15));
  expect((await session(user)).status).toBe(401);
  const code = String(JSON.parse(link.text).url).split('#code=')[1];
  const used = await browser().go(`${address}/v1/session`, {
    ...{ method: 'POST', headers: { origin: address, 'content-type': 'application/json' } },
    body: JSON.stringify({ code }),
  });
  expect(used.status).toBe(401);
});

test('a sign-out while the provider answers ends the session that comes of it', async () => {
  await start();
  const user = browser();
  const back = await wayBack(user, 'lea');
  // Its clock stands until the provider has answered; the operator comes in between.
  const asked = harness.app.get(IdentityProvider);
  const answer = asked.end.bind(asked);
  asked.end = async (...given) => {
    const found = await answer(...given);
    const data = { person: 'lea', by: 'ann', reason: 'x', at: new Date(Date.parse(at) + 1_000).toISOString() };
    await harness.deliver('sessions.ended.v1', [{ type: 'SessionsEnded', data, key: 'lea' }]);
    harness.setNow(new Date(Date.parse(at) + 2_000).toISOString());
    return found;
  };
  expect((await user.go(back)).status).toBe(200);
  expect((await session(user)).status).toBe(401);
});

test('a stranger who begins again and again leaves nothing for ever', async () => {
  await start();
  const rows = async () => (await harness.query('SELECT count(*) FROM inbox'))[0];
  const before = await rows();
  for (let n = 0; n < 5; n++) expect((await browser().go(`${address}/v1/sign-in/oidc`)).status).toBe(302);
  expect(await rows()).toEqual(before);
});

test('where the provider is switched off its sessions end', async () => {
  await start();
  const user = browser();
  await user.go(await wayBack(user, 'lea'));
  expect((await session(user)).status).toBe(200);
  await harness.close();
  delete process.env.OIDC_ISSUER;
  await start();
  expect((await session(user)).status).toBe(401);
  expect((await browser().go(`${address}/v1/sign-in/oidc`)).status).toBe(404);
});
