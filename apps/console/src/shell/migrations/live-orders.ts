import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Indexes for the latest answer and the latest replay, which are read once a second. */
export class LiveOrders1764500000092 implements MigrationInterface {
  name = 'LiveOrders1764500000092';

  async up(db: QueryRunner): Promise<void> {
    await db.query('CREATE INDEX reviews_at ON reviews (decided_at)');
    await db.query('CREATE INDEX replays_at ON replays (replayed_at)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX reviews_at, replays_at');
  }
}
