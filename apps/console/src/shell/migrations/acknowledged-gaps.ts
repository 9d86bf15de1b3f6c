import type { MigrationInterface, QueryRunner } from 'typeorm';

/** People's acknowledgements of gaps: the first of each. */
export class AcknowledgedGaps1764400000003 implements MigrationInterface {
  name = 'AcknowledgedGaps1764400000003';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE acknowledged_gaps (
        word_id uuid PRIMARY KEY,
        service text NOT NULL,
        topic text NOT NULL,
        topic_id text NOT NULL,
        partition int NOT NULL,
        from_offset bigint NOT NULL,
        to_offset bigint,
        why text NOT NULL,
        by_person text NOT NULL,
        note text NOT NULL,
        at timestamptz NOT NULL
      )`);
    await db.query('CREATE INDEX acknowledged_gaps_at ON acknowledged_gaps (at)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE acknowledged_gaps');
  }
}
