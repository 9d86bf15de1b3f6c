import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openApiFile, services } from '@countersign/contracts';
import { secrets } from '@countersign/local/compose';
import { httpAdapter, limitVariables, Public, runtimeEnvironment, type ServiceSpec } from '@countersign/runtime';
import { createHarness, type Harness, type Route } from '@countersign/runtime/harness';
import { createTestDatabase } from '@countersign/testing';
import { Controller, Get, Inject, Module, type OnModuleInit, Post, type Type } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** What anybody may ask. Whoever opens another route has to say so here. */
const openOnPurpose: Readonly<Record<string, readonly string[]>> = {
  console: [
    ...['GET /*', 'GET /v1/sign-in', 'GET /v1/sign-in/oidc', 'GET /v1/sign-in/oidc/callback'],
    ...['HEAD /*', 'HEAD /v1/sign-in', 'HEAD /v1/sign-in/oidc', 'HEAD /v1/sign-in/oidc/callback'],
    'POST /v1/session',
  ],
  'guardrail-validator': ['GET /.well-known/jwks.json', 'HEAD /.well-known/jwks.json'],
  'audit-recorder': [
    ...['checkpoint', 'consistency', 'inclusion'].flatMap((page) => [
      `GET /v1/proofs/${page}`,
      `HEAD /v1/proofs/${page}`,
    ]),
    // A browser asks whether a page may send the secret of a pass; it has none to show yet.
    'OPTIONS /v1/passes/export',
  ],
};
const liveness = ['', '/live', '/ready'].flatMap((path) => [`GET /health${path}`, `HEAD /health${path}`]);

let folder: string;
let reading: string;
let tokens: Readonly<Record<string, string | undefined>>;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'routes-'));
  // As an installation has them, so that every page that can be switched on is on.
  const stored = secrets(folder, { principals: [], programs: [], httpSources: ['crm'], person: 'lea' });
  const { files, readToken, consoleToken, apiKeys } = stored;
  reading = readToken;
  tokens = { console: consoleToken, 'audit-recorder': consoleToken, 'signal-ingestion': apiKeys.crm };
  Object.assign(process.env, files, { CONFIG_DIR: join(root, 'deploy/config'), SANDBOX_URL: 'http://127.0.0.1:1' });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The service as it is started, with what a test plants beside it. */
async function started(service: string, ...planted: Type[]): Promise<Harness> {
  const exported: Record<string, unknown> = await import(join(root, 'apps', service, 'src/module.ts'));
  const [module] = Object.entries(exported).flatMap(([name, value]) =>
    name.endsWith('Module') ? [value as Type] : [],
  );
  if (!module) throw new Error(`${service} exports no module`);
  @Module({ imports: [module], controllers: planted })
  class Site {}
  const database = await createTestDatabase();
  onTestFinished(() => database.close());
  process.env.DATABASE_URL = database.url;
  const harness = await createHarness(Site, exported.spec as ServiceSpec, {
    databaseUrl: database.url,
    at: '2026-11-21T10:00:00.000Z',
  });
  onTestFinished(() => harness.close());
  return harness;
}

/** The routes that answer somebody without credentials anything but 401, or that let in a token which nobody has. */
async function openRoutes({ app, routes }: Pick<Harness, 'app' | 'routes'>): Promise<string[]> {
  const open: string[] = [];
  for (const { method, url } of routes) {
    const answers = await Promise.all(
      [{}, { authorization: 'Bearer nobody' }, { 'x-api-key': 'nobody' }].map((headers) =>
        app.inject({ method: method as 'GET', url: url.replaceAll(/:\w+/g, 'x').replace('*', 'x'), headers }),
      ),
    );
    if (answers.some(({ statusCode }) => statusCode !== 401)) open.push(`${method} ${url}`);
  }
  return open.sort();
}

test.each(services)(
  'whoever is nobody gets 401 from every route of %s that is not open on purpose',
  async (service) => {
    const harness = await started(service);
    expect(await openRoutes(harness)).toEqual([...(openOnPurpose[service] ?? []), ...liveness].sort());
  },
);

test.each(services)(
  '%s tells strangers its status and no more, and the rest to whoever has the reading token',
  async (service) => {
    const { app } = await started(service);
    const membersFor = async (authorization?: string) =>
      Object.keys(
        (await app.inject({ url: '/health', headers: authorization ? { authorization } : {} })).json(),
      ).sort();
    for (const nobody of [undefined, 'Bearer nobody']) expect(await membersFor(nobody)).toEqual(['status']);
    expect(await membersFor(`Bearer ${reading}`)).toEqual(['checks', 'ready', 'service', 'status', 'well']);
  },
);

