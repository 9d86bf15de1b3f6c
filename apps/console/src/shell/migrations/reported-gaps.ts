import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Gaps as their services report them, and what came of each acknowledgement. A gap has one row, and any number of acknowledgements. */
export class ReportedGaps1764600000891 implements MigrationInterface {
  name = 'ReportedGaps1764600000891';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE reported_gaps (
        gap_id uuid PRIMARY KEY,
        service text NOT NULL,
        topic text NOT NULL,
        topic_id text NOT NULL,
        partition int NOT NULL,
        from_offset bigint NOT NULL,
        to_offset bigint,
        reason text NOT NULL,
        noticed_at timestamptz NOT NULL,
        reported_at timestamptz NOT NULL
      )`);
    await db.query(`
      CREATE TABLE acknowledgement_ends (
        gap_id uuid NOT NULL,
        acknowledged_at timestamptz NOT NULL,
        outcome text NOT NULL,
        at timestamptz NOT NULL,
        PRIMARY KEY (gap_id, acknowledged_at)
      )`);
    await db.query('CREATE INDEX reported_gaps_noticed ON reported_gaps (noticed_at, gap_id)');
    await db.query('ALTER TABLE acknowledged_gaps RENAME COLUMN word_id TO gap_id');
    await db.query('ALTER TABLE acknowledged_gaps DROP CONSTRAINT acknowledged_gaps_pkey');
    await db.query('ALTER TABLE acknowledged_gaps ADD PRIMARY KEY (gap_id, at)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DELETE FROM acknowledged_gaps a USING acknowledged_gaps b WHERE a.gap_id = b.gap_id AND a.at > b.at`);
    await db.query('ALTER TABLE acknowledged_gaps DROP CONSTRAINT acknowledged_gaps_pkey');
    await db.query('ALTER TABLE acknowledged_gaps ADD PRIMARY KEY (gap_id)');
    await db.query('ALTER TABLE acknowledged_gaps RENAME COLUMN gap_id TO word_id');
    await db.query('DROP TABLE acknowledgement_ends');
    await db.query('DROP TABLE reported_gaps');
  }
}
