import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How checkpoints ended whose tasks never go out. */
export class WithheldTasks1764600000871 implements MigrationInterface {
  name = 'WithheldTasks1764600000871';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE withheld_tasks (
        checkpoint_id uuid PRIMARY KEY,
        outcome text NOT NULL CHECK (outcome IN ('rejected', 'suppressed', 'expired')),
        review_id uuid,
        by_person text,
        reason jsonb NOT NULL,
        withheld_at timestamptz NOT NULL
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE withheld_tasks');
  }
}
