import { mkdtempSync, statSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort, localPorts } from './ports.js';
import { type Postgres, removePostgres, startPostgres } from './postgres.js';
import { AlreadyRunning } from './process-record.js';
import { connectionsOf, type DatabaseAccess, provisionDatabase } from './provision-database.js';

const dir = mkdtempSync(join(tmpdir(), 'countersign-test-postgres-'));
let port: number;
let postgres: Postgres;
let access: Map<string, DatabaseAccess>;

const roles = [
  { name: 'north', password: 'n', schema: 'north' },
  { name: 'south', password: 's', schema: 'south' },
  { name: 'keeper', password: 'k', schema: 'keeper', owner: true },
];

beforeAll(async () => {
  port = await freePort();
  postgres = await startPostgres({ dir, port });
  access = await provisionDatabase({ superuserUrl: postgres.url, roles });
});

afterAll(async () => {
  await postgres?.stop();
  await removePostgres(dir);
});

async function query(connectionString: string | undefined, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

const as = (role: string, sql: string) => query(access.get(role)?.url, sql);
const asOwner = (role: string, sql: string) => query(access.get(role)?.migrationUrl, sql);

test('a service finds its own schema, and can read, write or extend no other', async () => {
  await as('north', 'CREATE TABLE secrets (word text)');
  await as('north', "INSERT INTO secrets VALUES ('kept')");
  expect(await as('north', 'SELECT word FROM north.secrets')).toEqual([{ word: 'kept' }]);
  for (const sql of ['SELECT * FROM north.secrets', 'DELETE FROM north.secrets', 'CREATE TABLE north.mine ()'])
    await expect(as('south', sql)).rejects.toThrow('permission denied for schema north');
  await expect(as('south', 'CREATE TABLE public.mine ()')).rejects.toThrow('permission denied for schema public');
});

test('beside an owner, a service can append and read, and neither change nor delete', async () => {
  await asOwner('keeper', 'CREATE TABLE leaves (leaf text)');
  await as('keeper', "INSERT INTO leaves VALUES ('one')");
  expect(await as('keeper', 'SELECT leaf FROM leaves')).toEqual([{ leaf: 'one' }]);
  for (const sql of ["UPDATE leaves SET leaf = 'two'", 'DELETE FROM leaves', 'TRUNCATE leaves'])
    await expect(as('keeper', sql)).rejects.toThrow('permission denied for table leaves');
  for (const sql of ['DROP TABLE leaves', 'ALTER TABLE leaves ADD COLUMN more text'])
    await expect(as('keeper', sql)).rejects.toThrow('must be owner of table leaves');
  await expect(as('keeper', 'CREATE TABLE more ()')).rejects.toThrow('permission denied for schema keeper');
});

test('a role made without a grant cannot enter the database', async () => {
  await query(postgres.url, "CREATE ROLE stranger LOGIN PASSWORD 'x'");
  const url = new URL(postgres.url);
  url.username = 'stranger';
  url.password = 'x';
  await expect(query(url.href, 'SELECT 1')).rejects.toThrow('permission denied for database');
});

const hold = async (url: string | undefined, ...statements: readonly string[]): Promise<pg.Client> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  for (const sql of statements) await client.query(sql);
  return client;
};

test.each([
  ['an advisory lock', 'SELECT pg_advisory_lock(n) FROM generate_series(1, 100000) n'],
  ['an advisory lock until it commits', 'SELECT pg_try_advisory_xact_lock(1, 2)'],
  ['a temporary table', 'CREATE TEMPORARY TABLE mine (a int)'],
  ['a large object', 'SELECT lo_create(0)'],
  ['a large object of bytes', "SELECT lo_from_bytea(0, 'x')"],
  ['the turn to provision', 'SELECT FROM countersign.provisioning FOR UPDATE'],
])('a service takes nothing that all roles of the database share: %s', async (_what, sql) => {
  for (const role of ['north', 'keeper']) await expect(as(role, sql)).rejects.toThrow(/permission denied/);
  await expect(asOwner('keeper', sql)).rejects.toThrow(/permission denied/);
});

