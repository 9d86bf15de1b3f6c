import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { acls, shippedDeployment, topicConfig, topology } from '@countersign/contracts';
import { createTestDatabase, startTestBroker, type TestBroker, type TestDatabase } from '@countersign/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ReplayReport } from './report.js';

/** `countersign replay` against signal-ingestion as it runs, over a real broker: both as processes. */
const topics = topology();
const password = 'only-for-this-test';
const at = (path: string): string => fileURLToPath(new URL(`../../../apps/${path}`, import.meta.url));

let folder: string;
let broker: TestBroker;
let database: TestDatabase;
let service: ChildProcess;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'replay-'));
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const principals = ['signal-ingestion', 'upstream', 'console'];
  [broker, database] = await Promise.all([
    startTestBroker({
      topics: topics.map((topic) => ({ name: topic.name, partitions: topic.partitions, config: topicConfig(topic) })),
      users: principals.map((name) => ({ name, password })),
      acls: acls(topics).filter((acl) => principals.includes(acl.principal)),
    }),
    createTestDatabase(),
  ]);
  const port = await freePort();
  service = spawn(process.execPath, [at('signal-ingestion/dist/main.js')], {
    env: {
      ...process.env,
      KAFKA_BROKERS: broker.bootstrap,
      KAFKA_USERNAME: 'signal-ingestion',
      KAFKA_PASSWORD: password,
      DATABASE_URL: database.url,
      PORT: String(port),
      COUNTERSIGN_PARENT: 'stdin',
      IDENTITY_KEY_FILE: file('identity', 'ab'.repeat(32)),
      // The public key of RFC 7748's Alice: nothing here is ever opened.
      CONTACT_POINTS_PUBLIC_KEY_FILE: file(
        'points',
        JSON.stringify({ kty: 'OKP', crv: 'X25519', x: 'hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo' }),
      ),
      API_KEYS_FILE: file('keys', '{}'),
      SOURCES_FILE: file(
        'sources.yaml',
        `sources:
  - name: upstream
    via: kafka
    source: /sources/upstream
    title: A CRM's export
    sends: { ContactUpserted: [contact.ref, contact.email, account, person, seniority, jobFunction, timeZone, country] }
`,
      ),
    },
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const healthy = async () => (await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined))?.ok === true;
  while (!(await healthy())) {
    if (service.exitCode !== null) throw new Error(`signal-ingestion ended with status ${service.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  mkdirSync(join(folder, '.countersign/credentials/broker'), { recursive: true });
  for (const name of principals)
    file(`.countersign/credentials/broker/${name}.json`, JSON.stringify({ username: name, password }));
  file(
    '.countersign/run.json',
    JSON.stringify({
      kafka: { bootstrap: broker.bootstrap, mechanism: 'scram-sha-256' },
      deployment: {
        ...shippedDeployment,
        sources: shippedDeployment.sources.map((source) => ({ ...source, title: source.name })),
      },
    }),
  );
});

afterAll(async () => {
  if (service?.exitCode === null) {
    const ended = once(service, 'exit');
    service.kill('SIGTERM');
    await ended;
  }
  await Promise.allSettled([broker?.stop(), database?.drop()]);
  rmSync(folder, { recursive: true });
});

async function countersign(...args: string[]): Promise<{ status: number; report: ReplayReport }> {
  const process_ = spawn(process.execPath, [at('cli/dist/main.js'), ...args, '--json'], { cwd: folder });
  let output = '';
  let errors = '';
  process_.stdout.on('data', (chunk) => {
    output += chunk;
  });
  process_.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const [status] = (await once(process_, 'close')) as [number];
  if (output === '') throw new Error(`countersign said nothing but: ${errors}`);
  return { status, report: JSON.parse(output) as ReplayReport };
}

test('an export is replayed: every signal has its outcome, and the same again is all duplicates', async () => {
  const tables = join(folder, 'export');
  mkdirSync(tables);
  const synced = new Date().toISOString();
  const companies = Array.from({ length: 600 }, (_, i) => `${i},Company ${i},${synced}`);
  writeFileSync(join(tables, 'company.csv'), ['id,property_name,_fivetran_synced', ...companies].join('\n'));
  writeFileSync(
    join(tables, 'contact.csv'),
    'id,property_email,_fivetran_synced\n1,jane@example.com,2020-01-01\n2,,2020-01-01\n3,john@example.com,2999-01-01\n',
  );

  const first = await countersign('replay', 'hubspot', tables);
  expect(first.report.problems).toEqual([]);
  expect(first).toMatchObject({
    status: 0,
    // One is too bare to be worth keeping, one is dated in the future.
    report: { published: 603, accepted: 601, triggering: 600, rejected: { quality: 1, future: 1 }, unanswered: 0 },
  });
  const again = await countersign('replay', 'hubspot', tables);
  expect(again).toMatchObject({ status: 0, report: { published: 603, accepted: 0, rejected: { duplicate: 603 } } });
});

test.for(['hubspot', 'ads'])('the shared %s export is replayed, and triggers no play', async (kind, { skip }) => {
  const shared = at(`../../shared/data/${kind}`);
  if (!existsSync(shared)) skip(`../shared/data/${kind} is not there`);
  const { status, report } = await countersign('replay', kind, shared);
  expect([status, report.problems, report.triggering]).toEqual([0, [], 0]);
  expect(report.accepted).toBe(report.published);
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
