import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How many tokens the agents' models used, by day, from now on: earlier events did not say. */
export class AgentTokens1764500000232 implements MigrationInterface {
  name = 'AgentTokens1764500000232';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE agent_tokens (
        agent text NOT NULL,
        day date NOT NULL,
        model text NOT NULL,
        proposals bigint NOT NULL,
        calls bigint NOT NULL,
        unknown_calls bigint NOT NULL,
        input_tokens bigint NOT NULL,
        output_tokens bigint NOT NULL,
        PRIMARY KEY (agent, day, model)
      )`);
    await db.query('CREATE TABLE agent_tokens_begun (begun_at timestamptz NOT NULL)');
    await db.query('INSERT INTO agent_tokens_begun VALUES (now())');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE agent_tokens, agent_tokens_begun');
  }
}
