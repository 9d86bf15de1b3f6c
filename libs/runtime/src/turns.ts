import type pg from 'pg';
import type { Tx } from './door.js';

/**
 * Lets one transaction at a time do what `name` names: the next one goes on when this one has ended. It locks a row of the
 * service's own schema, so that no other role of the database can hold it. Throws where a migration has made no such row.
 */
export async function takeTurn(tx: Tx, name: string): Promise<void> {
  const rows = await tx.query('SELECT name FROM turns WHERE name = $1 FOR NO KEY UPDATE', [name]);
  if (rows.length !== 1) throw new Error(`turns has no row ${name}: a migration has to make it`);
}

/** Makes the one row that migrations lock, where it is not there yet. Two instances may do so at once. */
async function makeMigrationTurn(client: pg.Client): Promise<void> {
  for (let tries = 1; ; tries++) {
    const { rows } = await client.query<{ there: boolean }>(
      `SELECT to_regclass(quote_ident(current_schema()) || '.migration_turn') IS NOT NULL AS there`,
    );
    if (rows[0]?.there) return;
    try {
      // Both in one message, so in one transaction: whoever finds the table finds its row.
      await client.query(`
        CREATE TABLE migration_turn (only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row));
        INSERT INTO migration_turn DEFAULT VALUES`);
      return;
    } catch (error) {
      // 23505, 42P07, 42710: another instance has made it meanwhile.
      const made = ['23505', '42P07', '42710'].includes(String((error as { code?: unknown }).code));
      if (!made || tries === 5) throw error;
    }
  }
}

/** Waits until no other instance migrates this schema. The turn ends with the connection. */
export async function takeMigrationTurn(client: pg.Client): Promise<void> {
  await makeMigrationTurn(client);
  // The transaction stands idle for as long as the migrations take.
  await client.query('SET idle_in_transaction_session_timeout = 0');
  await client.query('BEGIN');
  const { rowCount } = await client.query('SELECT FROM migration_turn FOR NO KEY UPDATE');
  if (rowCount !== 1)
    throw new Error('migration_turn has no row: insert one (INSERT INTO migration_turn DEFAULT VALUES)');
}
