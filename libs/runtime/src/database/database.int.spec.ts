import { Socket } from 'node:net';
import { createTestDatabase, type TestDatabase } from '@countersign/testing';
import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { defaults } from '../api/limits.js';
import { type Database, migrate, openDatabase } from './database.js';
import { runtimeMigrations } from './migrations.js';
import { classes, installationCodes } from './sqlstates.js';
import { takeTurn } from './turns.js';

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
  const counted = await db.transaction(async (tx) => {
    await tx.query(text, [1]);
    expect(await tx.query(text, [2])).toEqual([{ sum: 3 }]);
    return tx.query(preparedNow, [text]);
  });
  expect(counted).toEqual([{ n: 1 }]);
  expect(await db.read(text, [3])).toEqual([{ sum: 4 }]);
  expect(await db.read(preparedNow, [text])).toEqual([{ n: 1 }]);
});

test('statements that are sent together reach the socket in one write', async () => {
  const own = openDatabase(database.url, 'test', { ...defaults, connections: 1 });
  const single = vi.spyOn(Socket.prototype, '_write');
  const several = vi.spyOn(Socket.prototype as Required<Pick<Socket, '_writev'>>, '_writev');
  const writes = (): number => single.mock.calls.length + several.mock.calls.length;
  try {
    await own.transaction(async (tx) => {
      await tx.query('SELECT 1 AS n');
      const before = writes();
      for (let n = 0; n < 5; n++) tx.write('SELECT $1::int AS n', [n]);
      expect(await tx.query('SELECT 2 AS n')).toEqual([{ n: 2 }]);
      expect(writes() - before).toBe(1);
    });
  } finally {
    vi.restoreAllMocks();
    await own.close();
  }
});

test('a statement is planned once, whatever its values, by itself and in a transaction that says so; for its values elsewhere', async () => {
  const own = openDatabase(database.url, 'test', { ...defaults, connections: 1 });
  const text = 'SELECT $1::int + 2 AS sum';
  const plans = async () =>
    (
      await own.read<{ once: number; each: number }>(
        'SELECT generic_plans AS once, custom_plans AS each FROM pg_prepared_statements WHERE statement = $1',
        [text],
      )
    )[0];
  try {
    for (let n = 0; n < 3; n++) await own.read(text, [n]);
    expect(await plans()).toEqual({ once: 3, each: 0 });
    for (let n = 0; n < 3; n++) await own.transaction((tx) => tx.query(text, [n]), undefined, 'once');
    expect(await plans()).toEqual({ once: 6, each: 0 });
    await own.transaction((tx) => tx.query(text, [1]));
    expect(await own.look(text, [1])).toEqual([{ sum: 3 }]);
    expect(await plans()).toEqual({ once: 6, each: 2 });
    await own.read(text, [1]);
    expect(await plans()).toEqual({ once: 7, each: 2 });
  } finally {
    await own.close();
  }
});

