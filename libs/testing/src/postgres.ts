import { createHash } from 'node:crypto';
import { freePort, generatePassword, type Postgres, removePostgres, startPostgres, urlFor } from '@countersign/servers';
import pg from 'pg';
import { sharedServer } from './shared.js';
import { heldTogether, onFreePorts, temporaryDirectory, uniqueName } from './temporary.js';

/** A Postgres of one test's own. */
export interface TestPostgres {
  /** The superuser's URL. */
  readonly url: string;
  /** The present process. */
  pid(): number;
  /** Ends it as a crash would; its data stays. */
  kill(): Promise<void>;
  /** Starts it again on the same port with the same data, after `kill`. If it is running, it is stopped first. */
  restart(): Promise<void>;
  /** Stops it and removes its directory. */
  stop(): Promise<void>;
}

export interface TestDatabase {
  /** Its name contains `test`. */
  readonly name: string;
  /** The URL of a role that owns the database and may create roles, and is not a superuser. */
  readonly url: string;
  /** The superuser's URL of the same database. */
  readonly superuserUrl: string;
  /** Drops it, even if somebody is connected. */
  drop(): Promise<void>;
  /** The same as `drop`. */
  close(): Promise<void>;
}

/** Starts a real Postgres on a free port, in a directory that `stop` removes. For tests that kill it. */
export async function startTestPostgres(): Promise<TestPostgres> {
  const dir = await temporaryDirectory('postgres', removePostgres);
  let port = 0;
  let postgres: Postgres = await onFreePorts(async () => {
    port = await freePort();
    return startPostgres({ dir, port });
  });
  return {
    url: postgres.url,
    pid: () => postgres.pid,
    kill: () => postgres.kill(),
    async restart() {
      await postgres.stop();
      postgres = await startPostgres({ dir, port });
    },
    async stop() {
      await postgres.stop();
      await removePostgres(dir);
    },
  };
}

const own = heldTogether(startTestPostgres);

/** How a database gets its tables. */
export interface Preparation {
  /** The same name means the same tables. */
  readonly name: string;
  /** Brings an empty database up to date, and closes its connections. */
  prepare(url: string): Promise<void>;
}

/** An empty database, on `server` if given, else on the Postgres that the run's files share, else on one that this file starts. */
export function createTestDatabase(server?: Pick<TestPostgres, 'url'>): Promise<TestDatabase> {
  return create(undefined, server);
}

/**
 * A database as `prepare` leaves an empty one, on the same servers as `createTestDatabase`. The first caller prepares it, and all
 * get copies: a copy takes a tenth of the time. The copied tables belong to a role of which the owner of the database is a member.
 */
export function copyTestDatabase(like: Preparation, server?: Pick<TestPostgres, 'url'>): Promise<TestDatabase> {
  return create(like, server);
}

async function create(
  like: Preparation | undefined,
  server: Pick<TestPostgres, 'url'> | undefined,
): Promise<TestDatabase> {
  const given = (server ?? (await sharedServer('postgres')))?.url;
  const serverUrl = given ?? (await own.hold()).url;
  const original = like && (await originalOf(like, serverUrl));
  const name = uniqueName('test').replaceAll('-', '_');
  const password = generatePassword();
  const role = pg.escapeIdentifier(name);
  await asSuperuser(serverUrl, [
    `CREATE ROLE ${role} LOGIN CREATEROLE PASSWORD ${pg.escapeLiteral(password)}${original ? ` IN ROLE ${original}` : ''}`,
    `ALTER ROLE ${role} SET createrole_self_grant = 'set, inherit'`,
    `CREATE DATABASE ${role} OWNER ${role}${original ? ` TEMPLATE ${original}` : ''}`,
  ]);
  const superuserUrl = databaseUrl(serverUrl, name);
  let dropped: Promise<void> | undefined;
  const drop = (): Promise<void> => {
    dropped ??= dropTestDatabase(superuserUrl).then(async () => {
      if (!given) await own.release();
    });
    return dropped;
  };
  return { name, url: urlFor(superuserUrl, name, password), superuserUrl, drop, close: drop };
}

/** Drops the database that the superuser's URL names, even if somebody is connected. Refuses a name without `test` in it. */
export async function dropTestDatabase(superuserUrl: string): Promise<void> {
  const name = decodeURIComponent(new URL(superuserUrl).pathname.slice(1));
  if (!name.includes('test')) throw new Error(`only a database with "test" in its name is dropped, not "${name}"`);
  await asSuperuser(databaseUrl(superuserUrl, 'postgres'), [
    `DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`,
  ]);
}

/** The database that copies are made from, and the role of the same name that owns it. Two processes make it one after the other. */
async function originalOf({ name, prepare }: Preparation, serverUrl: string): Promise<string> {
  const original = `test_original_${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock(hashtext($1))', [original]);
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1 AND datistemplate', [original]);
    if (rowCount) return original;
    const password = generatePassword();
    // Left by a preparation that failed.
    await client.query(`DROP DATABASE IF EXISTS ${original} WITH (FORCE)`);
    await client.query(`DROP ROLE IF EXISTS ${original}`);
    await client.query(`CREATE ROLE ${original} LOGIN PASSWORD ${pg.escapeLiteral(password)}`);
    await client.query(`CREATE DATABASE ${original} OWNER ${original}`);
    await prepare(urlFor(databaseUrl(serverUrl, original), original, password));
    await client.query(`ALTER DATABASE ${original} IS_TEMPLATE true`);
    return original;
  } finally {
    await client.end();
  }
}

function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${encodeURIComponent(name)}`;
  return url.href;
}

async function asSuperuser(connectionString: string, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}
