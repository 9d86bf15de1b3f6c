import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openApiFile } from '@countersign/contracts';
import { createHarness, type Harness, tablesOf } from '@countersign/runtime/harness';
import { copyTestDatabase, type TestDatabase } from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { at, escalated, proposalId } from '../core/given.js';
import { Role } from '../core/people.js';
import { ConsoleModule, spec } from '../module.js';

const nobody = '00000000-0000-4000-8000-000000000000';
/** Who may use a route: one role; everybody who is signed in or has a token; whoever has a session; anybody; whoever Slack's signature names. */
type Decision = Role | 'known' | 'session' | 'anybody' | 'slack';
/** For each route of the OpenAPI document. A new route fails until it has a line here. */
const decisions: Readonly<Record<string, Decision>> = {
  'GET /*': 'anybody',
  'GET /health': 'anybody',
  'GET /health/live': 'anybody',
  'GET /health/ready': 'anybody',
  'GET /openapi.json': 'known',
  'GET /v1/agents': 'known',
  'GET /v1/agents/:agent': 'known',
  'GET /v1/agents/:agent/actions': 'known',
  'GET /v1/agents/:agent/charter': 'known',
  'GET /v1/controls': 'known',
  'POST /v1/controls': 'operator',
  'GET /v1/dead-letters': 'known',
  'GET /v1/dead-letters/:deadLetterId': 'known',
  'POST /v1/dead-letters/:deadLetterId/replays': 'operator',
  'GET /v1/events': 'known',
  'GET /v1/events/:seq/record': 'known',
  'GET /v1/funnel': 'known',
  'GET /v1/gaps': 'known',
  'GET /v1/gaps/acknowledged': 'known',
  'POST /v1/gaps/acknowledged': 'operator',
  'GET /v1/ids': 'known',
  'GET /v1/inspections': 'known',
  'POST /v1/inspections': 'auditor',
  'POST /v1/inspections/:inspectionId/end': 'auditor',
  'POST /v1/inspections/:inspectionId/progress': 'auditor',
  'GET /v1/kinds': 'known',
  'GET /v1/live': 'known',
  'GET /v1/notifications': 'known',
  'POST /v1/notifications/test': 'operator',
  'GET /v1/now': 'known',
  'GET /v1/people': 'known',
  'GET /v1/people/:contactId': 'known',
  'GET /v1/people/:contactId/actions': 'known',
  'GET /v1/people/:contactId/reveals': 'known',
  'POST /v1/people/:contactId/reveals': 'privacy-officer',
  'GET /v1/people/:contactId/reveals/:revealId': 'privacy-officer',
  'GET /v1/plays': 'known',
  'GET /v1/plays/:playId': 'known',
  'GET /v1/plays/:playId/runs': 'known',
  'GET /v1/policies': 'known',
  'POST /v1/policies/check': 'policy-owner',
  'GET /v1/policies/differences': 'known',
  'POST /v1/policies/publish': 'policy-owner',
  'GET /v1/policies/versions': 'known',
  'GET /v1/policies/versions/:version': 'known',
  'GET /v1/queue': 'known',
  'GET /v1/record': 'known',
  'GET /v1/record/checkpoints': 'known',
  'GET /v1/record/passes': 'known',
  'POST /v1/record/passes': 'auditor',
  'GET /v1/reviews': 'known',
  'GET /v1/reviews/:reviewId/result': 'known',
  'GET /v1/reviews/:subjectId': 'known',
  'POST /v1/reviews/:subjectId': 'reviewer',
  'POST /v1/reviews/:subjectId/dry-run': 'reviewer',
  'GET /v1/reviews/:subjectId/facts': 'known',
  'GET /v1/runs/:runId': 'known',
  'DELETE /v1/session': 'session',
  'GET /v1/session': 'session',
  'POST /v1/session': 'anybody',
  'GET /v1/settlements': 'known',
  'GET /v1/settlements/:permitId': 'known',
  'POST /v1/settlements/:permitId': 'reviewer',
  'GET /v1/sign-in': 'anybody',
  'POST /v1/sign-in/links': 'known',
  'GET /v1/sign-in/oidc': 'anybody',
  'GET /v1/sign-in/oidc/callback': 'anybody',
  'POST /v1/sign-outs': 'operator',
  'GET /v1/signals/rejected': 'known',
  'POST /v1/slack/actions': 'slack',
  'GET /v1/sources': 'known',
  'GET /v1/stories': 'known',
  'GET /v1/stories/:id': 'known',
  'GET /v1/whoami': 'known',
};
const decided = (...wanted: readonly Decision[]): string[] =>
  Object.keys(decisions).filter((route) => wanted.includes(decisions[route] as Decision));
