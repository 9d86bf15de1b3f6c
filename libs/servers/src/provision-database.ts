import pg from 'pg';
import { generatePassword } from './secrets.js';

export interface DatabaseRole {
  readonly name: string;
  readonly password: string;
  /** Its schema, where its search_path leads. */
  readonly schema: string;
  /**
   * `<name>_owner` owns the schema and migrates. `<name>` may select and insert, and what a migration grants in addition. The
   * owner's password is new each time. Without an owner, `<name>` owns the schema.
   */
  readonly owner?: boolean;
  /** How many connections it may have at once; its owner may have the same number. Default `connectionsOf(10)`. */
  readonly connections?: number;
}

/**
 * How many connections a role may have at once: enough for three instances, that is two and one that is just being replaced, but
 * not those of all other roles. An instance has its pool, two while it migrates, and two that ask about silent ones.
 */
export const connectionsOf = (pool: number): number => 3 * (pool + 2 + 2);

/** A login that reads single tables of other roles' schemas, and has no schema of its own. */
export interface DatabaseReader {
  readonly name: string;
  readonly password: string;
  /** Tables and views by schema. Those that do not exist yet are granted by the role that makes them. */
  readonly reads: readonly { readonly schema: string; readonly tables: readonly string[] }[];
}

/** How a service reaches its schema, and how its migrations do. Both are the same unless the role has an owner. */
export interface DatabaseAccess {
  readonly url: string;
  readonly migrationUrl: string;
}

export interface DatabaseWishes {
  /** A superuser, or one who may create roles and owns the database (Postgres 16 or later). The URL names the database. */
  readonly superuserUrl: string;
  readonly roles: readonly DatabaseRole[];
  readonly reader?: DatabaseReader;
}

/**
 * Gives each role a login and a schema of its own in the database; no role may look into another's schema. Idempotent; sets
 * passwords again. If a role's transaction idles for 30 s, it is ended, so that a dead holder of locks blocks nobody for longer.
 * Returns the access of each role by its name.
 */
export async function provisionDatabase({
  superuserUrl,
  roles,
  reader,
}: DatabaseWishes): Promise<Map<string, DatabaseAccess>> {
  const limits = { connectionTimeoutMillis: 5_000, query_timeout: 60_000 };
  const client = new pg.Client({ connectionString: superuserUrl, ...limits });
  const access = new Map<string, DatabaseAccess>();
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>('SELECT current_database() AS name');
    const database = pg.escapeIdentifier(rows[0]?.name ?? '');
    // Without it, a creator who is not a superuser may not give a schema to the role.
    await client.query("SET createrole_self_grant = 'set'");
    await beginProvisioning(client);
    await withholdShared(client);
    await client.query(`REVOKE ALL ON DATABASE ${database} FROM PUBLIC`);
    await client.query('REVOKE ALL ON SCHEMA public FROM PUBLIC');
    for (const role of roles) {
      const url = urlFor(superuserUrl, role.name, role.password);
      const ownerPassword = role.owner ? generatePassword() : undefined;
      const migrationUrl = ownerPassword ? urlFor(superuserUrl, ownerOf(role), ownerPassword) : url;
      await provisionRole(client, database, role, ownerPassword);
      access.set(role.name, { url, migrationUrl });
    }
    if (reader) {
      await provisionReader(client, database, reader, roles);
      const url = urlFor(superuserUrl, reader.name, reader.password);
      access.set(reader.name, { url, migrationUrl: url });
    }
    await client.query('COMMIT');
    return access;
  } finally {
    await client.end();
  }
}

/** The URL under which a role reaches the database that another URL names. */
export function urlFor(databaseUrl: string, username: string, password: string): string {
  const url = new URL(databaseUrl);
  url.username = encodeURIComponent(username);
  url.password = encodeURIComponent(password);
  return url.href;
}

const ownerOf = (role: DatabaseRole): string => `${role.name}_owner`;

async function provisionRole(
  client: pg.Client,
  database: string,
  role: DatabaseRole,
  ownerPassword: string | undefined,
): Promise<void> {
  const service = pg.escapeIdentifier(role.name);
  const schema = pg.escapeIdentifier(role.schema);
  const connections = role.connections ?? connectionsOf(10);
  await login(client, database, role.name, role.password, schema, connections);
  if (ownerPassword === undefined) {
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema} AUTHORIZATION ${service}`);
    return;
  }
  const owner = pg.escapeIdentifier(ownerOf(role));
  await login(client, database, ownerOf(role), ownerPassword, schema, connections);
  await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema} AUTHORIZATION ${owner}`);
  // As the owner: the creator of a role may act as it, but has none of its rights automatically.
  await client.query(`SET LOCAL ROLE ${owner}`);
  await client.query(`GRANT USAGE ON SCHEMA ${schema} TO ${service}`);
  const byDefault = `ALTER DEFAULT PRIVILEGES IN SCHEMA ${schema}`;
  await client.query(`${byDefault} GRANT SELECT, INSERT ON TABLES TO ${service}`);
  await client.query(`${byDefault} GRANT USAGE, SELECT ON SEQUENCES TO ${service}`);
  await client.query('RESET ROLE');
}

