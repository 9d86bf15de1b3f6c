import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The trace of the chain that waits for an answer, so that the answer's own trace can be linked to it. */
export class EscalationTraces1763700000018 implements MigrationInterface {
  name = 'EscalationTraces1763700000018';

  async up(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE escalations ADD COLUMN traceparent text');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE escalations DROP COLUMN traceparent');
  }
}
