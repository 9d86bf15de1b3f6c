import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a dry run was judged under, and which consents changed last. */
export class TriedAsItIs1764600000801 implements MigrationInterface {
  name = 'TriedAsItIs1764600000801';

  async up(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE dry_runs ADD COLUMN policy jsonb, ADD COLUMN running_totals jsonb');
    await db.query('CREATE INDEX person_consents_changed ON person_consents (changed_at)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX person_consents_changed');
    await db.query('ALTER TABLE dry_runs DROP COLUMN policy, DROP COLUMN running_totals');
  }
}
