import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A settlement counts only from the executor that its permit names. Settlements in `proposals` were stored before the permits were read.
 * Such a settlement stands until its permit names another executor, and a settlement that is stored here replaces it.
 */
export class Permits1764300000063 implements MigrationInterface {
  name = 'Permits1764300000063';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE permits (
        proposal_id uuid PRIMARY KEY,
        permit_id uuid NOT NULL,
        executor text NOT NULL,
        digest text NOT NULL
      )`);
    await db.query(`
      CREATE TABLE settlements (
        permit_id uuid NOT NULL,
        executor text NOT NULL,
        digest text NOT NULL,
        outcome text NOT NULL,
        settled_at timestamptz NOT NULL,
        reason text,
        reference text,
        PRIMARY KEY (permit_id, executor, digest)
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE settlements, permits');
  }
}
