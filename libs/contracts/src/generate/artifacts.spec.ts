import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Parser } from '@asyncapi/parser';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { artifacts, withPart } from './artifacts.js';

const root = fileURLToPath(new URL('../../../../', import.meta.url));

describe('what is generated from the topology', () => {
  test.each(artifacts().map((a) => [a.part ? `${a.path} (${a.part})` : a.path, a] as const))(
    '%s is up to date; if not, npm run generate',
    (_name, { path, part, content }) => {
      const file = join(root, path);
      expect(existsSync(file), `${path} is missing`).toBe(true);
      const current = readFileSync(file, 'utf8');
      expect(current).toBe(part ? withPart(current, part, content) : content);
    },
  );

  test('the AsyncAPI document passes the official parser without an error', { timeout: 60_000 }, async () => {
    const text = readFileSync(join(root, 'libs/contracts/generated/asyncapi.json'), 'utf8');
    const { document, diagnostics } = await new Parser().parse(text);
    expect(diagnostics.filter((d) => d.severity === 0)).toEqual([]);
    expect(document?.channels().all().length).toBeGreaterThan(20);
  });

  test('every JSON Schema compiles as draft 2020-12', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    for (const { path } of artifacts().filter((a) => a.path.includes('/schemas/'))) {
      expect(() => ajv.compile(JSON.parse(readFileSync(join(root, path), 'utf8'))), path).not.toThrow();
    }
  });
});
