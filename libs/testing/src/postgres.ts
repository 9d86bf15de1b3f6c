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

/** An empty database, on `server` if given, else on the Postgres that the run's files share, else on one that this file starts. */
export async function createTestDatabase(server?: Pick<TestPostgres, 'url'>): Promise<TestDatabase> {
  const given = (server ?? (await sharedServer('postgres')))?.url;
  const serverUrl = given ?? (await own.hold()).url;
  const name = uniqueName('test').replaceAll('-', '_');
  const password = generatePassword();
  const role = pg.escapeIdentifier(name);
  await asSuperuser(serverUrl, [
    `CREATE ROLE ${role} LOGIN CREATEROLE PASSWORD ${pg.escapeLiteral(password)}`,
    `ALTER ROLE ${role} SET createrole_self_grant = 'set, inherit'`,
    `CREATE DATABASE ${role} OWNER ${role}`,
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
