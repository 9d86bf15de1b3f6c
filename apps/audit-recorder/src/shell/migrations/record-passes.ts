import type { MigrationInterface, QueryRunner } from 'typeorm';
import { quoted, services } from './ids-of-leaves.js';

/**
 * Permissions to read the whole record, each for some minutes. They are not part of the log: the log has the events that asked for them.
 */
export class RecordPasses1764600000781 implements MigrationInterface {
  name = 'RecordPasses1764600000781';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE record_passes (
        secret_sha256 text PRIMARY KEY,
        pass_id uuid NOT NULL,
        by_person text NOT NULL,
        expires_at timestamptz NOT NULL,
        uses int NOT NULL DEFAULT 0
      )`);
    for (const role of await services(db))
      await db.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON record_passes TO ${quoted(role)}`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE record_passes');
  }
}