test('a look that fails says why, and leaves its connection to others', async () => {
  const own = openDatabase(database.url, 'test', { ...defaults, connections: 1 });
  try {
    await expect(own.look('SELECT 1 / $1::int', [0])).rejects.toMatchObject({ code: '22012' });
    await expect(own.look('SELECT $1::int', [{ a: 1n }])).rejects.toThrow(TypeError);
    expect(await own.look('SELECT $1::int AS n', [4])).toEqual([{ n: 4 }]);
  } finally {
    await own.close();
  }
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

test('of statements side by side, the one that failed first tells why', async () => {
  const both = db.transaction(async (tx) => {
    const asked = tx.query('SELECT 1 / $1::int', [0]);
    tx.write('INSERT INTO written VALUES ($1)', [1]);
    // Both answers are read together, where nothing is read until both have come.
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100));
    await asked;
  });
  await expect(both).rejects.toMatchObject({ code: '22012' });
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

test('a savepoint is not given up before what could not be sent since is known', async () => {
  await db.transaction(async (tx) => {
    tx.write('INSERT INTO written VALUES ($1)', [10]);
    await tx.query('SAVEPOINT here');
    tx.write('INSERT INTO written VALUES ($1)', [11]);
    tx.write('INSERT INTO written SELECT $1::int', [{ a: 1n }]);
    await expect(tx.query('RELEASE SAVEPOINT here')).rejects.toThrow(TypeError);
    await tx.query('ROLLBACK TO SAVEPOINT here');
  });
  expect(await db.read('SELECT a FROM written WHERE a >= 10')).toEqual([{ a: 10 }]);
});

test('a lost race is run again though nobody waited for the statement that lost it', async () => {
  let tries = 0;
  await db.transaction(async (tx) => {
    if (++tries === 1) tx.write(`DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = 'deadlock_detected'; END $$`);
  });
  expect(tries).toBe(2);
});

test('where a value of a statement that nobody waited for cannot be sent, nothing is committed, and the next one finds its statement', async () => {
  const unsendable = db.transaction(async (tx) => {
    tx.write('INSERT INTO written VALUES ($1)', [6]);
    // The driver refuses it by itself, so the database knows of no failure.
    tx.write('INSERT INTO written SELECT $1::int', [{ a: 1n }]);
  });
  await expect(unsendable).rejects.toThrow(TypeError);
  expect(await db.read('SELECT a FROM written WHERE a = 6')).toEqual([]);
  await db.transaction(async (tx) => tx.write('INSERT INTO written SELECT $1::int', [7]));
  expect(await db.read('SELECT a FROM written WHERE a > 5')).toContainEqual({ a: 7 });
});

test('a statement that comes after its transaction has ended is refused, and not committed by itself', async () => {
  const late: Promise<unknown>[] = [];
  let ended = (): void => undefined;
  const end = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const failed = db.transaction(async (tx) => {
    late.push(
      expect(end.then(() => tx.query('INSERT INTO written VALUES (8)'))).rejects.toThrow('ended'),
      expect(end.then(() => tx.write('INSERT INTO written VALUES (9)'))).rejects.toThrow('ended'),
    );
    throw new Error('of its own');
  });
  await expect(failed).rejects.toThrow('of its own');
  ended();
  await Promise.all(late);
  expect(await db.read('SELECT a FROM written WHERE a IN (8, 9)')).toEqual([]);
});

test('whatever advisory lock another role of the database holds, the schema is migrated, by two instances at once too', async () => {
  const stranger = new pg.Client({ connectionString: database.superuserUrl });
  await stranger.connect();
  try {
    await stranger.query(`SELECT pg_advisory_lock(hashtext('countersign migrations'), hashtext('public'))`);
    await Promise.all([migrate(database.url, []), migrate(database.url, [])]);
    // Whatever became of its rows.
    await db.read('TRUNCATE migration_turn');
    await Promise.all([migrate(database.url, []), migrate(database.url, [])]);
  } finally {
    await stranger.end();
  }
  const [row] = await db.read<{ n: number }>('SELECT count(*) AS n FROM migrations');
  expect(row?.n).toBe(runtimeMigrations.length);
});

test('a schema that is up to date waits for no other instance that migrates; one that lacks a migration does', async () => {
  await migrate(database.url, []);
  class Another1999900000000 {
    name = 'Another1999900000000';
    up = async (runner: { query(sql: string): Promise<unknown> }) => runner.query('CREATE TABLE another (a int)');
    down = async () => undefined;
  }
  await other.query('BEGIN');
  await other.query('LOCK TABLE migration_turn IN EXCLUSIVE MODE');
  let ended = false;
  try {
    await migrate(database.url, []);
    const lacking = migrate(database.url, [Another1999900000000]).finally(() => {
      ended = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(ended).toBe(false);
    await other.query('ROLLBACK');
    await lacking;
    expect(await db.read('SELECT a FROM another')).toEqual([]);
    await other.query('BEGIN');
    await other.query('LOCK TABLE migration_turn IN EXCLUSIVE MODE');
    await migrate(database.url, [Another1999900000000]);
  } finally {
    await other.query('ROLLBACK');
    await other.query(`DELETE FROM migrations WHERE name = 'Another1999900000000'`);
  }
});

test('a turn is taken by one transaction at a time, whatever advisory lock another role holds, also the first time, and after its row is lost', async () => {
  await migrate(database.url, []);
  const stranger = new pg.Client({ connectionString: database.superuserUrl });
  await stranger.connect();
  const order: string[] = [];
  try {
    await stranger.query(`SELECT pg_advisory_lock(hashtext('countersign recovery'), hashtext('public'))`);
    for (const found of [[], [{ name: 'recovery' }], []]) {
      if (found.length === 0) await db.read('TRUNCATE turns');
      expect(await db.read('SELECT name FROM turns')).toEqual(found);
      await Promise.all(
        ['a', 'b'].map((name) =>
          db.transaction(async (tx) => {
            await takeTurn(tx, 'recovery');
            order.push(name);
            await tx.query('SELECT pg_sleep(0.1)');
            order.push(name);
          }),
        ),
      );
    }
  } finally {
    await stranger.end();
  }
  for (let n = 0; n < 12; n += 2) expect(order[n]).toBe(order[n + 1]);
  expect(order).toHaveLength(12);
});

test('every class of SQLSTATE that this server knows has a word on whose fault it is, and every code named by itself is one', async () => {
  const superuser = new pg.Client({ connectionString: database.superuserUrl });
  await superuser.connect();
  const { rows } = await superuser.query<{ text: string }>(
    `SELECT pg_read_file(setting || '/errcodes.txt') AS text FROM pg_config WHERE name = 'SHAREDIR'`,
  );
  await superuser.end();
  const codes = [...(rows[0]?.text ?? '').matchAll(/^([0-9A-Z]{5}) +[ESW] /gm)].map(([, code = '']) => code);
  expect(codes.length).toBeGreaterThan(200);
  expect([...new Set(codes.map((code) => code.slice(0, 2)))].sort()).toEqual(Object.keys(classes).sort());
  expect(codes).toEqual(expect.arrayContaining([...installationCodes]));
});

test('a session that may only read is given up after its first refusal, since another may be on a server that takes writes', async () => {
  await other.query('CREATE TABLE after_failover (a int)');
  const own = openDatabase(database.url, 'test', { ...defaults, connections: 1 });
  try {
    await own.read('SET default_transaction_read_only = on');
    const write = () => own.transaction((tx) => tx.query('INSERT INTO after_failover VALUES (1)'));
    await expect(write()).rejects.toMatchObject({ code: '25006' });
    await write();
  } finally {
    await own.close();
  }
  expect(await db.read('SELECT a FROM after_failover')).toEqual([{ a: 1 }]);
});
