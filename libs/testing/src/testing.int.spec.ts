import { existsSync } from 'node:fs';
import { kafkajs } from '@countersign/kafka';
import pg from 'pg';
import { expect, test } from 'vitest';
import { type SharedBroker, sharedBroker, startTestBroker } from './broker.js';
import { copyTestDatabase, createTestDatabase, dropTestDatabase, startTestPostgres } from './postgres.js';
import { uniqueName } from './temporary.js';

async function query(connectionString: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

async function topicsOf(broker: Pick<SharedBroker, 'access'>): Promise<string[]> {
  const admin = new kafkajs.Kafka({ ...broker.access(), logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await admin.listTopics();
  } finally {
    await admin.disconnect();
  }
}

test('test databases are apart, and a dropped one is gone', async () => {
  const [first, other] = [await createTestDatabase(), await createTestDatabase()];
  await query(first.url, 'CREATE TABLE facts (n int)');
  await expect(query(other.url, 'SELECT * FROM facts')).rejects.toThrow('relation "facts" does not exist');
  expect(await query(first.url, 'SELECT rolsuper FROM pg_roles WHERE rolname = current_user')).toEqual([
    { rolsuper: false },
  ]);
  await first.drop();
  await expect(query(first.url, 'SELECT 1')).rejects.toThrow();
  expect(await query(other.url, 'SELECT 1 AS n')).toEqual([{ n: 1 }]);
  await other.drop();
});

test('a database is prepared once, and each caller gets a copy that it may change', async () => {
  let prepared = 0;
  const like = {
    name: uniqueName('things'),
    async prepare(url: string) {
      prepared++;
      await query(url, 'CREATE TABLE facts AS SELECT 1 AS n');
    },
  };
  const [first, other] = await Promise.all([copyTestDatabase(like), copyTestDatabase(like)]);
  expect(prepared).toBe(1);
  await query(first.url, 'ALTER TABLE facts ADD COLUMN m int DEFAULT 2');
  await query(first.url, 'CREATE TABLE more (n int)');
  expect(await query(first.url, 'SELECT n, m FROM facts')).toEqual([{ n: 1, m: 2 }]);
  expect(await query(other.url, 'SELECT * FROM facts')).toEqual([{ n: 1 }]);
  await first.drop();
  await other.drop();
});

test('a preparation that fails is reported, and the next caller prepares again', async () => {
  let prepared = 0;
  const like = {
    name: uniqueName('things'),
    async prepare(url: string) {
      await query(url, 'CREATE TABLE facts (n int)');
      if (++prepared === 1) throw new Error('half done');
    },
  };
  await expect(copyTestDatabase(like)).rejects.toThrow('half done');
  const copy = await copyTestDatabase(like);
  expect(await query(copy.url, 'SELECT * FROM facts')).toEqual([]);
  await copy.drop();
});

test('a database without test in its name is not dropped', async () => {
  await expect(dropTestDatabase('postgres://postgres@127.0.0.1:1/orders')).rejects.toThrow('"orders"');
});

test('two tests of one file share a broker', async () => {
  const topic = uniqueName('things');
  const first = await sharedBroker({ topics: [{ name: topic, partitions: 1, config: {} }] });
  const second = await sharedBroker();
  expect(second.bootstrap).toBe(first.bootstrap);
  await first.close();
  expect(await topicsOf(second)).toContain(topic);
  await second.close();
});

test('a broker of its own can be killed and started again with its topics', async () => {
  const broker = await startTestBroker({ topics: [{ name: 'things.v1', partitions: 1, config: {} }] });
  const pid = broker.pid();
  await broker.kill();
  await broker.restart();
  expect(broker.pid()).not.toBe(pid);
  expect(await topicsOf(broker)).toEqual(['things.v1']);
  await broker.stop();
  expect(existsSync(`/proc/${broker.pid()}`)).toBe(false);
});

test('a Postgres of its own can be killed and started again with its data', async () => {
  const postgres = await startTestPostgres();
  const database = await createTestDatabase(postgres);
  await query(database.url, 'CREATE TABLE facts AS SELECT 1 AS n');
  await postgres.kill();
  await postgres.restart();
  expect(await query(database.url, 'SELECT n FROM facts')).toEqual([{ n: 1 }]);
  await database.drop();
  await postgres.stop();
  await expect(query(postgres.url, 'SELECT 1')).rejects.toThrow();
});
