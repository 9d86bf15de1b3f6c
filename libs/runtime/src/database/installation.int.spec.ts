import { keyThumbprint } from '@countersign/contracts';
import { kafkajs } from '@countersign/kafka';
import { createTestDatabase, type SharedBroker, sharedBroker, type TestDatabase } from '@countersign/testing';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { ServiceSpec } from '../api/runtime.js';
import { Engine } from '../engine/engine.js';

/* A service that somebody starts by hand: which database, broker and keys it is given is up to them. */

const key = keyThumbprint('a-public-key');
const spec: ServiceSpec = { name: 'guardrail-validator', port: 0, migrations: [], permitKeys: () => [key] };
const silent = { log: () => undefined, warn: () => undefined, error: () => undefined };
let broker: SharedBroker;
let clusterId: string;
let database: TestDatabase;
let engine: Engine | undefined;

beforeAll(async () => {
  broker = await sharedBroker();
  const admin = new kafkajs.Kafka({ ...broker.access(), logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  clusterId = (await admin.describeCluster()).clusterId;
  await admin.disconnect();
});
afterAll(() => broker?.close());
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  await engine?.drain();
  engine = undefined;
  await database.drop();
});

const query = async (sql: string, params: readonly unknown[] = []): Promise<unknown[]> => {
  const client = new pg.Client({ connectionString: database.superuserUrl });
  await client.connect();
  try {
    return (await client.query(sql, [...params])).rows;
  } finally {
    await client.end();
  }
};

async function mark(more: { id?: string; clusterId?: string; permitKey?: string } = {}): Promise<void> {
  const values = { id: 'ours', clusterId, permitKey: key, ...more };
  await query('CREATE SCHEMA countersign');
  await query(
    'CREATE TABLE countersign.installation (id text, cluster_id text, permit_key text, place text, since text)',
  );
  await query('GRANT USAGE ON SCHEMA countersign TO PUBLIC');
  await query('GRANT SELECT ON countersign.installation TO PUBLIC');
  await query('INSERT INTO countersign.installation VALUES ($1, $2, $3, $4, $5)', [
    ...[values.id, values.clusterId, values.permitKey],
    ...['host:/srv/ours', '2026-11-01T00:00:00.000Z'],
  ]);
}

async function start(installation?: string): Promise<string> {
  engine = new Engine(spec, silent, {
    ...broker.env(),
    DATABASE_URL: database.url,
    ...(installation !== undefined && { INSTALLATION_ID: installation }),
  });
  return engine.prepare().then(
    () => 'started',
    (error: Error) => error.message,
  );
}

const untouched = async (): Promise<boolean> =>
  (await query(`SELECT FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'countersign')`))
    .length === 0;

/* The broker of a test run has no topics of an installation: who is let in fails of that, after it has migrated. */
const letIn = /^topics missing/;

test.each([
  ['the database of another', { id: 'theirs' }, 'ours', /belongs to installation theirs .* INSTALLATION_ID is ours/],
  ['the broker of another', { clusterId: 'elsewhere' }, undefined, /installation ours .* uses cluster elsewhere/],
  [
    'the broker of another, as the right one',
    { clusterId: 'elsewhere' },
    'ours',
    /KAFKA_BROKERS leads to Kafka cluster/,
  ],
  [
    'a permit key of another',
    { permitKey: 'theirs' },
    'ours',
    /permit key of this service is not that of installation ours/,
  ],
] as const)(
  'a service with %s does not start, says whose it is, and has migrated nothing',
  async (_, marked, id, detail) => {
    await mark(marked);
    expect(await start(id)).toMatch(detail);
    expect(await untouched()).toBe(true);
  },
);

test('a service that was told its installation does not start on a database without a mark', async () => {
  expect(await start('ours')).toMatch(/carries no mark of an installation, and INSTALLATION_ID is ours/);
  expect(await untouched()).toBe(true);
});

test.each(['ours', undefined])('with all of one installation it is let in, told which (%s) or not', async (id) => {
  await mark();
  expect(await start(id)).toMatch(letIn);
  expect(await untouched()).toBe(false);
});

test('a database without a mark is taken by a service that was told nothing', async () => {
  expect(await start()).toMatch(letIn);
  expect(await untouched()).toBe(false);
});
