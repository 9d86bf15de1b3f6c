import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createHarness, type Harness } from '@countersign/runtime/harness';
import { createTestDatabase, type TestDatabase } from '@countersign/testing';
import { RequestMethod } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { at, escalated, proposalId } from '../core/given.js';
import { Role } from '../core/people.js';
import { ConsoleModule, spec } from '../module.js';

const nobody = '00000000-0000-4000-8000-000000000000';
/** Who may use a route, and no other one; of those without a line everybody who has a token. */
const only: Readonly<Record<string, Role>> = {
  'POST /v1/reviews/:subjectId': 'reviewer',
  'POST /v1/reviews/:subjectId/dry-run': 'reviewer',
  'POST /v1/settlements/:permitId': 'reviewer',
  'POST /v1/controls': 'operator',
  'POST /v1/gaps/acknowledged': 'operator',
  'POST /v1/dead-letters/:deadLetterId/replays': 'operator',
  'POST /v1/notifications/test': 'operator',
  'POST /v1/policies/check': 'policy-owner',
  'POST /v1/policies/publish': 'policy-owner',
};
/** What anybody may ask, and what changes something for whoever asks alone. */
const forAll = [
  'GET /v1/sign-in',
  'GET /v1/sign-in/oidc',
  'GET /v1/sign-in/oidc/callback',
  'POST /v1/session',
  'GET /*',
  'POST /v1/slack/actions',
];
/** Its answer has no end; `live.int.spec.ts` asks it. */
const endless = ['GET /v1/live'];
/** Slack's signature says who asks, and not a token. */
const signed = ['POST /v1/slack/actions'];
const ofOneself = ['POST /v1/session', 'DELETE /v1/session', 'POST /v1/sign-in/links', ...signed];
/** Every route there is, as the controllers declare them. */
const routes: readonly string[] = (Reflect.getMetadata('controllers', ConsoleModule) as (new () => object)[]).flatMap(
  ({ prototype }) => {
    const names = Object.getOwnPropertyNames(prototype).filter((name) => name !== 'constructor');
    return names.flatMap((name) => {
      const handler = (prototype as Record<string, object>)[name] as object;
      const method: RequestMethod | undefined = Reflect.getMetadata('method', handler);
      if (method === undefined) return [];
      const parts = [
        Reflect.getMetadata('path', (prototype as object).constructor),
        Reflect.getMetadata('path', handler),
      ];
      return [`${RequestMethod[method]} /${parts.filter((part) => part !== '/').join('/')}`];
    });
  },
);

let database: TestDatabase;
let harness: Harness;
let folder: string;
/** By role: what the browser of somebody with it sends, who is signed in. */
const signedIn = new Map<Role, Record<string, string>>();

beforeAll(async () => {
  database = await createTestDatabase();
  folder = mkdtempSync(join(tmpdir(), 'console-roles-'));
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const people = Role.options.map((role) => ({ sha256: sha256(role), person: role, roles: [role] }));
  writeFileSync(join(folder, 'tokens.json'), JSON.stringify(people));
  process.env.CONSOLE_TOKENS_FILE = join(folder, 'tokens.json');
  process.env.CONFIG_DIR = fileURLToPath(new URL('../../../../deploy/config', import.meta.url));
  harness = await createHarness(ConsoleModule, spec, { databaseUrl: database.url, at });
  await harness.deliver('actions.escalated.v1', [{ type: 'ActionEscalated', data: escalated(), key: 'ads-1' }]);
});
afterAll(async () => {
  await harness?.close();
  await database?.close();
  if (folder) rmSync(folder, { recursive: true });
});

const ask = async (method: string, url: string, token?: string, payload?: object) => {
  const { statusCode, body } = await harness.app.inject({
    method: method as 'GET',
    url,
    headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    ...(payload && { payload }),
  });
  return { status: statusCode, body };
};
const filled = (route: string, id = nobody): [string, string] => {
  const [method = '', path = ''] = route.split(' ');
  return [method, path.replace(/:\w+/, id)];
};

async function signIn(role: Role): Promise<Record<string, string>> {
  const { body: made } = await ask('POST', '/v1/sign-in/links', role);
  const code = String(JSON.parse(made).url).split('#code=')[1];
  const begun = await harness.app.inject({ method: 'POST', url: '/v1/session', payload: { code } });
  const cookie = String(begun.headers['set-cookie']).split(';')[0] as string;
  return { cookie, 'x-csrf-token': begun.json().csrfToken };
}

