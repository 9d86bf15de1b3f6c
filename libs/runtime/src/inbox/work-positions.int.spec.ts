import { createTestDatabase, type TestDatabase } from '@countersign/testing';
import pg from 'pg';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { defaults } from '../api/limits.js';
import { type Database, migrate, openDatabase } from '../database/database.js';
import { PutBack, WorkPositions } from './work-positions.js';

let database: TestDatabase;
let db: Database;
let other: pg.Client;
beforeEach(async () => {
  database = await createTestDatabase();
  await migrate(database.url, []);
  db = openDatabase(database.url, 'test', defaults);
  other = new pg.Client({ connectionString: database.url });
  await other.connect();
  await other.query(`INSERT INTO topic_ids (topic, id, noticed_at) VALUES ('a', 'first', now())`);
});
afterEach(async () => {
  await db?.close();
  await other?.end();
  await database?.drop();
});

const at = (offset: number) => [{ topic: 'a', partition: 0, offset: String(offset) }];
const stored = async () =>
  (await other.query('SELECT next_offset FROM work_positions')).rows.map((r) => Number(r.next_offset));
/** What is written when a topic is found to be made again. */
const madeAgain = async () => {
  await other.query(`SELECT FROM topic_ids WHERE topic = 'a' FOR UPDATE`);
  await other.query(`UPDATE topic_ids SET id = 'second', generation = 1 WHERE topic = 'a'`);
  await other.query(`UPDATE work_positions SET next_offset = 0 WHERE topic = 'a'`);
};

test('positions move forward only, and one that went back says that the database was put back', async () => {
  const positions = new WorkPositions(db);
  expect(await positions.read()).toEqual(new Map());
  await positions.write(at(10));
  await new WorkPositions(db).write(at(4));
  expect(await stored()).toEqual([10]);
  await other.query('UPDATE work_positions SET next_offset = 7');
  await expect(positions.write(at(12))).rejects.toThrow(PutBack);
  await expect(positions.read()).rejects.toThrow(PutBack);
  expect(await stored()).toEqual([7]);
});

test('a position that is gone says so too', async () => {
  const positions = new WorkPositions(db);
  await positions.read();
  await positions.write(at(10));
  await other.query('DELETE FROM work_positions');
  await expect(positions.write(at(12))).rejects.toThrow(PutBack);
});

test('a topic made again is no restore: neither before nor after it is read again', async () => {
  const positions = new WorkPositions(db);
  await positions.read();
  await positions.write(at(10));
  await madeAgain();
  await positions.write(at(12));
  expect(await stored()).toEqual([0]);
  expect(await positions.read()).toEqual(new Map([['a/0', 0]]));
  await positions.write(at(3));
  expect(await stored()).toEqual([3]);
});

test('a topic made again before any position of it was written is no restore', async () => {
  const positions = new WorkPositions(db);
  await positions.read();
  await madeAgain();
  await positions.write(at(10));
  expect(await positions.read()).toEqual(new Map());
  await positions.write(at(3));
  expect(await stored()).toEqual([3]);
});

test('a topic that is made again while positions are read is no restore', async () => {
  const positions = new WorkPositions(db);
  await positions.read();
  await positions.write(at(10));
  let looks = 0;
  const between = new WorkPositions({
    read: async (...args: Parameters<Database['read']>) => {
      const rows = await db.read(...args);
      if (looks++ === 0) await madeAgain();
      return rows as never;
    },
  } as Pick<Database, 'read'>);
  await between.read();
  await between.write(at(2));
  expect(await stored()).toEqual([0]);
  await between.read();
  await between.write(at(2));
  expect(await stored()).toEqual([2]);
});

test('an offset of the old topic is not written over the beginning of the new one, however late it is', async () => {
  const positions = new WorkPositions(db);
  await positions.read();
  await positions.write(at(10));
  await other.query('BEGIN');
  await madeAgain();
  const late = positions.write(at(12));
  await vi.waitFor(
    async () =>
      expect((await other.query(`SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'`)).rowCount).toBe(1),
    10_000,
  );
  await other.query('COMMIT');
  await late;
  expect(await stored()).toEqual([0]);
});