const isRole = (decision: Decision | undefined): decision is Role =>
  (Role.options as readonly (string | undefined)[]).includes(decision);
/** Who may use a route, and no other one. */
const only: Readonly<Record<string, Role>> = Object.fromEntries(
  Object.entries(decisions).flatMap(([route, decision]) => (isRole(decision) ? [[route, decision]] : [])),
);
/** Its answer has no end; `live.int.spec.ts` asks it. */
const endless = ['GET /v1/live'];
/** Slack's signature says who asks, and not a token. */
const signed = decided('slack');
const routes: readonly string[] = Object.keys(decisions);

interface Operation {
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
}
const document: { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> } = JSON.parse(
  readFileSync(openApiFile('console'), 'utf8'),
);
/** The routes of the document, as Fastify writes them. */
const documented = new Map(
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => [
      `${method.toUpperCase()} ${path === '/{path}' ? '/*' : path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
      operation,
    ]),
  ),
);

let database: TestDatabase;
let harness: Harness;
let folder: string;
/** By role: what the browser of somebody with it sends, who is signed in. */
const signedIn = new Map<Role, Record<string, string>>();

beforeAll(async () => {
  database = await copyTestDatabase(tablesOf(spec));
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
  return [method, path.replace(/:\w+/g, id)];
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
      // What changes nothing is read without it.
      if (method === 'GET') expect(forged.statusCode).toBe(bySession.statusCode);
      else expect([forged.statusCode, forged.json().title]).toEqual([403, 'Not from this page']);
    },
  );
});

test('every route of the OpenAPI document is decided on, and nothing else', () => {
  expect([...documented.keys()].sort()).toEqual([...routes].sort());
  expect(routes.length).toBeGreaterThan(40);
});

test.each(routes)('the document says who may use %s, and with what', (route) => {
  const decision = decisions[route];
  const roles = isRole(decision) ? [decision] : [];
  const session = route.startsWith('GET ') ? { session: roles } : { session: roles, csrfToken: roles };
  const expected: Readonly<Record<string, readonly object[]>> = {
    anybody: [],
    slack: [{ slackSignature: [], slackTimestamp: [] }],
    session: [session],
  };
  expect(documented.get(route)?.security).toEqual(expected[decision ?? ''] ?? [{ bearer: roles }, session]);
});

const changing = routes.filter(
  (route) => !route.startsWith('GET ') && !['anybody', 'slack'].includes(decisions[route] ?? ''),
);
test.each(changing)('%s is done for no other site, whatever the session may do', async (route) => {
  const role = only[route] ?? 'viewer';
  const headers = signedIn.get(role) ?? (await signIn(role));
  signedIn.set(role, headers);
  const { cookie = '', 'x-csrf-token': csrf = '' } = headers;
  const [method, url] = filled(route);
  const forgeries: Record<string, string>[] = [
    { cookie },
    { cookie, 'x-csrf-token': 'x'.repeat(43) },
    { cookie, 'x-csrf-token': csrf, 'sec-fetch-site': 'cross-site' },
    { cookie, 'x-csrf-token': csrf, 'sec-fetch-site': 'same-site' },
    { cookie, 'x-csrf-token': csrf, origin: 'https://evil.example' },
    { cookie, 'x-csrf-token': csrf, origin: 'null' },
    // What a form of another site can send without asking.
    { cookie, 'content-type': 'text/plain' },
    { cookie, 'content-type': 'application/x-www-form-urlencoded' },
    { cookie, 'content-type': 'multipart/form-data; boundary=x' },
  ];
  for (const forged of forgeries) {
    const answer = await harness.app.inject({ method: method as 'POST', url, headers: forged });
    expect([answer.statusCode, answer.json().title], JSON.stringify(Object.keys(forged))).toEqual([
      403,
      'Not from this page',
    ]);
  }
  // The session is still there: nobody was signed out either.
  expect((await harness.app.inject({ url: '/v1/session', headers })).statusCode).toBe(200);
});

describe.each(decided('known', 'session', ...Role.options).filter((route) => !endless.includes(route)))(
  '%s',
  (route) => {
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
  },
);

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
