import type pg from 'pg';
import type { Tx } from '../api/runtime.js';

/**
 * Lets only one transaction at a time do the task `name`. The next transaction goes on when this one ends. It locks a row of the
 * service's own schema, so that no other role of the database can hold it. It makes the row if there is none.
 */
export async function takeTurn(tx: Tx, name: string): Promise<void> {
  // An existing row is locked, not written.
  await tx.query(
    'INSERT INTO turns (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET name = excluded.name WHERE false',
    [name],
  );
}

/** Makes the table that migrations lock, if it is missing. Two instances may do so at the same time. */
async function makeMigrationTurn(client: pg.Client): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await client.query('CREATE TABLE IF NOT EXISTS migration_turn ()');
      return;
    } catch (error) {
      // 23505, 42P07, 42710: another instance makes the table at the same time.
      const made = ['23505', '42P07', '42710'].includes(String((error as { code?: unknown }).code));
      if (!made || tries === 5) throw error;
    }
  }
}

/** Waits until no other instance migrates this schema. The turn ends with the connection. */
export async function takeMigrationTurn(client: pg.Client): Promise<void> {
  await makeMigrationTurn(client);
  // This transaction is idle while the migrations run.
  await client.query('SET idle_in_transaction_session_timeout = 0');
  await client.query('BEGIN');
  // It locks the table itself, so it needs no row.
  await client.query('LOCK TABLE migration_turn IN EXCLUSIVE MODE');
}