test('a service does not see what another one asks', async () => {
  const other = await hold(access.get('south')?.url, "SELECT 'a secret of south'");
  try {
    const seen = await as('north', "SELECT query FROM pg_stat_activity WHERE usename = 'south'");
    expect(seen).toEqual([{ query: '<insufficient privilege>' }]);
    expect(await as('south', "SELECT query FROM pg_stat_activity WHERE query LIKE '%secret of%south%'")).not.toEqual(
      [],
    );
  } finally {
    await other.end();
  }
});

test('a service that opens 30,000 savepoints, each with a lock, leaves room for the locks and the logins of others', async () => {
  await as('south', 'CREATE TABLE counted (n int); INSERT INTO counted VALUES (0); GRANT SELECT ON counted TO PUBLIC');
  await as('north', 'CREATE TABLE filled (n int)');
  const many = await hold(access.get('north')?.url, 'BEGIN');
  try {
    for (let n = 0; n < 10; n++) await many.query('SAVEPOINT s; INSERT INTO filled VALUES (1);'.repeat(3_000));
    const [held] = await query(postgres.url, 'SELECT count(*)::int AS locks FROM pg_locks');
    expect(held?.locks).toBeGreaterThan(30_000);
    await as('south', 'UPDATE counted SET n = n + 1');
    expect(await as('south', 'SELECT n FROM counted')).toEqual([{ n: 1 }]);
  } finally {
    await many.end();
  }
});

test('a service that notifies a listener who takes nothing is refused after half a megabyte', async () => {
  const listener = await hold(access.get('north')?.url, 'LISTEN flood');
  await listener.query('BEGIN');
  await listener.query('SELECT 1');
  try {
    const flood = `DO $$ BEGIN FOR n IN 1..500 LOOP PERFORM pg_notify('flood', n || repeat('x', 7000)); END LOOP; END $$`;
    await expect(as('south', flood)).rejects.toThrow('too many notifications in the NOTIFY queue');
  } finally {
    await listener.end();
  }
});

test('a service fills the disk with no more than a gigabyte of sorting, and cannot allow itself more', async () => {
  expect(await as('north', 'SHOW temp_file_limit')).toEqual([{ temp_file_limit: '1GB' }]);
  await expect(as('north', `SET temp_file_limit = '2GB'`)).rejects.toThrow('permission denied to set parameter');
  await expect(as('north', `ALTER ROLE north SET temp_file_limit = '2GB'`)).rejects.toThrow('permission denied');
  const sorted = `SET temp_file_limit = '1MB'; SELECT count(*) FROM (SELECT n FROM generate_series(1, 1e6) n ORDER BY n::text) s`;
  await expect(query(postgres.url, `SET work_mem = '64kB'; ${sorted}`)).rejects.toThrow('temporary file size exceeds');
});

test.each([
  ['prepares a transaction, which would outlive it', `BEGIN; CREATE TABLE held (n int); PREPARE TRANSACTION 'x'`],
  ['acts as another', 'SET ROLE south'],
  ['ends the session of another', `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'`],
  ['locks what all have in common', 'BEGIN; LOCK TABLE pg_catalog.pg_class IN EXCLUSIVE MODE'],
  ['reads the server log', 'SELECT pg_current_logfile()'],
  ['makes a program of the server run', `COPY (SELECT 1) TO PROGRAM 'true'`],
])('a service that %s is refused', async (_, sql) => {
  const other = await hold(postgres.url, 'SELECT 1');
  try {
    await expect(as('north', sql)).rejects.toThrow(/permission denied|prepared transactions are disabled/);
  } finally {
    await other.end();
  }
});

