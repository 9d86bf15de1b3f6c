import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who asked to read the whole record, and the results of people's audits and probes, with the progress of those that still run. */
export class RecordPasses1764600000782 implements MigrationInterface {
  name = 'RecordPasses1764600000782';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE record_passes (
        pass_id uuid PRIMARY KEY,
        used_for text NOT NULL,
        purpose text NOT NULL,
        by_person text NOT NULL,
        asked_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL
      )`);
    await db.query('CREATE INDEX record_passes_asked ON record_passes (asked_at, pass_id)');
    await db.query(`
      CREATE TABLE inspections (
        inspection_id uuid PRIMARY KEY,
        kind text NOT NULL,
        by_person text NOT NULL,
        started_at timestamptz NOT NULL,
        heard_at timestamptz NOT NULL,
        step text,
        done bigint,
        total bigint,
        ended_at timestamptz,
        outcome text,
        checks jsonb
      )`);
    await db.query('CREATE INDEX inspections_open ON inspections (kind, started_at) WHERE ended_at IS NULL');
    await db.query('CREATE INDEX inspections_ended ON inspections (kind, ended_at) WHERE ended_at IS NOT NULL');
    await db.query('CREATE INDEX inspections_heard ON inspections (heard_at)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE record_passes, inspections');
  }
}