describe.each(Object.keys(only))('%s by whoever is signed in', (route) => {
  test.each(Role.options)(
    'as %s is done or refused as by their token, and never without the CSRF token',
    async (role) => {
      const headers = signedIn.get(role) ?? (await signIn(role));
      signedIn.set(role, headers);
      const [method, url] = filled(route);
      const sent = (given: Record<string, string>) =>
        harness.app.inject({ method: method as 'POST', url, headers: given });
      const byToken = await ask(method, url, role);
      const bySession = await sent(headers);
      expect(bySession.statusCode).toBe(byToken.status);
      expect(bySession.statusCode === 403).toBe(only[route] !== role);
      const forged = await sent({ cookie: headers.cookie as string });
      expect([forged.statusCode, forged.json().title]).toEqual([403, 'Not from this page']);
    },
  );
});

test('every line names a route, and every route that changes something has a line', () => {
  const changing = routes.filter((route) => !route.startsWith('GET '));
  expect(changing.sort()).toEqual([...Object.keys(only), ...ofOneself].sort());
  expect(routes.length).toBeGreaterThan(10);
});

describe.each(routes.filter((route) => ![...forAll, ...endless].includes(route)))('%s', (route) => {
  test.each([...Role.options, undefined])('asked for by %s', async (role) => {
    const [method, url] = filled(route);
    const { status } = await ask(method, url, role);
    const needed = only[route];
    if (role === undefined) expect(status).toBe(401);
    else if (needed !== undefined && needed !== role) expect(status).toBe(403);
    else expect([200, 201, 202, 400, 404]).toContain(status);
  });

  test('without a token neither HEAD nor OPTIONS nor another method says more', async () => {
    const [, url] = filled(route);
    for (const method of ['HEAD', 'OPTIONS', 'PUT', 'DELETE', 'PATCH']) {
      const { status, body } = await ask(method, url);
      expect([401, 404]).toContain(status);
      expect(body).not.toContain('lea');
    }
  });
});

test.each([...Role.options, undefined])('a token of %s is no signature of Slack', async (role) => {
  for (const route of signed) expect((await ask(...filled(route), role)).status).toBe(401);
});

test('a reviewer who is not among its reviewers changes nothing', async () => {
  const answer = { decision: 'approve', digest: escalated().digest };
  expect(await ask('POST', `/v1/reviews/${proposalId}`, 'reviewer', answer)).toMatchObject({ status: 403 });
  expect(harness.published.filter(({ type }) => type === 'ReviewDecided')).toEqual([]);
});

test.each([
  '%00',
  '%2e%2e%2f%2e%2e',
  'a%0d%0ab',
  '%F0%9F%98%80',
  "'%20OR%201=1",
  '%ff',
  '%zz',
  'x'.repeat(3_000),
  'constructor',
])('an id %j is an error of whoever asks, wherever it stands', async (id) => {
  for (const route of routes.filter((listed) => listed.includes(':'))) {
    for (const payload of [undefined, { decision: 'approve', digest: escalated().digest }, { note: 'x' }]) {
      const [method, url] = filled(route, id);
      if (method === 'GET' && payload) continue;
      const { status, body } = await ask(method, url, only[route] ?? 'reviewer', payload);
      expect([400, 404, 414], `${method} ${url.slice(0, 80)}: ${body}`).toContain(status);
    }
  }
  for (const query of [
    'reviews?state=',
    'reviews?limit=',
    'settlements?limit=',
    'events?correlation=',
    'dead-letters?service=',
  ])
    expect((await ask('GET', `/v1/${query}${id}`, 'viewer')).status, query).toBeLessThan(500);
});

test('a text that no table can hold is an error of whoever sends it', async () => {
  for (const scope of ['account:\u0000', 'account:\ud800', 'agent:__proto__', 'x'.repeat(10_000)])
    for (const state of ['stopped', 'running'])
      expect(
        (await ask('POST', '/v1/controls', 'operator', { scope, state, reason: 'x' })).status,
        JSON.stringify(scope),
      ).toBeLessThan(500);
});
