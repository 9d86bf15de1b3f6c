import type { MigrationInterface, QueryRunner } from 'typeorm';
import { quoted, services, unreadable } from './ids-of-leaves.js';

/**
 * A topic that is deleted and created again starts at offset 0 again. The topic's id distinguishes its records from those of the earlier
 * topic.
 */
export class TopicsOfLeaves1763700008702 implements MigrationInterface {
  name = 'TopicsOfLeaves1763700008702';

  async up(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE leaves ADD topic_id text');
    await db.query(
      `COMMENT ON COLUMN leaves.topic_id IS 'the broker''s id of a topic that was made again; empty for the topic as it was first'`,
    );
    await db.query(`
      ALTER TABLE leaves DROP CONSTRAINT leaves_topic_partition_offset_key,
        ADD CONSTRAINT leaves_place UNIQUE NULLS NOT DISTINCT (topic, partition, "offset", topic_id)`);
    // The runtime's tables that were created since.
    for (const role of await services(db)) {
      for (const table of await unreadable(db, role)) {
        await db.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${quoted(table)} TO ${quoted(role)}`);
      }
    }
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE leaves DROP CONSTRAINT leaves_place,
        ADD CONSTRAINT leaves_topic_partition_offset_key UNIQUE (topic, partition, "offset")`);
    await db.query('ALTER TABLE leaves DROP COLUMN topic_id');
  }
}
