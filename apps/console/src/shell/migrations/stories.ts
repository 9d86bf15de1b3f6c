import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Stories and their names; the place and the bytes of each event, so that a reader can have it proved; the checkpoints that were seen. */
export class Stories1764500000173 implements MigrationInterface {
  name = 'Stories1764500000173';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE stories (
        proposal_id uuid PRIMARY KEY,
        action_id uuid NOT NULL,
        correlation_id text NOT NULL,
        task_id uuid NOT NULL,
        run_id uuid NOT NULL,
        agent text NOT NULL,
        play_id text NOT NULL,
        play_title text NOT NULL,
        kind text,
        account_id text,
        account_name text,
        sentence text,
        outcome text NOT NULL,
        reason text,
        rank smallint NOT NULL,
        started_at timestamptz NOT NULL,
        changed_at timestamptz NOT NULL
      )`);
    await db.query('CREATE INDEX stories_started ON stories (started_at, proposal_id)');
    await db.query('CREATE INDEX stories_outcome ON stories (outcome, started_at, proposal_id)');
    await db.query('CREATE INDEX stories_play ON stories (play_id, started_at, proposal_id)');
    await db.query(
      'CREATE INDEX stories_account ON stories (account_id, started_at, proposal_id) WHERE account_id IS NOT NULL',
    );
    await db.query('CREATE INDEX stories_action ON stories (action_id)');
    // The order by bytes also serves a search by first characters.
    await db.query('CREATE TABLE story_names (name text NOT NULL, proposal_id uuid NOT NULL)');
    await db.query('CREATE UNIQUE INDEX story_names_name ON story_names (name text_pattern_ops, proposal_id)');
    await db.query('CREATE INDEX story_names_story ON story_names (proposal_id)');
    await db.query(
      'ALTER TABLE activities ADD COLUMN partition int, ADD COLUMN "offset" bigint, ADD COLUMN bytes bytea',
    );
    await db.query('DROP INDEX activities_correlation, activities_subject');
    await db.query('CREATE INDEX activities_correlation ON activities (correlation_id text_pattern_ops, at)');
    await db.query(
      'CREATE INDEX activities_subject ON activities (subject_id text_pattern_ops) WHERE subject_id IS NOT NULL',
    );
    await db.query('CREATE INDEX activities_event ON activities (event_id text_pattern_ops)');
    // There must never be two checkpoints of one size with different roots. If there are, both are kept.
    await db.query(`
      CREATE TABLE checkpoints (
        size bigint NOT NULL,
        root text NOT NULL,
        origin text NOT NULL,
        note text NOT NULL,
        at timestamptz NOT NULL,
        seen_at timestamptz NOT NULL,
        PRIMARY KEY (size, root)
      )`);
    await db.query('CREATE INDEX checkpoints_seen ON checkpoints (seen_at)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE checkpoints, story_names, stories');
    await db.query('DROP INDEX activities_correlation, activities_subject, activities_event');
    await db.query('ALTER TABLE activities DROP COLUMN partition, DROP COLUMN "offset", DROP COLUMN bytes');
    await db.query('CREATE INDEX activities_correlation ON activities (correlation_id, at)');
    await db.query('CREATE INDEX activities_subject ON activities (subject_id) WHERE subject_id IS NOT NULL');
  }
}
