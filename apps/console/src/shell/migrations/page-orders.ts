import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Indexes for the orders of the pages that had none. */
export class PageOrders1764300000063 implements MigrationInterface {
  name = 'PageOrders1764300000063';

  async up(db: QueryRunner): Promise<void> {
    await db.query('CREATE INDEX failures_of_service ON failures (service, at)');
    await db.query('CREATE INDEX unresolved_permits_at ON unresolved_permits (at)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX failures_of_service, unresolved_permits_at');
  }
}
