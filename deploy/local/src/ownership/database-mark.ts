import { type InstallationMark, markQuery, markThere } from '@countersign/contracts';
import { beginProvisioning, generatePassword, urlFor } from '@countersign/servers';
import pg from 'pg';
import type { Found } from './judge.js';

/** A login that a service would have, and the password that this installation gives it. */
export interface RoleLogin {
  readonly name: string;
  readonly password: string;
  /** The password that it may have instead, in a database that an earlier version made. */
  readonly earlierPassword?: string;
}

/** Reads what a database says about its owner. Changes nothing. */
export async function lookAtDatabase(superuserUrl: string, roles: readonly RoleLogin[]): Promise<Found['database']> {
  return withClient(superuserUrl, async (client) => {
    const names = roles.map(({ name }) => name);
    const { rows: existing } = await client.query<{ name: string }>(
      'SELECT rolname AS name FROM pg_roles WHERE rolname = ANY($1)',
      [names],
    );
    const { rows: tables } = await client.query(
      `SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ANY($1) AND c.relkind = 'r' LIMIT 1`,
      [names],
    );
    const mark = await readMark(client);
    const known = roles.filter(({ name }) => existing.some((row) => row.name === name));
    return {
      at: addressOf(superuserUrl),
      mark,
      logins: known.length > 0,
      tables: tables.length > 0,
      // This is asked only if it decides: with a mark, no proof is needed.
      knowsUs: mark === undefined && (await allTaken(superuserUrl, known)),
    };
  });
}

/**
 * Marks a database as this installation's if it has no mark or one of `replacing`. Returns whether it did. Any other mark is left
 * unchanged.
 */
export async function markDatabase(
  superuserUrl: string,
  mark: Omit<InstallationMark, 'since'>,
  replacing: readonly string[],
): Promise<boolean> {
  return withClient(superuserUrl, async (client) => {
    const now = await readMark(client);
    if (now && now.id === mark.id && now.clusterId === mark.clusterId && now.permitKey === mark.permitKey) return true;
    await beginProvisioning(client);
    await client.query(`
      CREATE TABLE IF NOT EXISTS countersign.installation (
        only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
        id text NOT NULL,
        cluster_id text NOT NULL,
        permit_key text NOT NULL,
        place text NOT NULL,
        since text NOT NULL
      )`);
    await client.query('GRANT USAGE ON SCHEMA countersign TO PUBLIC');
    await client.query('GRANT SELECT ON countersign.installation TO PUBLIC');
    const { rowCount } = await client.query(
      `INSERT INTO countersign.installation AS i (id, cluster_id, permit_key, place, since) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (only_row) DO UPDATE SET id = excluded.id, cluster_id = excluded.cluster_id, permit_key = excluded.permit_key,
         place = excluded.place, since = CASE WHEN i.id = excluded.id THEN i.since ELSE excluded.since END
       WHERE i.id = ANY($6)`,
      [mark.id, mark.clusterId, mark.permitKey, mark.place, new Date().toISOString(), replacing],
    );
    await client.query('COMMIT');
    return rowCount === 1;
  });
}

/** Removes this installation's mark: restores the former one, or leaves none. */
export async function unmarkDatabase(superuserUrl: string, id: string, former?: InstallationMark): Promise<void> {
  await withClient(superuserUrl, async (client) => {
    if (former)
      await client.query(
        'UPDATE countersign.installation SET id = $2, cluster_id = $3, permit_key = $4, place = $5, since = $6 WHERE id = $1',
        [id, former.id, former.clusterId, former.permitKey, former.place, former.since],
      );
    else await client.query('DELETE FROM countersign.installation WHERE id = $1', [id]);
  });
}

async function readMark(client: pg.Client): Promise<InstallationMark | undefined> {
  const { rows } = await client.query<{ marked: boolean }>(markThere);
  return rows[0]?.marked ? (await client.query<InstallationMark>(markQuery)).rows[0] : undefined;
}

/** Whether every login accepts its password and refuses a wrong one. A server that trusts everybody proves nothing. */
async function allTaken(superuserUrl: string, logins: readonly RoleLogin[]): Promise<boolean> {
  const taken = await Promise.all(
    logins.map(
      async ({ name, password, earlierPassword }) =>
        ((await takes(superuserUrl, name, password)) ||
          (earlierPassword !== undefined && (await takes(superuserUrl, name, earlierPassword)))) &&
        !(await takes(superuserUrl, name, generatePassword())),
    ),
  );
  return taken.length > 0 && taken.every((yes) => yes);
}

async function takes(superuserUrl: string, name: string, password: string): Promise<boolean> {
  try {
    await withClient(urlFor(superuserUrl, name, password), async () => undefined);
    return true;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === '28P01' || code === '28000') return false;
    // The password was right; but the database is closed to the role, or the role already has all the connections that it may have.
    if (code === '42501' || code === '53300') return true;
    throw error;
  }
}

async function withClient<R>(connectionString: string, use: (client: pg.Client) => Promise<R>): Promise<R> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

function addressOf(databaseUrl: string): string {
  const { host, pathname } = new URL(databaseUrl);
  return `${host}${pathname}`;
}
