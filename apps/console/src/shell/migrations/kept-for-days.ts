import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Indexes that find rows older than their retention: figures of agents, and the actions that name a person. */
export class KeptForDays1764500000233 implements MigrationInterface {
  name = 'KeptForDays1764500000233';

  async up(db: QueryRunner): Promise<void> {
    await db.query('CREATE INDEX agent_counts_day ON agent_counts (day)');
    await db.query('CREATE INDEX agent_tokens_day ON agent_tokens (day)');
    await db.query('CREATE INDEX person_actions_kept ON person_actions (at)');
  }

  async down(db: QueryRunner): Promise<void> {
    for (const index of ['agent_counts_day', 'agent_tokens_day', 'person_actions_kept'])
      await db.query(`DROP INDEX ${index}`);
  }
}
