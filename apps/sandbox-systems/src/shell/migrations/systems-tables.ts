import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the three systems hold, and their answers by key. */
export class SandboxSystems1764400000001 implements MigrationInterface {
  name = 'SandboxSystems1764400000001';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE answers (
        system text NOT NULL,
        key text NOT NULL,
        outcome text CHECK (outcome IN ('done', 'rejected')),
        reference text,
        before jsonb,
        after jsonb,
        reason jsonb,
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (system, key)
      )`);
    await db.query(`
      CREATE TABLE campaigns (
        campaign_id text PRIMARY KEY,
        ad_account_id text NOT NULL,
        status text NOT NULL CHECK (status IN ('active', 'paused')),
        daily_budget_minor bigint NOT NULL CHECK (daily_budget_minor >= 0),
        bid_minor bigint NOT NULL CHECK (bid_minor >= 0),
        currency text NOT NULL,
        creatives jsonb NOT NULL
      )`);
    await db.query(`
      CREATE TABLE messages (
        message_id uuid PRIMARY KEY,
        contact_id uuid NOT NULL,
        to_masked text NOT NULL,
        template text NOT NULL,
        subject text NOT NULL,
        body text NOT NULL,
        sent_at timestamptz NOT NULL DEFAULT clock_timestamp()
      )`);
    await db.query(`
      CREATE TABLE tasks (
        task_id uuid PRIMARY KEY,
        account_id text,
        contact_id uuid,
        owner_id text,
        title text NOT NULL,
        note text NOT NULL,
        due_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp()
      )`);
    await db.query(`
      CREATE TABLE enrolments (
        contact_id uuid NOT NULL,
        sequence_id text NOT NULL,
        status text NOT NULL CHECK (status IN ('active', 'stopped')),
        enrolment_id text NOT NULL,
        changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (contact_id, sequence_id)
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE answers, campaigns, messages, tasks, enrolments');
  }
}
