import type { MigrationInterface, QueryRunner } from 'typeorm';
import { quoted, services } from './ids-of-leaves.js';

const tables = ['turns', 'jobs_published'];

/** Rights that the service's role needs beyond reading and inserting: to lock a turn, and to write when its last job was published. */
export class CheckpointTurn1763700008703 implements MigrationInterface {
  name = 'CheckpointTurn1763700008703';

  async up(db: QueryRunner): Promise<void> {
    for (const role of await services(db))
      await db.query(`GRANT SELECT, INSERT, UPDATE ON ${tables.join(', ')} TO ${quoted(role)}`);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const role of await services(db)) await db.query(`REVOKE UPDATE ON ${tables.join(', ')} FROM ${quoted(role)}`);
  }
}
