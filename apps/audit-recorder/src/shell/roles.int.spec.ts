import { randomBytes } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '@countersign/testing';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chain, kafkaFact } from '../core/testing.js';
import { type Recorder, recorder, secrets } from './testing.js';

const role = `recorder_${randomBytes(6).toString('hex')}`;
let files: ReturnType<typeof secrets>;
let database: TestDatabase;
let owner: Recorder;
let service: Recorder;

beforeAll(async () => {
  files = secrets();
  database = await createTestDatabase();
  const url = new URL(database.url);
  url.username = role;
  url.password = role;
  process.env.DATABASE_URL = url.href;
  // The tables' owner makes the role that the service logs in with, before the migration grants to it.
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query(`CREATE ROLE ${role} LOGIN PASSWORD '${role}'`);
  await client.query(
    `DO $$ BEGIN EXECUTE format('GRANT CONNECT ON DATABASE %I TO ${role}', current_database()); END $$`,
  );
  await client.end();
  owner = await recorder(database.url);
  service = await recorder(database.url, { DATABASE_URL: url.href });
});
afterAll(async () => {
  delete process.env.DATABASE_URL;
  await service.close();
  await owner.query(`DROP OWNED BY ${role}`);
  await owner.query(`DROP ROLE ${role}`);
  await owner.close();
  await database.close();
  files.remove();
});

test("the service's own role appends and signs with no more than it was granted", async () => {
  expect(await service.query('SELECT current_user AS role')).toEqual([{ role }]);
  await service.append(chain.map((event, n) => kafkaFact(event, n)));
  await service.append(chain.map((event, n) => kafkaFact(event, n)));
  await service.sign();
  expect(await service.query('SELECT size FROM log_head')).toEqual([{ size: chain.length }]);
  expect(await service.query('SELECT size FROM checkpoints')).toEqual([{ size: chain.length }]);
});

test('it goes on whatever advisory lock another role of the database holds', async () => {
  const stranger = new pg.Client({ connectionString: database.superuserUrl });
  await stranger.connect();
  try {
    for (const name of [
      'countersign record',
      'countersign checkpoint',
      'countersign recovery',
      'countersign migrations',
    ])
      await stranger.query(`SELECT pg_advisory_lock(hashtext($1), hashtext('public'))`, [name]);
    await service.append(chain.map((event, n) => kafkaFact(event, 100 + n)));
    await service.sign();
  } finally {
    await stranger.end();
  }
  expect(await service.query('SELECT size FROM log_head')).toEqual([{ size: 2 * chain.length }]);
  expect(await service.query('SELECT max(size) AS size FROM checkpoints')).toEqual([{ size: 2 * chain.length }]);
});

test.each([
  'UPDATE leaves SET id = NULL',
  'DELETE FROM leaves',
  'TRUNCATE leaves',
  'UPDATE subtrees SET level = 8',
  'UPDATE checkpoints SET note = note',
  'DELETE FROM log_head',
  'DELETE FROM migrations',
  'INSERT INTO log_head (one, size, frontier) VALUES (false, 0, $$$$)',
  'ALTER TABLE leaves DISABLE TRIGGER append_only',
  'DROP TABLE leaves',
])('it may not: %s', async (sql) => {
  await expect(service.query(sql)).rejects.toThrow(/permission denied|must be owner/);
});