test.each(services)('%s gives no limit of the runtime another meaning', async (service) => {
  const exported: { spec: ServiceSpec } = await import(join(root, 'apps', service, 'src/module.ts'));
  const shape: Readonly<Record<string, unknown>> = (exported.spec.settings ?? runtimeEnvironment).shape;
  const other = Object.entries(limitVariables).filter(([name, schema]) => shape[name] !== schema);
  expect(other.map(([name]) => name)).toEqual([]);
});

/** The routes that a service's OpenAPI document has. */
const documentOf = (service: string): { paths: Record<string, Record<string, object>> } =>
  JSON.parse(readFileSync(openApiFile(service), 'utf8'));
const documentedRoutes = (service: string): string[] =>
  Object.entries(documentOf(service).paths)
    .flatMap(([path, item]) => Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`))
    .sort();
/** Routes as such a document writes them. Fastify answers HEAD beside each GET. */
const asDocumented = (routes: readonly Route[]): string[] =>
  routes
    .filter(({ method }) => method !== 'HEAD')
    .map(({ method, url }) => `${method} ${url.replaceAll(/:(\w+)/g, '{$1}').replace('*', '{path}')}`)
    .sort();

test.each(services)(
  'the OpenAPI document of %s has each of its routes and no other, and is given to whoever may use the service',
  async (service) => {
    const { app, routes } = await started(service);
    expect(documentedRoutes(service)).toEqual(asDocumented(routes));
    const headers = { authorization: `Bearer ${tokens[service] ?? reading}` };
    const given = await app.inject({ url: '/openapi.json', headers });
    expect([given.statusCode, given.json()]).toEqual([200, documentOf(service)]);
  },
);

test('whoever is nobody gets 401 from every route of the sandbox systems that is not open on purpose', async () => {
  const sources = join(root, 'apps/sandbox-systems/src');
  const { createApp } = await import(join(sources, 'app.ts'));
  const { readSettings } = await import(join(sources, 'shell/settings.ts'));
  const database = await createTestDatabase();
  onTestFinished(() => database.close());
  const adapter = httpAdapter();
  const routes: Route[] = [];
  adapter.getInstance().addHook('onRoute', ({ method, url }) => {
    for (const verb of [method].flat()) routes.push({ method: verb, url });
  });
  const app = await createApp(readSettings({ ...process.env, DATABASE_URL: database.url }), adapter);
  onTestFinished(() => app.close());
  await app.init();
  await adapter.getInstance().ready();
  expect(routes.length).toBeGreaterThan(8);
  expect(await openRoutes({ app, routes })).toEqual([...liveness].sort());
  expect(documentedRoutes('sandbox-systems')).toEqual(asDocumented(routes));
});

@Controller('planted')
class Planted implements OnModuleInit {
  constructor(@Inject(HttpAdapterHost) private readonly host: HttpAdapterHost) {}

  /** Past Nest, whose guards never see it. */
  onModuleInit(): void {
    const server = this.host.httpAdapter.getInstance<FastifyInstance>();
    if (!server.hasRoute({ method: 'GET', url: '/planted/raw' })) server.get('/planted/raw', async () => 'seen');
  }
  @Get('open/:id')
  @Public()
  open(): string {
    return 'seen';
  }
  @Get('forgotten')
  forgotten(): string {
    return 'seen';
  }
  @Post('forgotten')
  act(): string {
    return 'done';
  }
}

test('a route that somebody opened is found; one that nobody said anything of is closed, also where it goes past Nest', async () => {
  const harness = await started('orchestrator', Planted);
  const planted = harness.routes
    .filter(({ url }) => url.startsWith('/planted'))
    .map(({ method, url }) => `${method} ${url}`);
  expect(planted).toEqual(
    expect.arrayContaining([
      'GET /planted/open/:id',
      'GET /planted/forgotten',
      'POST /planted/forgotten',
      'GET /planted/raw',
    ]),
  );
  expect((await openRoutes(harness)).filter((route) => route.includes('/planted'))).toEqual([
    'GET /planted/open/:id',
    'HEAD /planted/open/:id',
  ]);
});
