import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the state topics say of accounts and contacts, and which actions name a contact. */
export class People1764500000073 implements MigrationInterface {
  name = 'People1764500000073';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE accounts (
        account_id text PRIMARY KEY,
        name text,
        tier int,
        industry text,
        country text,
        version bigint NOT NULL
      )`);
    await db.query('CREATE INDEX accounts_name ON accounts (lower(name) text_pattern_ops)');
    await db.query(`
      CREATE TABLE people (
        contact_id uuid PRIMARY KEY,
        account_id text,
        seniority text NOT NULL,
        job_function text,
        country text,
        time_zone text,
        reachable jsonb NOT NULL,
        first_touched_at timestamptz,
        last_engaged_at timestamptz,
        signals bigint NOT NULL,
        joined_into uuid,
        version bigint NOT NULL,
        changed_at timestamptz NOT NULL
      )`);
    await db.query('CREATE INDEX people_account ON people (account_id, changed_at, contact_id)');
    await db.query('CREATE INDEX people_changed ON people (changed_at, contact_id)');
    await db.query(`
      CREATE TABLE person_consents (
        contact_id uuid PRIMARY KEY,
        entries jsonb NOT NULL,
        suppressions jsonb NOT NULL,
        version bigint NOT NULL,
        changed_at timestamptz NOT NULL
      )`);
    await db.query(`
      CREATE TABLE person_actions (
        contact_id uuid NOT NULL,
        action_id uuid NOT NULL,
        proposal_id uuid NOT NULL,
        agent text NOT NULL,
        play_title text NOT NULL,
        kind text NOT NULL,
        detail text NOT NULL,
        at timestamptz NOT NULL,
        PRIMARY KEY (contact_id, action_id)
      )`);
    await db.query('CREATE INDEX person_actions_at ON person_actions (contact_id, at, action_id)');
    await db.query('CREATE INDEX person_actions_proposal ON person_actions (proposal_id)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE accounts, people, person_consents, person_actions');
  }
}
