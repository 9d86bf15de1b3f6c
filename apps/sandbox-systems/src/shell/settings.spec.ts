import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readSettings } from './settings.js';

const sha256 = 'a'.repeat(64);
let folder: string;
let env: Record<string, string>;
const tokens = (content: unknown): string => {
  const path = join(folder, 'tokens.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sandbox-'));
  env = {
    DATABASE_URL: 'postgres://127.0.0.1:1/none',
    SANDBOX_TOKENS_FILE: tokens([{ sha256, name: 'executor', roles: ['connector'] }]),
  };
});
afterEach(() => rmSync(folder, { recursive: true }));

test('whoever has a token is known by its SHA-256, with the roles of the file', () => {
  const settings = readSettings(env);
  expect(settings.holders.get(sha256)).toEqual({ name: 'executor', roles: ['connector'] });
  expect(settings).toMatchObject({ port: 8089, host: '127.0.0.1', migrationUrl: env.DATABASE_URL });
});

test.each(['DATABASE_URL', 'SANDBOX_TOKENS_FILE'])('says that %s is not set', (variable) => {
  delete env[variable];
  expect(() => readSettings(env)).toThrow(`${variable} is not set`);
});

test.each<[string, unknown]>([
  ['no list', {}],
  ['nobody', []],
  ['a role that there is not', [{ sha256, name: 'executor', roles: ['admin'] }]],
  ['nobody’s role', [{ sha256, name: 'executor', roles: [] }]],
  ['a token as it is', [{ sha256: 'a-token', name: 'executor', roles: ['connector'] }]],
  ['one token for two', ['a', 'b'].map((name) => ({ sha256, name, roles: ['viewer'] }))],
])('refuses to start with %s in place of tokens', (_what, content) => {
  expect(() => readSettings({ ...env, SANDBOX_TOKENS_FILE: tokens(content) })).toThrow('SANDBOX_TOKENS_FILE');
});

test('nothing of a broken file is quoted', () => {
  const file = tokens('[{"sha256": "the-secret-part", ');
  expect(() => readSettings({ ...env, SANDBOX_TOKENS_FILE: file })).toThrow(
    /^(?!.*the-secret-part).*SANDBOX_TOKENS_FILE.*it is not JSON/,
  );
  expect(() => readSettings({ ...env, SANDBOX_TOKENS_FILE: join(folder, 'none') })).toThrow('ENOENT');
});

test.each(['x', '70000', ' '])('refuses to start with the port %j', (port) => {
  expect(() => readSettings({ ...env, PORT: port })).toThrow('PORT');
});
