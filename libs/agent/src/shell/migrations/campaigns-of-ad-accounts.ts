import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Finds the campaigns of an ad account. The index has only the key, which no change of a row touches. So a changed row stays on its
 * page of the table.
 */
export class CampaignsOfAdAccounts1763700000010 implements MigrationInterface {
  readonly name = 'CampaignsOfAdAccounts1763700000010';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE INDEX state_rows_campaigns ON state_rows (key text_pattern_ops)
       WHERE topic = 'profiles.v1' AND key LIKE 'campaign:%'`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX state_rows_campaigns');
  }
}
