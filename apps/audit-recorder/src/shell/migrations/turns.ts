import type { MigrationInterface, QueryRunner } from 'typeorm';
import { quoted, services } from './ids-of-leaves.js';

/** The row whose lock lets one transaction at a time sign. To lock it, the service's role needs UPDATE on the table. */
export class CheckpointTurn1763700008703 implements MigrationInterface {
  name = 'CheckpointTurn1763700008703';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`INSERT INTO turns VALUES ('checkpoint') ON CONFLICT DO NOTHING`);
    for (const role of await services(db)) {
      await db.query(`GRANT SELECT, UPDATE ON turns TO ${quoted(role)}`);
      // It came since; by default the role may only read and insert.
      await db.query(`GRANT SELECT, INSERT, UPDATE ON jobs_published TO ${quoted(role)}`);
    }
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DELETE FROM turns WHERE name = 'checkpoint'`);
  }
}
