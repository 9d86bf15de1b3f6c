import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The results of the orders to handle a dead letter again. */
export class ReplayEnds1764500000071 implements MigrationInterface {
  name = 'ReplayEnds1764500000071';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE replay_ends (
        dead_letter_id uuid PRIMARY KEY,
        ordered_at timestamptz NOT NULL,
        outcome text NOT NULL CHECK (outcome IN ('handled', 'scheduled', 'failed')),
        fault jsonb,
        attempts int NOT NULL,
        at timestamptz NOT NULL
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE replay_ends');
  }
}
