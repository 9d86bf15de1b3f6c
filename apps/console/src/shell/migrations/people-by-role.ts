import type { MigrationInterface, QueryRunner } from 'typeorm';

/** People are found by their role, the latest change first. */
export class PeopleByRole1764600000941 implements MigrationInterface {
  name = 'PeopleByRole1764600000941';

  async up(db: QueryRunner): Promise<void> {
    await db.query('CREATE INDEX people_seniority ON people (seniority, changed_at, contact_id)');
    await db.query(
      'CREATE INDEX people_role ON people (seniority, lower(btrim(job_function)), changed_at, contact_id)',
    );
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX people_seniority, people_role');
  }
}
