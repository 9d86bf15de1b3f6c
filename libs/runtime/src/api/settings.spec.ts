import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shippedDeployment } from '@countersign/contracts';
import { afterAll, expect, test } from 'vitest';
import { deployment, readSettings } from './settings.js';

const env = { KAFKA_BROKERS: 'a:1, b:2', DATABASE_URL: 'postgres://x' };
const folder = mkdtempSync(join(tmpdir(), 'settings-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (content: string): string => {
  const path = join(folder, 'sources.yaml');
  writeFileSync(path, content);
  return path;
};

test('brokers and database are enough; the rest is as on one machine', () => {
  expect(readSettings(env, 8_080)).toEqual({
    kafka: { brokers: ['a:1', 'b:2'], ssl: false },
    databaseUrl: 'postgres://x',
    migrationUrl: 'postgres://x',
    host: '127.0.0.1',
    port: 8_080,
  });
});

test('a user name means SCRAM, and another role may migrate', () => {
  const more = {
    KAFKA_USERNAME: 'me',
    KAFKA_PASSWORD: 'secret',
    KAFKA_SSL: 'true',
    DATABASE_MIGRATION_URL: 'postgres://y',
  };
  expect(readSettings({ ...env, ...more }, 1)).toMatchObject({
    kafka: { ssl: true, sasl: { mechanism: 'scram-sha-256', username: 'me', password: 'secret' } },
    migrationUrl: 'postgres://y',
  });
});

test('an empty variable counts as not set', () => {
  const names = [
    'KAFKA_USERNAME',
    'KAFKA_PASSWORD',
    'KAFKA_SASL',
    'KAFKA_SSL',
    'DATABASE_MIGRATION_URL',
    'HOST',
    'PORT',
  ];
  const empty = Object.fromEntries(names.map((name) => [name, '']));
  expect(readSettings({ ...env, ...empty }, 8_080)).toEqual(readSettings(env, 8_080));
});

test.each([
  ['KAFKA_BROKERS', { KAFKA_BROKERS: '' }],
  ['DATABASE_URL', { DATABASE_URL: undefined }],
  ['KAFKA_SASL', { KAFKA_SASL: 'gssapi' }],
  ['KAFKA_SSL', { KAFKA_SSL: 'yes' }],
  ['PORT', { PORT: 'eighty' }],
  ['PORT', { PORT: '65536' }],
  // A number to JavaScript: 0, which is any port.
  ['PORT', { PORT: ' ' }],
  ['PORT', { PORT: '1e3' }],
])('a wrong %s is refused by its name', (name, change) => {
  expect(() => readSettings({ ...env, ...change }, 1)).toThrow(new RegExp(`^${name}`));
});

test('a refusal never quotes a password', () => {
  expect(() => readSettings({ ...env, KAFKA_SASL: 'x', KAFKA_PASSWORD: 'secret' }, 1)).toThrow(/^(?!.*secret)/);
});

test('sources come from a file, or as shipped; a wrong file is refused by its name', () => {
  expect(deployment({})).toEqual(shippedDeployment);
  expect(() => deployment({ SOURCES_FILE: file('sources: []') })).toThrow(/SOURCES_FILE/);
  const path = file('sources:\n  - { name: site, via: http, source: /sources/site, title: Site }\n');
  expect(() => deployment({ SOURCES_FILE: path })).not.toThrow();
  expect(deployment({ SOURCES_FILE: path }).sources).toMatchObject([{ name: 'site', source: '/sources/site' }]);
  expect(() => deployment({ SOURCES_FILE: join(folder, 'none.yaml') })).toThrow(
    /^SOURCES_FILE: sources.yaml cannot be read \(ENOENT\)$/,
  );
  expect(() => deployment({ SOURCES_FILE: file('#'.repeat(1_048_577)) })).toThrow(
    /cannot be read \(has 1048577 bytes; at most 1048576 are read\)/,
  );
});

test('agents and executors come from the same file, which CONFIG_DIR names too', () => {
  const more = 'agents: [paid-media-agent, seo-agent]\nexecutors: [downstream]\n';
  file(`sources:\n  - { name: site, via: http, source: /sources/site, title: Site }\n${more}`);
  expect(deployment({ CONFIG_DIR: folder })).toMatchObject({
    agents: ['paid-media-agent', 'seo-agent'],
    executors: ['downstream'],
  });
});
