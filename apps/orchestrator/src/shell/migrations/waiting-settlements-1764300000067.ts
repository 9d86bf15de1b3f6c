import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Settlements of unknown permits are few at any time. They are found by executor and age, and deleted when no approval can come any more.
 */
export class WaitingSettlements1764300000067 implements MigrationInterface {
  name = 'WaitingSettlements1764300000067';

  async up(db: QueryRunner): Promise<void> {
    await db.query('CREATE INDEX permits_permit ON permits (permit_id)');
    await db.query(`
      ALTER TABLE settlements ADD COLUMN waiting boolean NOT NULL DEFAULT false, ADD COLUMN kept_at timestamptz NOT NULL DEFAULT now()`);
    await db.query(`
      UPDATE settlements s SET waiting = true WHERE NOT EXISTS (
        SELECT FROM permits m WHERE m.permit_id = s.permit_id AND m.executor = s.executor AND m.digest = s.digest)`);
    await db.query('ALTER TABLE settlements ALTER COLUMN waiting DROP DEFAULT, ALTER COLUMN kept_at DROP DEFAULT');
    await db.query('CREATE INDEX settlements_waiting ON settlements (executor, kept_at) WHERE waiting');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX settlements_waiting, permits_permit');
    await db.query('ALTER TABLE settlements DROP COLUMN waiting, DROP COLUMN kept_at');
  }
}