test('a service takes no more connections than its own, and others go on', async () => {
  const held: pg.Client[] = [];
  try {
    const taking = async () => {
      for (let n = 0; n < 150; n++) held.push(await hold(access.get('north')?.url));
    };
    await expect(taking()).rejects.toThrow('too many connections for role "north"');
    expect(held).toHaveLength(connectionsOf(10));
    expect(await as('south', 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  } finally {
    await Promise.all(held.map((client) => client.end()));
  }
});

test('the connections of an instance that died are free for the next one, also where their statements go on', async () => {
  const waiting = async () => {
    const client = await hold(access.get('north')?.url);
    client.on('error', () => undefined);
    client.query('SELECT pg_sleep(600)').catch(() => undefined);
    return client;
  };
  const died = await Promise.all(Array.from({ length: connectionsOf(10) }, waiting));
  await expect(as('north', 'SELECT 1')).rejects.toThrow('too many connections for role "north"');
  for (const { connection } of died as unknown as { connection: { stream: Socket } }[]) connection.stream.destroy();
  await expect.poll(() => as('north', 'SELECT 1 AS one').catch(String), { timeout: 30_000 }).toEqual([{ one: 1 }]);
});

test('the server itself finds out that a peer is gone', async () => {
  for (const sql of ['SHOW tcp_keepalives_idle', 'SHOW tcp_keepalives_interval', 'SHOW tcp_keepalives_count'])
    for (const rows of [await as('keeper', sql), await asOwner('keeper', sql)])
      expect(Number(Object.values(rows[0] ?? {})[0]), sql).toBeLessThanOrEqual(10);
  expect(await as('keeper', 'SHOW tcp_user_timeout')).toEqual([{ tcp_user_timeout: '30000' }]);
});

test('a service reaches no database that every server has beside it', async () => {
  const other = new URL(access.get('north')?.url ?? '');
  other.pathname = 'template1';
  await expect(query(other.href, 'SELECT 1')).rejects.toThrow('permission denied for database "template1"');
  // Where the installation has a database of its own, it closes the usual one too.
  const own = new URL(postgres.url);
  own.pathname = 'elsewhere';
  await query(postgres.url, 'CREATE DATABASE elsewhere');
  await query(postgres.url, 'GRANT CONNECT ON DATABASE postgres TO PUBLIC');
  const databases = await provisionDatabase({
    superuserUrl: own.href,
    roles: [{ name: 'west', password: 'w', schema: 'west' }],
  });
  expect(await query(databases.get('west')?.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  other.username = 'west';
  other.password = 'w';
  for (const name of ['template1', 'postgres']) {
    other.pathname = name;
    await expect(query(other.href, 'SELECT 1')).rejects.toThrow(`permission denied for database "${name}"`);
  }
});

test('whatever advisory lock somebody holds, the database is provisioned, by two at once too', async () => {
  const lock = await hold(postgres.url, "SELECT pg_advisory_lock(hashtext('countersign provisioning'))");
  try {
    const both = [1, 2].map(() => provisionDatabase({ superuserUrl: postgres.url, roles }));
    const [first] = await Promise.all(both);
    expect([...(first?.keys() ?? [])]).toEqual(roles.map(({ name }) => name));
  } finally {
    await lock.end();
  }
  // Their owners' passwords were made anew.
  access = await provisionDatabase({ superuserUrl: postgres.url, roles });
});

test('what an earlier version had granted is taken back', async () => {
  await query(postgres.url, 'GRANT TEMPORARY ON DATABASE postgres TO north');
  await query(postgres.url, 'GRANT EXECUTE ON FUNCTION pg_advisory_lock(bigint) TO PUBLIC');
  access = await provisionDatabase({ superuserUrl: postgres.url, roles });
  for (const sql of ['CREATE TEMPORARY TABLE mine ()', 'SELECT pg_advisory_lock(1)'])
    await expect(as('north', sql)).rejects.toThrow('permission denied');
});

test('a wrong password is refused, and the superuser password is readable by its owner alone', async () => {
  const url = new URL(postgres.url);
  url.password = 'guessed';
  await expect(query(url.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
  expect(statSync(join(dir, 'superuser-password')).mode & 0o777).toBe(0o600);
});

test('commits are flushed to disk, and a transaction that idles is ended', async () => {
  expect(await as('north', 'SHOW fsync')).toEqual([{ fsync: 'on' }]);
  expect(await as('north', 'SHOW synchronous_commit')).toEqual([{ synchronous_commit: 'on' }]);
  expect(await as('north', 'SHOW idle_in_transaction_session_timeout')).toEqual([
    { idle_in_transaction_session_timeout: '30s' },
  ]);
});

test('provisioning again keeps what is there', async () => {
  access = await provisionDatabase({ superuserUrl: postgres.url, roles });
  expect(await as('keeper', 'SELECT leaf FROM leaves')).toEqual([{ leaf: 'one' }]);
  await asOwner('keeper', 'ALTER TABLE leaves ADD COLUMN more text');
});

test('what was committed outlives a kill -9 of the server', async () => {
  await as('south', 'CREATE TABLE facts (n int)');
  await as('south', 'INSERT INTO facts VALUES (1)');
  await postgres.kill();
  await expect(as('south', 'SELECT 1')).rejects.toThrow();
  postgres = await startPostgres({ dir, port });
  expect(await as('south', 'SELECT n FROM facts')).toEqual([{ n: 1 }]);
});

test('a second start on the same directory is refused while the first one lives', async () => {
  await expect(startPostgres({ dir, port })).rejects.toThrow(AlreadyRunning);
  expect(await as('south', 'SELECT 1 AS n')).toEqual([{ n: 1 }]);
});

test('a taken port is named, with the variable that moves it', async () => {
  const elsewhere = mkdtempSync(join(tmpdir(), 'countersign-test-postgres-'));
  const holder = createServer();
  const taken = await freePort();
  await new Promise<void>((resolve) => holder.listen(taken, '127.0.0.1', resolve));
  try {
    const start = startPostgres({ dir: elsewhere, port: taken });
    await expect(start).rejects.toThrow(`port ${taken}`);
    await expect(start).rejects.toThrow(localPorts.postgres.variable);
  } finally {
    holder.close();
    await removePostgres(elsewhere);
  }
});

test('a reader reads the tables that are named, those that come later too when their owner grants them, and changes nothing', async () => {
  await as('north', 'CREATE TABLE shown (word text)');
  await as('north', 'CREATE TABLE hidden (word text)');
  const reader = {
    name: 'reader',
    password: 'r',
    reads: [
      { schema: 'north', tables: ['shown', 'later', 'view_of_later'] },
      { schema: 'keeper', tables: ['leaves'] },
    ],
  };
  access = await provisionDatabase({ superuserUrl: postgres.url, roles, reader });
  expect(await as('reader', 'SELECT word FROM north.shown')).toEqual([]);
  expect(await as('reader', 'SELECT leaf FROM keeper.leaves')).toEqual([{ leaf: 'one' }]);
  for (const sql of [
    'SELECT * FROM north.hidden',
    "INSERT INTO north.shown VALUES ('x')",
    'UPDATE north.shown SET word = word',
    'DELETE FROM keeper.leaves',
  ])
    await expect(as('reader', sql), sql).rejects.toThrow('permission denied for table');
  for (const sql of ['CREATE TABLE north.mine ()', 'CREATE TABLE public.mine ()', 'SELECT FROM south.t'])
    await expect(as('reader', sql), sql).rejects.toThrow('permission denied for schema');
  await as('north', 'CREATE TABLE later ()');
  await as('north', 'GRANT SELECT ON later TO reader');
  expect(await as('reader', 'SELECT FROM north.later')).toEqual([]);
  // What was made before the reader was is granted by the next provisioning.
  await as('north', 'REVOKE SELECT ON later FROM reader');
  await as('north', 'CREATE VIEW view_of_later WITH (security_invoker = true) AS SELECT FROM later');
  access = await provisionDatabase({ superuserUrl: postgres.url, roles, reader });
  expect(await as('reader', 'SELECT FROM north.later')).toEqual([]);
  expect(await as('reader', 'SELECT FROM north.view_of_later')).toEqual([]);
});