async function provisionReader(
  client: pg.Client,
  database: string,
  { name, password, reads }: DatabaseReader,
  roles: readonly DatabaseRole[],
): Promise<void> {
  await login(client, database, name, password, 'pg_catalog', connectionsOf(10));
  const reader = pg.escapeIdentifier(name);
  for (const { schema, tables } of reads) {
    const role = roles.find((candidate) => candidate.schema === schema);
    if (!role) throw new Error(`${name} is to read ${schema}, which no role has`);
    // As the owner of the schema and its tables.
    await client.query(`SET LOCAL ROLE ${pg.escapeIdentifier(role.owner ? ownerOf(role) : role.name)}`);
    await client.query(`GRANT USAGE ON SCHEMA ${pg.escapeIdentifier(schema)} TO ${reader}`);
    const { rows } = await client.query<{ name: string }>(
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = $1 AND tablename = ANY($2)
       UNION ALL SELECT viewname FROM pg_views WHERE schemaname = $1 AND viewname = ANY($2)`,
      [schema, tables],
    );
    for (const { name: table } of rows)
      await client.query(`GRANT SELECT ON ${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)} TO ${reader}`);
    await client.query('RESET ROLE');
  }
}

async function login(
  client: pg.Client,
  database: string,
  name: string,
  password: string,
  schema: string,
  connections: number,
): Promise<void> {
  const role = pg.escapeIdentifier(name);
  const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [name]);
  const verb = rowCount === 0 ? 'CREATE' : 'ALTER';
  await client.query(`${verb} ROLE ${role} LOGIN PASSWORD ${pg.escapeLiteral(password)}`);
  await client.query(`ALTER ROLE ${role} CONNECTION LIMIT ${connections}`);
  await client.query(`REVOKE ALL ON DATABASE ${database} FROM ${role}`);
  await client.query(`GRANT CONNECT ON DATABASE ${database} TO ${role}`);
  await client.query(`ALTER ROLE ${role} IN DATABASE ${database} SET search_path = ${schema}`);
  for (const [setting, value] of Object.entries(ofSessions))
    await client.query(`ALTER ROLE ${role} IN DATABASE ${database} SET ${setting} = ${pg.escapeLiteral(value)}`);
}

/**
 * The settings with which every session of a role begins. A dead peer is noticed within half a minute, even during a statement.
 * Otherwise its locks would block others, and its connections would count.
 */
const ofSessions = {
  idle_in_transaction_session_timeout: '30s',
  client_connection_check_interval: '2s',
  tcp_keepalives_idle: '10s',
  tcp_keepalives_interval: '5s',
  tcp_keepalives_count: '3',
  tcp_user_timeout: '30s',
} as const;

/**
 * Begins the one transaction that provisions. Others that start in the meantime wait for a row of the installation's own schema. An
 * advisory lock would not do, because any role of the database could hold it.
 */
export async function beginProvisioning(client: pg.Client): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await client.query('BEGIN');
      await client.query('CREATE SCHEMA IF NOT EXISTS countersign');
      await client.query(
        'CREATE TABLE IF NOT EXISTS countersign.provisioning (only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row))',
      );
      await client.query('INSERT INTO countersign.provisioning DEFAULT VALUES ON CONFLICT DO NOTHING');
      await client.query('SELECT FROM countersign.provisioning FOR NO KEY UPDATE');
      return;
    } catch (error) {
      await client.query('ROLLBACK');
      // If two make the same schema at once, the later one finds a key of the catalogue taken, and then the schema.
      const made = ['23505', '42P06', '42P07', '42710'].includes(String((error as { code?: unknown }).code));
      if (!made || tries === 5) throw error;
    }
  }
}

/**
 * Takes away what all roles of a database share and no service uses: advisory locks, whose table belongs to the server and can be
 * filled; large objects, which belong to no schema; and the databases that every server has, where both could be used. Only a
 * superuser can do this. For another administrator it changes nothing.
 */
async function withholdShared(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ revoke: string }>(`
    WITH revokes AS (
      SELECT format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', oid::regprocedure) AS revoke FROM pg_proc
      WHERE pronamespace = 'pg_catalog'::regnamespace
        AND (proname ~ '^(pg_(try_)?advisory_|lo_)' OR proname IN ('lowrite', 'loread'))
      UNION ALL
      SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', datname) FROM pg_database WHERE datname IN ('postgres', 'template1')
    )
    SELECT revoke FROM revokes WHERE (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)`);
  for (const { revoke } of rows) await client.query(revoke);
}
