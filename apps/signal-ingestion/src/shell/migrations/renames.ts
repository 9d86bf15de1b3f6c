import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The index that finds the job that gives an account's name to its contacts, among the jobs of thousands of accounts. */
export class RenamesByAccount1763700000005 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`CREATE INDEX jobs_rename_account ON jobs ((payload->>'accountId')) WHERE kind = 'rename-account'`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX jobs_rename_account');
  }
}
