import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The parts of the runtime's tables that a service may read in its own statements. The README of the runtime is the contract. A
 * column is never removed and never changes its meaning, even if the tables behind it change. A view gives a role no right that
 * it does not have on the table.
 */
export class ReadViews1764400000071 implements MigrationInterface {
  name = 'ReadViews1764400000071';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE VIEW followed_state WITH (security_invoker = true) AS
      SELECT topic, key, version, data, read_at, concat_ws(' ', version, xmin) AS written FROM state_rows`);
    await db.query(`
      CREATE VIEW followed_positions WITH (security_invoker = true) AS
      SELECT topic, partition, next_offset FROM state_positions`);
    await db.query(`
      CREATE VIEW published_state WITH (security_invoker = true) AS
      SELECT topic, key, version, data, value, changed_at FROM own_state`);
    await db.query(`
      CREATE VIEW pending_jobs WITH (security_invoker = true) AS
      SELECT kind, id, due_at, payload FROM jobs WHERE result_at IS NULL`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP VIEW followed_state, followed_positions, published_state, pending_jobs');
  }
}
