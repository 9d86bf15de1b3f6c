import 'reflect-metadata';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Controller, Get, Module } from '@nestjs/common';
import { Validator } from '@seriousme/openapi-schema-validator';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Artifact, artifactOf, documented } from './artifacts.js';
import { documentOf } from './document.js';

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly parameters?: readonly { name: string; in: string; schema?: object }[];
  readonly requestBody?: { content: Record<string, { schema?: object }> };
  readonly responses: Readonly<Record<string, { description?: string; content?: Record<string, { schema?: object }> }>>;
  readonly security?: readonly Record<string, readonly string[]>[];
}
interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const operationsOf = ({ paths }: Document) =>
  Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  );

describe.each(documented)('the OpenAPI document of %s', (service) => {
  let artifact: Artifact;
  let document: Document;
  beforeAll(async () => {
    artifact = await artifactOf(service);
    document = JSON.parse(artifact.content);
  });

  test('is up to date; if not, npm run generate', () => {
    expect(existsSync(artifact.file), `${artifact.file} is missing`).toBe(true);
    expect(readFileSync(artifact.file, 'utf8')).toBe(artifact.content);
  });

  test('is OpenAPI 3.1, by the schema of the specification', async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate(structuredClone(document) as never);
    expect(errors).toBeUndefined();
    expect([valid, validator.version]).toEqual([true, '3.1']);
  });

  test('says of each operation what it is for, what it takes and answers, who may, and how it fails', () => {
    const operations = operationsOf(document);
    expect(operations.length).toBeGreaterThan(3);
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, method, operation } of operations) {
      const at = `${method} ${path}`;
      const { summary, parameters = [], requestBody, responses, security } = operation;
      expect(summary, at).toMatch(/^[A-Z].+[^.]$/);
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect(
        parameters.filter((p) => p.in === 'path').map((p) => p.name),
        at,
      ).toEqual(inPath);
      for (const parameter of parameters)
        expect(Object.keys(parameter.schema ?? {}), `${at} ${parameter.name}`).not.toEqual([]);
      if (method === 'put') expect(requestBody, at).toBeDefined();
      for (const { schema } of Object.values(requestBody?.content ?? {}))
        expect(Object.keys(schema ?? {}), `${at} body`).not.toEqual([]);
      const statuses = Object.keys(responses).map(Number);
      // A redirect is what was asked for, too. A browser may get a page in its place, so a route can have both.
      const [pages, redirects] = [statuses.filter((n) => n < 300), statuses.filter((n) => n >= 300 && n < 400)];
      expect([pages.length, redirects.length], at).toSatisfy(
        ([page, redirect]: [number, number]) => page <= 1 && redirect <= 1 && page + redirect > 0,
      );
      for (const [status, { content }] of Object.entries(responses))
        for (const [media, { schema }] of Object.entries(content ?? {})) {
          expect(Object.keys(schema ?? {}), `${at} ${status}`).not.toEqual([]);
          if (media === 'application/problem+json') expect(schema).toEqual({ $ref: '#/components/schemas/Problem' });
        }
      expect(statuses, at).toEqual(expect.arrayContaining([400, 500]));
      expect(security, at).toBeDefined();
      if (security && security.length > 0) expect(statuses, at).toContain(401);
    }
  });
});

test('a document names the role that a route asks for, and no credentials where it is open to everybody', async () => {
  const console: Document = JSON.parse((await artifactOf('console')).content);
  expect(console.paths['/v1/controls']?.post?.security).toEqual([
    { bearer: ['operator'] },
    { session: ['operator'], csrfToken: ['operator'] },
  ]);
  expect(console.paths['/v1/controls']?.get?.security).toEqual([{ bearer: [] }, { session: [] }]);
  expect(console.paths['/v1/session']?.get?.security).toEqual([{ session: [] }]);
  expect(console.paths['/v1/session']?.delete?.security).toEqual([{ session: [], csrfToken: [] }]);
  expect(console.paths['/v1/session']?.post?.security).toEqual([]);
  expect(console.paths['/v1/slack/actions']?.post?.security).toEqual([{ slackSignature: [], slackTimestamp: [] }]);
  expect(console.paths['/health']?.get?.security).toEqual([]);
});

test.each(documented)('%s takes no credential that its document does not describe', async (service) => {
  const document = JSON.parse((await artifactOf(service)).content);
  const schemes = Object.keys(document.components.securitySchemes);
  const used = operationsOf(document).flatMap(({ operation }) => (operation.security ?? []).flatMap(Object.keys));
  expect(schemes).toEqual(expect.arrayContaining([...new Set(used)]));
  for (const scheme of schemes) expect(used).toContain(scheme);
});

test('a body is described by the schema that the pipe reads it with', async () => {
  const console: Document = JSON.parse((await artifactOf('console')).content);
  const schema = console.paths['/v1/controls']?.post?.requestBody?.content['application/json']?.schema;
  expect(schema).toMatchObject({
    required: ['scope', 'state', 'reason'],
    properties: { state: { enum: ['stopped', 'running'] } },
    additionalProperties: false,
  });
});

@Controller()
class Forgotten {
  @Get('forgotten')
  page(): string {
    return 'seen';
  }
}
@Module({ controllers: [Forgotten] })
class Site {}

test('a route that nobody documented stops the generator', async () => {
  await expect(documentOf(Site, { service: 'x', port: 1, schemes: {} })).rejects.toThrow(
    'Forgotten.page has no @Documented()',
  );
});

test('an invalid document is found', async () => {
  const document = JSON.parse((await artifactOf('orchestrator')).content);
  document.paths['/runs'].get.responses = 'none';
  expect((await new Validator().validate(document)).valid).toBe(false);
});

test("the client of the console's pages is up to date; if not, npm run generate", () => {
  const cwd = fileURLToPath(new URL('../../../apps/console-web/', import.meta.url));
  const { status, stderr } = spawnSync('npm', ['run', '--silent', 'client', '--', '--check'], {
    cwd,
    encoding: 'utf8',
  });
  expect({ status, stderr }).toMatchObject({ status: 0 });
});
