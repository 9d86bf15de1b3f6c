import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Facts in which patterns are found, and the results. */
export class PlayRuns1763700000001 implements MigrationInterface {
  name = 'PlayRuns1763700000001';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE signals (
        source text NOT NULL,
        signal_id text NOT NULL,
        type text NOT NULL,
        account_id text NOT NULL,
        contact_id uuid NOT NULL,
        occurred_at timestamptz NOT NULL,
        received_at timestamptz NOT NULL,
        facts jsonb NOT NULL,
        PRIMARY KEY (source, signal_id)
      )`);
    await db.query('CREATE INDEX signals_of_account ON signals (account_id, type, occurred_at)');
    await db.query('CREATE INDEX signals_received_at ON signals (received_at)');
    await db.query(`
      CREATE TABLE day_reports (
        ad_account_id text NOT NULL,
        campaign_id text NOT NULL,
        day text NOT NULL,
        spend_minor bigint NOT NULL,
        revenue_minor bigint NOT NULL,
        currency text NOT NULL,
        status text,
        return_floor_percent int,
        source text NOT NULL,
        signal_id text NOT NULL,
        occurred_at timestamptz NOT NULL,
        received_at timestamptz NOT NULL,
        PRIMARY KEY (ad_account_id, campaign_id, day)
      )`);
    await db.query(`
      CREATE TABLE play_subjects (
        play_id text NOT NULL,
        subject text NOT NULL,
        runs int NOT NULL DEFAULT 0,
        last_started_at timestamptz,
        PRIMARY KEY (play_id, subject)
      )`);
    await db.query(`
      CREATE TABLE runs (
        run_id uuid PRIMARY KEY,
        play_id text NOT NULL,
        title text NOT NULL,
        subject jsonb NOT NULL,
        ordinal int NOT NULL,
        state text NOT NULL CHECK (state IN ('started', 'waiting', 'rejected', 'expired', 'suppressed')),
        reason text NOT NULL,
        evidence jsonb NOT NULL,
        trigger jsonb NOT NULL,
        policy_version int NOT NULL,
        at timestamptz NOT NULL
      )`);
    await db.query('CREATE INDEX runs_at ON runs (at)');
    await db.query(`
      CREATE TABLE tasks (
        task_id uuid PRIMARY KEY,
        run_id uuid NOT NULL REFERENCES runs,
        agent text NOT NULL,
        purpose text NOT NULL,
        state text NOT NULL DEFAULT 'assigned' CHECK (state IN ('assigned', 'proposed', 'declined')),
        reason text,
        assigned_at timestamptz NOT NULL,
        due_at timestamptz NOT NULL,
        settled_at timestamptz,
        overdue_at timestamptz
      )`);
    await db.query('CREATE INDEX tasks_of_run ON tasks (run_id)');
    await db.query(`
      CREATE TABLE proposals (
        proposal_id uuid PRIMARY KEY,
        task_id uuid,
        refused_at timestamptz,
        refusal text,
        outcome text,
        executor text,
        settled_at timestamptz,
        reason text,
        reference text,
        reviewed_by text,
        review text,
        reviewed_at timestamptz
      )`);
    await db.query('CREATE INDEX proposals_of_task ON proposals (task_id)');
    await db.query(`
      CREATE TABLE checkpoints (
        checkpoint_id uuid PRIMARY KEY,
        run_id uuid NOT NULL UNIQUE REFERENCES runs,
        digest text NOT NULL,
        reviewers jsonb NOT NULL,
        tasks jsonb NOT NULL,
        deadline timestamptz NOT NULL,
        answer text CHECK (answer IN ('approved', 'rejected', 'expired')),
        answered_by text,
        answered_at timestamptz
      )`);
    await db.query(`
      CREATE TABLE checkpoint_answers (
        review_id uuid PRIMARY KEY,
        checkpoint_id uuid NOT NULL,
        by text NOT NULL,
        decision text NOT NULL,
        outcome text NOT NULL,
        why text,
        at timestamptz NOT NULL
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(
      'DROP TABLE checkpoint_answers, checkpoints, proposals, tasks, runs, play_subjects, day_reports, signals',
    );
  }
}
