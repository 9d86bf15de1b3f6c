import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Permits that ended unresolved, people's decisions on them, and the permit that each settlement belongs to. */
export class UnresolvedPermits1763700000037 implements MigrationInterface {
  name = 'UnresolvedPermits1763700000037';

  async up(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE settlements ADD COLUMN permit_id uuid');
    await db.query('CREATE INDEX settlements_permit ON settlements (permit_id) WHERE permit_id IS NOT NULL');
    await db.query(`
      CREATE TABLE unresolved_permits (
        permit_id uuid PRIMARY KEY,
        action_id uuid NOT NULL,
        proposal_id uuid NOT NULL,
        digest text NOT NULL,
        executor text NOT NULL,
        connector text NOT NULL,
        action_key text NOT NULL,
        correlation_id text NOT NULL,
        traceparent text,
        says text,
        at timestamptz NOT NULL
      )`);
    await db.query(`
      CREATE TABLE settlement_decisions (
        permit_id uuid PRIMARY KEY,
        decision_id uuid NOT NULL,
        outcome text NOT NULL CHECK (outcome IN ('executed', 'failed')),
        by_person text NOT NULL,
        note text NOT NULL,
        decided_at timestamptz NOT NULL
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE unresolved_permits, settlement_decisions');
    await db.query('ALTER TABLE settlements DROP COLUMN permit_id');
  }
}
