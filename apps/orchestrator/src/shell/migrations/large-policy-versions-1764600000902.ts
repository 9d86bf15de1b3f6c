import type { MigrationInterface, QueryRunner } from 'typeorm';

/** After a repair, a version can be the number of microseconds since 1970. An integer of 32 bits does not hold it. */
export class LargePolicyVersions1764600000902 implements MigrationInterface {
  name = 'LargePolicyVersions1764600000902';

  async up(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE runs ALTER COLUMN policy_version TYPE bigint');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE runs ALTER COLUMN policy_version TYPE int');
  }
}
