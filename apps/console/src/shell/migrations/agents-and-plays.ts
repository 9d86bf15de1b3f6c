import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Figures of agents by day, their proposals, the runs of plays, and the policies that were published. All of these from now on. */
export class AgentsAndPlays1764500000144 implements MigrationInterface {
  name = 'AgentsAndPlays1764500000144';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE agent_counts (
        agent text NOT NULL,
        day date NOT NULL,
        stage text NOT NULL,
        label text NOT NULL,
        n bigint NOT NULL,
        PRIMARY KEY (agent, day, stage, label)
      )`);
    // One row: earlier events are only in the record.
    await db.query('CREATE TABLE agent_counts_begun (begun_at timestamptz NOT NULL)');
    await db.query('INSERT INTO agent_counts_begun VALUES (now())');
    await db.query(`
      CREATE TABLE agent_actions (
        proposal_id uuid PRIMARY KEY,
        agent text NOT NULL,
        play_id text NOT NULL,
        run_id uuid NOT NULL,
        action_id uuid NOT NULL,
        kind text NOT NULL,
        detail text NOT NULL,
        correlation_id text NOT NULL,
        proposed_at timestamptz NOT NULL,
        kept_at timestamptz NOT NULL
      )`);
    await db.query('CREATE INDEX agent_actions_agent ON agent_actions (agent, proposed_at, proposal_id)');
    await db.query('CREATE INDEX agent_actions_run ON agent_actions (run_id, proposed_at)');
    await db.query(`
      CREATE TABLE play_runs (
        run_id uuid PRIMARY KEY,
        play_id text NOT NULL,
        account_id text,
        ad_account_id text,
        campaign_id text,
        correlation_id text NOT NULL,
        started_at timestamptz NOT NULL,
        checkpoint_id uuid,
        deadline_at timestamptz,
        kept_at timestamptz NOT NULL
      )`);
    await db.query('CREATE INDEX play_runs_play ON play_runs (play_id, started_at, run_id)');
    await db.query(`
      CREATE TABLE play_tasks (
        task_id uuid PRIMARY KEY,
        run_id uuid NOT NULL,
        agent text NOT NULL,
        purpose text NOT NULL,
        assigned_at timestamptz NOT NULL,
        due_at timestamptz NOT NULL,
        kept_at timestamptz NOT NULL
      )`);
    await db.query('CREATE INDEX play_tasks_run ON play_tasks (run_id)');
    await db.query(`
      CREATE TABLE task_answers (
        task_id uuid NOT NULL,
        agent text NOT NULL,
        outcome text NOT NULL CHECK (outcome IN ('proposed', 'declined')),
        reason text NOT NULL,
        proposals int NOT NULL,
        answered_at timestamptz NOT NULL,
        kept_at timestamptz NOT NULL,
        PRIMARY KEY (task_id, agent)
      )`);
    for (const table of ['agent_actions', 'play_runs', 'play_tasks', 'task_answers'])
      await db.query(`CREATE INDEX ${table}_kept ON ${table} (kept_at)`);
    await db.query(`
      CREATE TABLE policy_versions (
        version bigint PRIMARY KEY,
        digest text NOT NULL,
        content json NOT NULL,
        by_person text NOT NULL,
        published_at timestamptz NOT NULL
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(
      'DROP TABLE agent_counts, agent_counts_begun, agent_actions, play_runs, play_tasks, task_answers, policy_versions',
    );
  }
}
