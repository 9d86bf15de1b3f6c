import type pg from 'pg';
import type { Tx } from '../api/runtime.js';

/**
 * Lets one transaction at a time do what `name` names: the next one goes on when this one has ended. It locks a row of the
 * service's own schema, so that no other role of the database can hold it, and makes it where it is not there.
 */
export async function takeTurn(tx: Tx, name: string): Promise<void> {
  // A row that is there is locked, and not written.
  await tx.query(
    'INSERT INTO turns (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET name = excluded.name WHERE false',
    [name],
  );
}

/** Makes the table that migrations lock, where it is not there yet. Two instances may do so at once. */
async function makeMigrationTurn(client: pg.Client): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await client.query('CREATE TABLE IF NOT EXISTS migration_turn ()');
      return;
    } catch (error) {
      // 23505, 42P07, 42710: another instance makes it at the same time.
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
  // The table itself, so that no row has to be there.
  await client.query('LOCK TABLE migration_turn IN EXCLUSIVE MODE');
}
