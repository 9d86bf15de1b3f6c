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

test('what is written without waiting is there for what is asked after it, and is committed with it', async () => {
  await other.query('CREATE TABLE written (a int PRIMARY KEY)');
  await db.transaction(async (tx) => {
    tx.write('INSERT INTO written VALUES ($1)', [1]);
    expect(await tx.query('SELECT a FROM written')).toEqual([{ a: 1 }]);
    tx.write('INSERT INTO written VALUES ($1)', [2]);
  });
  expect(await db.read('SELECT a FROM written ORDER BY a')).toEqual([{ a: 1 }, { a: 2 }]);
});

test('where a statement fails that nobody waited for, nothing is committed and its error is thrown, not the next one’s', async () => {
  const duplicate = expect.objectContaining({ code: '23505' });
  const first = db.transaction(async (tx) => {
    tx.write('INSERT INTO written VALUES ($1)', [3]);
    tx.write('INSERT INTO written VALUES ($1)', [1]);
  });
  await expect(first).rejects.toEqual(duplicate);
  const second = db.transaction(async (tx) => {
    tx.write('INSERT INTO written VALUES ($1)', [1]);
    tx.write('INSERT INTO written VALUES ($1)', [4]);
    await tx.query('SELECT a FROM written');
  });
  await expect(second).rejects.toEqual(duplicate);
  const swallowed = db.transaction(async (tx) => {
    tx.write('INSERT INTO written VALUES ($1)', [1]);
    await tx.query('SELECT a FROM written').catch(() => undefined);
  });
  await expect(swallowed).rejects.toEqual(duplicate);
  expect(await db.read('SELECT a FROM written ORDER BY a')).toEqual([{ a: 1 }, { a: 2 }]);
});

test('what failed since a savepoint is undone with it', async () => {
  await db.transaction(async (tx) => {
    tx.write('INSERT INTO written VALUES ($1)', [5]);
    await tx.query('SAVEPOINT here');
    tx.write('INSERT INTO written VALUES ($1)', [1]);
    await expect(tx.query('RELEASE SAVEPOINT here')).rejects.toMatchObject({ code: '23505' });
    await tx.query('ROLLBACK TO SAVEPOINT here');
  });
  expect(await db.read('SELECT a FROM written ORDER BY a')).toEqual([{ a: 1 }, { a: 2 }, { a: 5 }]);
});

test('a lost race is run again though nobody waited for the statement that lost it', async () => {
  let tries = 0;
  await db.transaction(async (tx) => {
    if (++tries === 1) tx.write(`DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = 'deadlock_detected'; END $$`);
  });
  expect(tries).toBe(2);
});
