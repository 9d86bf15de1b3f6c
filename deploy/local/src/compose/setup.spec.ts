import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { workspaceRoot } from '@countersign/servers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { secretFiles } from '../start/secrets.js';
import { servicePlans } from '../start/services.js';
import { handOverSecrets } from './setup.js';

const dir = mkdtempSync(join(tmpdir(), 'countersign-test-setup-'));
const place = {
  home: join(dir, 'home'),
  handover: join(dir, 'handover'),
  config: join(workspaceRoot, 'deploy/config'),
};
const handOver = (): void =>
  handOverSecrets(place, {
    clients: [{ name: 'CLIENT', bind: '0.0.0.0', advertise: 'kafka', port: 9092 }],
    controller: { bind: '127.0.0.1', port: 9093 },
    data: '/var/lib/kafka/data',
  });
const all = (): Record<string, string> =>
  Object.fromEntries(
    readdirSync(place.handover, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => [file.slice(place.handover.length + 1), readFileSync(file, 'utf8')]),
  );

beforeAll(handOver);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('the secrets step of the setup', () => {
  test.each(servicePlans.map((plan) => [plan.name, plan] as const))(
    '%s is handed the keys of its plan',
    (name, plan) => {
      const wanted = plan.secrets.map((variable) => secretFiles[variable as keyof typeof secretFiles]).sort();
      expect(readdirSync(join(place.handover, name)).sort()).toEqual(wanted);
    },
  );

  test('nobody is handed the password of another, and only Kafka and Postgres that of their superuser', () => {
    const handed = all();
    const files = ['passwords.json', 'database-passwords.json'].map(
      (name) => JSON.parse(readFileSync(join(place.home, 'secrets', name), 'utf8')) as object,
    );
    for (const password of files.flatMap((passwords) => Object.values(passwords)))
      for (const [file, text] of Object.entries(handed)) expect(text.includes(password), file).toBe(false);
    for (const [engine, passwordFile] of [
      ['kafka', 'kafka-admin-password'],
      ['postgres', 'postgres-password'],
    ] as const) {
      const password = readFileSync(join(place.home, passwordFile), 'utf8');
      const holders = Object.keys(handed).filter((file) => handed[file]?.includes(password));
      expect([...new Set(holders.map((file) => file.split('/')[0]))]).toEqual([engine]);
    }
  });

  test('every file has mode 0600, in a folder that only its owner enters', () => {
    for (const file of Object.keys(all())) expect(mode(file), file).toBe(0o600);
    for (const folder of readdirSync(place.handover)) expect(mode(folder), folder).toBe(0o700);
  });

  test('a second run changes nothing', () => {
    const before = all();
    handOver();
    expect(all()).toEqual(before);
  });
});

function mode(path: string): number {
  return statSync(join(place.handover, path)).mode & 0o777;
}
