import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What a service may read of the runtime's tables in statements of its own; the README of the runtime is their contract. A column is
 * never removed and never changes its meaning, whatever becomes of the tables behind it. A view gives nobody a right that they do
 * not have on its table.
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
