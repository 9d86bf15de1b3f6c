import { createTestDatabase, type LossyWay, lossyWay, type TestDatabase } from '@countersign/testing';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { defaults } from '../api/limits.js';
import { isTransient } from '../failures.js';
import { type Database, migrate, openDatabase } from './database.js';

/* A real database behind a way that loses answers. */

const limits = { ...defaults, silentMs: 300, queryMs: 2_000 };

let database: TestDatabase;
let way: LossyWay;
let db: Database;
let other: pg.Client;
let warnings: string[];
beforeEach(async () => {
  database = await createTestDatabase();
  other = new pg.Client({ connectionString: database.url });
  await other.connect();
  await other.query('CREATE TABLE facts (n int PRIMARY KEY); INSERT INTO facts VALUES (0)');
  way = await lossyWay(database.url);
  warnings = [];
  db = openDatabase(way.url, 'test', limits, (message) => warnings.push(message));
});
afterEach(async () => {
  await way?.close();
  await db?.close();
  await other?.end();
  await database?.close();
});

const insert = (n: number) => db.transaction((tx) => tx.query('INSERT INTO facts VALUES ($1)', [n]));
const facts = async () => (await other.query<{ n: number }>('SELECT n FROM facts ORDER BY n')).rows.map((row) => row.n);

test('a commit whose answer is lost is given up as the world’s fault, may have happened, and holds up nobody', async () => {
  way.loseAnswerTo('COMMIT\0');
  const error = await insert(1).catch((thrown: unknown) => thrown);
  expect(isTransient(error)).toBe(true);
  expect(await facts()).toEqual([0, 1]);
  await insert(2);
  expect(await facts()).toEqual([0, 1, 2]);
  expect(warnings).toEqual([expect.stringMatching(/^database: no answer for \d+ s, and it does not work for us/)]);
  expect(db.unansweredMs()).toBe(0);
});

test('what a lost connection holds is let go at once, so that the same work can be done again', async () => {
  way.loseAnswerTo('SELECT 7');
  const lost = db.transaction(async (tx) => {
    await tx.query('UPDATE facts SET n = 5 WHERE n = 0');
    await tx.query('SELECT 7');
  });
  await expect(lost).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  await db.transaction(async (tx) => {
    await tx.query(`SET LOCAL lock_timeout = '2s'`);
    await tx.query('UPDATE facts SET n = 6 WHERE n = 0');
  });
  expect(await facts()).toEqual([6]);
});

test('a statement that the database is at work on is waited for, however long it has been silent', async () => {
  await other.query('BEGIN; UPDATE facts SET n = 1 WHERE n = 0');
  const waiting = db.read('UPDATE facts SET n = 2 RETURNING n');
  await expect.poll(() => db.unansweredMs(), { timeout: 10_000 }).toBeGreaterThan(4 * limits.silentMs);
  await other.query('COMMIT');
  expect(await waiting).toEqual([{ n: 2 }]);
  expect(warnings).toEqual([]);
});

test('connections that stand idle beside a lost one are given up with it', async () => {
  await Promise.all([1, 2, 3].map(() => db.read('SELECT pg_sleep(0.1)')));
  way.loseAll();
  way.mend();
  await expect(db.read('SELECT 1')).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  await insert(1);
  expect(await facts()).toEqual([0, 1]);
});

test('where nobody has an answer a statement ends all the same, that is told, and work goes on when the way is mended', async () => {
  await insert(1);
  way.loseAll();
  const error = await insert(2).catch((thrown: unknown) => thrown);
  expect(isTransient(error)).toBe(true);
  expect(warnings.at(0)).toMatch(/^database: no answer for \d+ s, and none to a new connection/);
  way.mend();
  await insert(3);
  expect(await facts()).toEqual([0, 1, 3]);
});

test('of a database that accepts and never answers nobody waits for a connection for ever, migrations included', async () => {
  way.loseAll();
  const errors = await Promise.all(
    [insert(1), migrate(way.url, [])].map((work) => work.catch((thrown: unknown) => thrown)),
  );
  expect(errors.map(isTransient)).toEqual([true, true]);
}, 20_000);

test('a migration whose answer is lost fails, and the next start finishes it', async () => {
  way.loseAnswerTo('CREATE TABLE');
  await expect(migrate(way.url, [], limits)).rejects.toThrow();
  await migrate(way.url, [], limits);
  expect((await other.query(`SELECT to_regclass('inbox') AS t`)).rows).toEqual([{ t: 'inbox' }]);
});
