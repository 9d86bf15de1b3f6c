import { createTestDatabase, type TestDatabase } from '@countersign/testing';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from './database.js';
import { defaults } from './limits.js';

let database: TestDatabase;
let db: Database;
let other: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  db = openDatabase(database.url, 'test', defaults);
  other = new pg.Client({ connectionString: database.url });
  await other.connect();
});
afterAll(async () => {
  await db?.close();
  await other?.end();
  await database?.close();
});

const preparedNow = 'SELECT count(*) AS n FROM pg_prepared_statements WHERE statement = $1';

test('a statement is prepared once on its connection, in transactions and in reads', async () => {
  const text = 'SELECT $1::int + 1 AS sum';
  const told = await db.transaction(async (tx) => {
    await tx.query(text, [1]);
    expect(await tx.query(text, [2])).toEqual([{ sum: 3 }]);
    return tx.query(preparedNow, [text]);
  });
  expect(told).toEqual([{ n: 1 }]);
  expect(await db.read(text, [3])).toEqual([{ sum: 4 }]);
  expect(await db.read(preparedNow, [text])).toEqual([{ n: 1 }]);
});

test('a table that gets a column while its statements are prepared costs nobody an error', async () => {
  await other.query('CREATE TABLE grows (a int); INSERT INTO grows VALUES (1)');
  const text = 'SELECT * FROM grows';
  // Each of several connections has the old plan.
  const read = () => Promise.all(Array.from({ length: 5 }, () => db.read(text)));
  await read();
  await other.query('ALTER TABLE grows ADD COLUMN b int');
  expect(await read()).toEqual(Array.from({ length: 5 }, () => [{ a: 1, b: null }]));
  await db.transaction((tx) => tx.query(text));
  await other.query('ALTER TABLE grows ADD COLUMN c int');
  expect(await db.transaction((tx) => tx.query(text))).toEqual([{ a: 1, b: null, c: null }]);
});
