import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Indexes for the stories of an agent that has few, and for the few reviews that an edit replaced: both were searched among all rows. */
export class PageReads1764500000791 implements MigrationInterface {
  name = 'PageReads1764500000791';

  async up(db: QueryRunner): Promise<void> {
    await db.query('CREATE INDEX stories_agent ON stories (agent, started_at, proposal_id)');
    await db.query('CREATE INDEX verdicts_superseded ON verdicts (action_id) WHERE superseded_by IS NOT NULL');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX stories_agent, verdicts_superseded');
  }
}
