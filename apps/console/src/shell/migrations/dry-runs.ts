import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Verdicts on edits that people are still writing; kept for minutes. */
export class DryRuns1764500000191 implements MigrationInterface {
  name = 'DryRuns1764500000191';

  async up(db: QueryRunner): Promise<void> {
    await db.query(
      'CREATE TABLE dry_runs (dry_run_id uuid PRIMARY KEY, outcome text, reasons jsonb, judged_at timestamptz, asked_at timestamptz NOT NULL)',
    );
    await db.query('CREATE INDEX dry_runs_asked ON dry_runs (asked_at)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE dry_runs');
  }
}
