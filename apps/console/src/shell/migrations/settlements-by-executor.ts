import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A settlement counts only from the executor that its approval names; the settlement of another executor is kept beside it. */
export class SettlementsByExecutor1763700000009 implements MigrationInterface {
  name = 'SettlementsByExecutor1763700000009';

  async up(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE verdicts ADD COLUMN executor text');
    await db.query('ALTER TABLE settlements DROP CONSTRAINT settlements_pkey, ADD PRIMARY KEY (action_id, executor)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE settlements DROP CONSTRAINT settlements_pkey, ADD PRIMARY KEY (action_id)');
    await db.query('ALTER TABLE verdicts DROP COLUMN executor');
  }
}
