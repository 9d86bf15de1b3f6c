import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The data of the page Now: steps of the last hour, when each topic was last heard, tasks without an answer, approvals. */
export class NowFigures1764500000111 implements MigrationInterface {
  name = 'NowFigures1764500000111';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE recent_steps (
        slot timestamptz NOT NULL,
        stage text NOT NULL,
        label text NOT NULL,
        n bigint NOT NULL,
        PRIMARY KEY (slot, stage, label)
      )`);
    await db.query('CREATE TABLE topics_heard (topic text PRIMARY KEY, at timestamptz NOT NULL)');
    await db.query(`
      CREATE TABLE pending_tasks (
        task_id uuid PRIMARY KEY,
        agent text,
        play text,
        purpose text,
        kinds text[],
        accounts text[],
        assigned_at timestamptz,
        due_at timestamptz,
        answered_at timestamptz,
        answered_by text,
        kept_at timestamptz NOT NULL
      )`);
    await db.query('CREATE INDEX pending_tasks_due ON pending_tasks (due_at) WHERE answered_at IS NULL');
    await db.query('CREATE INDEX pending_tasks_kept ON pending_tasks (kept_at)');
    await db.query(`
      CREATE TABLE approvals (
        action_id uuid PRIMARY KEY,
        proposal_id uuid NOT NULL,
        permit_id uuid NOT NULL,
        executor text NOT NULL,
        agent text NOT NULL,
        play text NOT NULL,
        kind text NOT NULL,
        accounts text[] NOT NULL,
        detail text NOT NULL,
        not_before timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        approved_at timestamptz NOT NULL,
        day text,
        ad_account_id text,
        campaign_id text,
        amount_minor bigint,
        currency text
      )`);
    await db.query('CREATE INDEX approvals_day ON approvals (day) WHERE day IS NOT NULL');
    await db.query('CREATE INDEX approvals_expiry ON approvals (expires_at)');
    await db.query('ALTER TABLE settlements ADD COLUMN spent_minor bigint');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE settlements DROP COLUMN spent_minor');
    await db.query('DROP TABLE recent_steps, topics_heard, pending_tasks, approvals');
  }
}
