import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Indexes for the orders of the pages: a page reads as many rows as it shows, however many there are. */
export class PageOrders1764300000060 implements MigrationInterface {
  name = 'PageOrders1764300000060';

  async up(db: QueryRunner): Promise<void> {
    await db.query('CREATE INDEX runs_of_play ON runs (play_id, at DESC, run_id)');
    await db.query('CREATE INDEX runs_in_state ON runs (state, at DESC, run_id)');
    await db.query('CREATE INDEX tasks_by_time ON tasks (assigned_at DESC, task_id)');
    await db.query('CREATE INDEX tasks_overdue ON tasks (assigned_at DESC, task_id) WHERE overdue_at IS NOT NULL');
  }

  async down(db: QueryRunner): Promise<void> {
    for (const index of ['runs_of_play', 'runs_in_state', 'tasks_by_time', 'tasks_overdue'])
      await db.query(`DROP INDEX ${index}`);
  }
}
