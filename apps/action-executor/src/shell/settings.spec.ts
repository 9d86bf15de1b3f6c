import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readEnvironment } from '@countersign/runtime';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { environment, readSettings } from './settings.js';
import { signingKey } from './testing.js';

let folder: string;
let env: Record<string, string>;
const file = (name: string, content: unknown): string => {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'executor-'));
  env = {
    PERMIT_VERIFY_KEYS_FILE: file('keys.json', { keys: [signingKey('a').publicJwk, signingKey('b').publicJwk] }),
    CONTACT_POINTS_PRIVATE_KEY_FILE: file(
      'points.json',
      generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' }),
    ),
  };
});
afterEach(() => rmSync(folder, { recursive: true }));

test('reads two verify keys, so that a rotation needs no pause', () => {
  const settings = readSettings(env);
  expect([...settings.permitKeys.keys()]).toEqual(['a', 'b']);
  expect(settings.webhook).toBeUndefined();
});

test.each(['PERMIT_VERIFY_KEYS_FILE', 'CONTACT_POINTS_PRIVATE_KEY_FILE'])('says that %s is not set', (variable) => {
  delete env[variable];
  expect(() => readSettings(env)).toThrow(`${variable} is not set`);
});

test.each<[string, unknown]>([
  ['PERMIT_VERIFY_KEYS_FILE', { keys: [] }],
  ['PERMIT_VERIFY_KEYS_FILE', 'no keys'],
  ['CONTACT_POINTS_PRIVATE_KEY_FILE', { kty: 'OKP', crv: 'X25519', x: 'AA' }],
  ['CONNECTORS_FILE', 'webhook: {url: "ftp://a.example", secretFile: s}'],
  ['CONNECTORS_FILE', 'webhook: {url: "http://a.example", secretFile: s}'],
  ['CONNECTORS_FILE', 'webhook: {url: "https://a.example", secretFile: none}'],
  ['CONNECTORS_FILE', 'webhook: {url: "https://a.example", secretFile: s, timeoutMs: 60000}'],
  ['CONNECTORS_FILE', 'smtp: {}'],
])('refuses to start with an unusable %s: %j', (variable, content) => {
  file('s', `whsec_${Buffer.alloc(24, 7).toString('base64')}`);
  expect(() => readSettings({ ...env, [variable]: file('bad', content) })).toThrow(variable);
});

test('an unreadable file is named, and nothing of a broken one is quoted', () => {
  expect(() => readSettings({ ...env, CONNECTORS_FILE: join(folder, 'none') })).toThrow('ENOENT');
  for (const variable of ['CONNECTORS_FILE', 'CONTACT_POINTS_PRIVATE_KEY_FILE', 'PERMIT_VERIFY_KEYS_FILE'])
    expect(() => readSettings({ ...env, [variable]: file('large', ' '.repeat(1_048_577)) })).toThrow(
      new RegExp(
        `^${variable}: the file that it names cannot be read \\(has 1048577 bytes; at most 1048576 are read\\)`,
      ),
    );
  const broken = file('broken', '{"kty": "OKP", "d": "the-secret-part", ');
  expect(() => readSettings({ ...env, CONTACT_POINTS_PRIVATE_KEY_FILE: broken })).toThrow(
    /^(?!.*the-secret-part).*CONTACT_POINTS_PRIVATE_KEY_FILE/,
  );
});

test('everything that cannot be used is told at once, by its variable, and nothing of a value', () => {
  const wrong = {
    PERMIT_VERIFY_KEYS_FILE: join(folder, 'secret-path'),
    CALL_TRIES: 'secret-number',
    SANDBOX_URL: 'secret-url',
    KAFKA_SASL: 'secret-word',
    PORT: 'secret-port',
  };
  const read = () => readEnvironment(environment, { ...env, ...wrong });
  expect(read).toThrow(
    'KAFKA_BROKERS is not set. KAFKA_SASL: scram-sha-256, scram-sha-512 or plain is expected. DATABASE_URL is not set. ' +
      'PORT: a port number is expected. PERMIT_VERIFY_KEYS_FILE: the file that it names cannot be read (ENOENT). ' +
      'SANDBOX_URL: a URL such as http://127.0.0.1:8089 is expected. CALL_TRIES: a whole number from 1 to 999999 is expected',
  );
  expect(read).toThrow('7 settings cannot be used. ');
  expect(read).toThrow(/^(?!.*secret)/);
});

test('the webhook’s secret is read from beside the connectors file', () => {
  const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
  file('webhook.secret', `${secret}\n`);
  const connectors = file('connectors.yaml', 'webhook:\n  url: https://a.example/in\n  secretFile: webhook.secret\n');
  expect(readSettings({ ...env, CONNECTORS_FILE: connectors }).webhook).toEqual({
    url: 'https://a.example/in',
    secret,
    timeoutMs: 10_000,
  });
});

const token = 'x'.repeat(32);

test.each(['http://127.0.0.1:8089', 'http://sandbox-systems:8089/', 'https://sandbox.example/systems/'])(
  'the sandbox systems are reached at %s with a token from a file',
  (url) => {
    const found = readSettings({ ...env, SANDBOX_URL: url, SANDBOX_TOKEN_FILE: file('token.json', { token }) });
    expect(found.sandbox).toEqual({ url: url.replace(/\/$/, ''), token });
  },
);

test('without an address and a token there are no connectors to the sandbox systems; one of both is a mistake', () => {
  expect(readSettings(env).sandbox).toBeUndefined();
  const path = file('token.json', { token });
  expect(() => readSettings({ ...env, SANDBOX_TOKEN_FILE: path })).toThrow('SANDBOX_URL is not set');
  expect(() => readSettings({ ...env, SANDBOX_URL: 'http://127.0.0.1:1' })).toThrow('SANDBOX_TOKEN_FILE is not set');
});

test.each([
  ['SANDBOX_URL', 'http://sandbox.example', { token }],
  ['SANDBOX_URL', 'ftp://127.0.0.1', { token }],
  ['SANDBOX_URL', 'sandbox', { token }],
  ['SANDBOX_TOKEN_FILE', 'http://127.0.0.1:1', { token: 'short' }],
  ['SANDBOX_TOKEN_FILE', 'http://127.0.0.1:1', { token: `${token}\n` }],
  ['SANDBOX_TOKEN_FILE', 'http://127.0.0.1:1', { sha256: 'a'.repeat(64) }],
])('refuses to start with an unusable %s: %s, %j', (variable, url, content) => {
  const given = { ...env, SANDBOX_URL: url, SANDBOX_TOKEN_FILE: file('token.json', content) };
  expect(() => readSettings(given)).toThrow(variable);
});
