import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readSettings } from './settings.js';

let folder: string;
const put = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
let env: Record<string, string>;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'settings-'));
  env = {
    IDENTITY_KEY_FILE: put('identity', `${'ab'.repeat(32)}\n`),
    CONTACT_POINTS_PUBLIC_KEY_FILE: put('points', JSON.stringify({ kty: 'OKP', crv: 'X25519', x: 'AA' })),
    API_KEYS_FILE: put('keys', JSON.stringify({ crm: 'ab'.repeat(32), website: ['cd'.repeat(32), 'ef'.repeat(32)] })),
  };
});
afterAll(() => rmSync(folder, { recursive: true }));

test('reads keys, and presets where nothing is set', () => {
  const settings = readSettings(env);
  expect(settings.identityKey).toEqual(Buffer.alloc(32, 0xab));
  expect(settings.apiKeys.get('website')).toEqual([Buffer.alloc(32, 0xcd), Buffer.alloc(32, 0xef)]);
  expect(settings.admission).toEqual({ freshnessDays: 30, minimumScore: 15 });
});

test.each([
  ['IDENTITY_KEY_FILE', 'is not set', {}],
  ['IDENTITY_KEY_FILE', '32 bytes', { text: 'abcd' }],
  ['CONTACT_POINTS_PUBLIC_KEY_FILE', 'is not JSON', { text: 'nonsense' }],
  ['API_KEYS_FILE', 'SHA-256', { text: '{"crm":"plain"}' }],
  [
    'API_KEYS_FILE',
    '"crm" and "website" have the same key',
    { text: JSON.stringify({ crm: 'ab'.repeat(32), website: ['cd'.repeat(32), 'ab'.repeat(32)] }) },
  ],
  ['API_KEYS_FILE', '"upstream" is no source that publishes over HTTP', { text: `{"upstream":"${'ab'.repeat(32)}"}` }],
] as const)('refuses to start without a good %s: %s', (variable, detail, { text = undefined }: { text?: string }) => {
  const changed = { ...env, [variable]: text === undefined ? '' : put('changed', text) };
  expect(() => readSettings(changed)).toThrow(variable);
  expect(() => readSettings(changed)).toThrow(detail);
});

test.each([
  ['a key in place of a name', `{"key-in-plain-0123456789":"website"}`],
  ['a key in place of a name, with a hash', `{"key-in-plain-0123456789":"${'ab'.repeat(32)}"}`],
  ['a key in a list of keys', `{"website":["${'ab'.repeat(32)}","key-in-plain-0123456789"]}`],
])('the file of the keys with %s is refused, and no part of it is shown', (_what, text) => {
  const changed = { ...env, API_KEYS_FILE: put('changed', text) };
  expect(() => readSettings(changed)).toThrow(/API_KEYS_FILE: .*member \d/);
  expect(() => readSettings(changed)).not.toThrow('key-in-plain');
});

test('a file that cannot be read is named by its variable', () => {
  expect(() => readSettings({ ...env, API_KEYS_FILE: join(folder, 'none') })).toThrow(
    'API_KEYS_FILE: the file that it names cannot be read',
  );
  expect(() => readSettings({ ...env, API_KEYS_FILE: put('large', ' '.repeat(1_048_577)) })).toThrow(
    'API_KEYS_FILE: the file that it names cannot be read (has 1048577 bytes; at most 1048576 are read)',
  );
});

test('a setting out of range is named', () => {
  expect(() => readSettings({ ...env, SIGNAL_FRESHNESS_DAYS: '0' })).toThrow('SIGNAL_FRESHNESS_DAYS');
  // A number to JavaScript: 0, with which every signal would be good enough.
  expect(() => readSettings({ ...env, SIGNAL_MINIMUM_SCORE: ' ' })).toThrow('SIGNAL_MINIMUM_SCORE');
});
