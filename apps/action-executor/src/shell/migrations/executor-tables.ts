import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The single-use rows of permits. */
export class Permits1763700000001 implements MigrationInterface {
  name = 'Permits1763700000001';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE permits (
        permit_id uuid PRIMARY KEY,
        job_id text NOT NULL,
        action_id uuid NOT NULL,
        proposal_id uuid NOT NULL,
        connector text NOT NULL,
        turns int NOT NULL,
        spent_at timestamptz,
        called_at timestamptz,
        outcome text CHECK (outcome IN ('executed', 'failed', 'refused', 'expired', 'unresolved')),
        reason jsonb,
        external_reference text,
        before jsonb,
        after jsonb,
        ended_at timestamptz,
        CHECK ((outcome IS NULL) = (ended_at IS NULL)),
        CHECK (spent_at IS NOT NULL OR outcome IN ('refused', 'expired'))
      )`);
    await db.query(`CREATE INDEX permits_open ON permits (spent_at) WHERE outcome IS NULL OR outcome = 'unresolved'`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE permits');
  }
}

/** What the sandbox systems stored while they were part of this app. */
export class Sandboxes1763700000002 implements MigrationInterface {
  name = 'Sandboxes1763700000002';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE sandbox_answers (
        system text NOT NULL,
        key text NOT NULL,
        outcome text CHECK (outcome IN ('done', 'rejected')),
        external_reference text,
        before jsonb,
        after jsonb,
        reason jsonb,
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (system, key)
      )`);
    await db.query(`
      CREATE TABLE sandbox_campaigns (
        campaign_id text PRIMARY KEY,
        ad_account_id text NOT NULL,
        status text NOT NULL CHECK (status IN ('active', 'paused')),
        daily_budget_minor bigint NOT NULL CHECK (daily_budget_minor >= 0),
        bid_minor bigint NOT NULL CHECK (bid_minor >= 0),
        currency text NOT NULL,
        creatives jsonb NOT NULL
      )`);
    await db.query(`
      CREATE TABLE sandbox_messages (
        message_id uuid PRIMARY KEY,
        contact_id uuid NOT NULL,
        to_masked text NOT NULL,
        template text NOT NULL,
        subject text NOT NULL,
        body text NOT NULL,
        sent_at timestamptz NOT NULL DEFAULT clock_timestamp()
      )`);
    await db.query(`
      CREATE TABLE sandbox_tasks (
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
      CREATE TABLE sandbox_enrolments (
        contact_id uuid NOT NULL,
        sequence_id text NOT NULL,
        status text NOT NULL CHECK (status IN ('active', 'stopped')),
        enrolment_id uuid NOT NULL,
        changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (contact_id, sequence_id)
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(
      'DROP TABLE sandbox_answers, sandbox_campaigns, sandbox_messages, sandbox_tasks, sandbox_enrolments',
    );
  }
}

/**
 * The amount that the connected system reports as spent. It is settled again with the same amount, whatever happens between the end and
 * its settlement.
 */
export class SpentMinor1763700000003 implements MigrationInterface {
  name = 'SpentMinor1763700000003';

  async up(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE permits ADD COLUMN spent_minor bigint CHECK (spent_minor > 0)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE permits DROP COLUMN spent_minor');
  }
}

/**
 * Turns in which no call was sent. The connected system is not asked about a call that was never sent, and the permit's end does not
 * claim calls that were not made.
 */
export class UnsentTurns1764300000001 implements MigrationInterface {
  name = 'UnsentTurns1764300000001';

  async up(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE permits ADD COLUMN unsent int NOT NULL DEFAULT 0');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE permits DROP COLUMN unsent');
  }
}

/** The sandbox systems are a separate app now. The data that they stored here was for a demonstration, so they start empty. */
export class SandboxesElsewhere1764400000001 implements MigrationInterface {
  name = 'SandboxesElsewhere1764400000001';

  async up(db: QueryRunner): Promise<void> {
    await db.query(
      'DROP TABLE sandbox_answers, sandbox_campaigns, sandbox_messages, sandbox_tasks, sandbox_enrolments',
    );
  }

  async down(db: QueryRunner): Promise<void> {
    await new Sandboxes1763700000002().up(db);
  }
}
