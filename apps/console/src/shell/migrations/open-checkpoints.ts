import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Finds the runs that may wait at a checkpoint, which are few among all runs. */
export class OpenCheckpoints1764600000831 implements MigrationInterface {
  name = 'OpenCheckpoints1764600000831';

  async up(db: QueryRunner): Promise<void> {
    await db.query('CREATE INDEX play_runs_checkpoint ON play_runs (deadline_at) WHERE checkpoint_id IS NOT NULL');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX play_runs_checkpoint');
  }
}
