import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readSettings } from './settings.js';

let folder: string;
let good: Record<string, string>;
const file = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const pem = (type: 'ed25519' | 'x25519'): string =>
  generateKeyPairSync(type as 'ed25519')
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'audit-recorder-settings-'));
  good = {
    CHECKPOINT_SIGNING_KEY_FILE: file('key.pem', pem('ed25519')),
    COMMITMENT_KEY_FILE: file('commitment', `${'0a'.repeat(32)}\n`),
    AUDIT_TOKENS_FILE: file('tokens', JSON.stringify([{ sha256: 'a'.repeat(64), person: 'lea', roles: ['auditor'] }])),
  };
});
afterAll(() => rmSync(folder, { recursive: true }));

test('the recorder signs under its origin, by default that of a local installation', () => {
  expect(readSettings(good)).toMatchObject({
    origin: 'countersign.local/record',
    signingKey: { name: 'countersign.local/record' },
  });
  expect(readSettings({ ...good, RECORD_ORIGIN: 'example.com/log' }).signingKey.name).toBe('example.com/log');
});

test.each(['my log', 'a+b'])(
  'an origin that no key can be named by is told by its variable and not quoted: %s',
  (origin) => {
    const read = () => readSettings({ ...good, RECORD_ORIGIN: origin, COMMITMENT_KEY_FILE: '' });
    expect(read).toThrow(/RECORD_ORIGIN: a name .* COMMITMENT_KEY_FILE is not set/);
    expect(read).not.toThrow(origin);
  },
);

test.each(['CHECKPOINT_SIGNING_KEY_FILE', 'COMMITMENT_KEY_FILE', 'AUDIT_TOKENS_FILE'])(
  'what is missing or no file is named by its variable: %s',
  (variable) => {
    expect(() => readSettings({ ...good, [variable]: undefined })).toThrow(`${variable} is not set`);
    expect(() => readSettings({ ...good, [variable]: join(folder, 'none') })).toThrow(
      new RegExp(`^${variable}: .*ENOENT`),
    );
    expect(() => readSettings({ ...good, [variable]: '/dev/zero' })).toThrow(
      new RegExp(`^${variable}: the file that it names cannot be read .*at most 1048576 are read`),
    );
  },
);

test.each([
  ['CHECKPOINT_SIGNING_KEY_FILE', 'a key that is none', 'secret-words'],
  ['CHECKPOINT_SIGNING_KEY_FILE', 'a key of another kind', pem('x25519')],
  ['COMMITMENT_KEY_FILE', 'a key that is too short', 'ab'.repeat(31)],
  ['COMMITMENT_KEY_FILE', 'a key that is not hexadecimal', 'secret-words'.repeat(8)],
  ['AUDIT_TOKENS_FILE', 'what is not JSON', 'secret-words'],
  [
    'AUDIT_TOKENS_FILE',
    'a token that two people have',
    JSON.stringify(['lea', 'kim'].map((person) => ({ sha256: 'a'.repeat(64), person, roles: ['auditor'] }))),
  ],
  ['AUDIT_TOKENS_FILE', 'a token in place of its digest', '[{"sha256":"secret-words","person":"lea","roles":[]}]'],
])('%s: %s is refused, and nothing of it is repeated', (variable, what, content) => {
  const read = () => readSettings({ ...good, [variable]: file(what.replaceAll(' ', '-'), content) });
  expect(read).toThrow(new RegExp(`^${variable}: `));
  expect(read).not.toThrow('secret-words');
});
