import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Projection1763700000008 implements MigrationInterface {
  name = 'Projection1763700000008';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE counts (stage text NOT NULL, label text NOT NULL, n bigint NOT NULL, PRIMARY KEY (stage, label))`);
    await db.query(`
      CREATE TABLE activities (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        correlation_id text NOT NULL,
        topic text NOT NULL,
        event_id text NOT NULL,
        type text NOT NULL,
        subject_id text,
        says text NOT NULL,
        at timestamptz NOT NULL
      )`);
    await db.query(`CREATE INDEX activities_correlation ON activities (correlation_id, at)`);
    await db.query(`CREATE INDEX activities_subject ON activities (subject_id) WHERE subject_id IS NOT NULL`);
    await db.query(`
      CREATE TABLE escalations (
        action_id uuid PRIMARY KEY,
        subject_kind text NOT NULL CHECK (subject_kind IN ('proposal', 'checkpoint')),
        subject_id uuid NOT NULL,
        run_id uuid NOT NULL,
        action_key text NOT NULL,
        digest text NOT NULL,
        correlation_id text NOT NULL,
        card json NOT NULL,
        deadline_at timestamptz NOT NULL,
        escalated_at timestamptz NOT NULL
      )`);
    await db.query(`CREATE INDEX escalations_subject ON escalations (subject_id, escalated_at DESC)`);
    await db.query(`CREATE INDEX escalations_deadline ON escalations (deadline_at)`);
    await db.query(`CREATE INDEX escalations_at ON escalations (escalated_at)`);
    await db.query(`
      CREATE TABLE verdicts (
        action_id uuid PRIMARY KEY,
        outcome text NOT NULL CHECK (outcome IN ('approved', 'refused')),
        review_id uuid,
        superseded_by uuid,
        reasons jsonb NOT NULL,
        not_before timestamptz,
        decided_at timestamptz NOT NULL
      )`);
    await db.query(`CREATE INDEX verdicts_review ON verdicts (review_id) WHERE review_id IS NOT NULL`);
    await db.query(`
      CREATE TABLE settlements (
        action_id uuid PRIMARY KEY,
        outcome text NOT NULL,
        executor text NOT NULL,
        says text,
        external_reference text,
        settled_at timestamptz NOT NULL
      )`);
    await db.query(`CREATE TABLE assigned_runs (run_id uuid PRIMARY KEY, assigned_at timestamptz NOT NULL)`);
    await db.query(`
      CREATE TABLE reviews (
        review_id uuid PRIMARY KEY,
        subject_kind text NOT NULL,
        subject_id uuid NOT NULL,
        digest text NOT NULL,
        decision text NOT NULL CHECK (decision IN ('approve', 'edit', 'reject')),
        by_person text NOT NULL,
        note text,
        request_digest text,
        decided_at timestamptz NOT NULL
      )`);
    await db.query(`CREATE INDEX reviews_subject ON reviews (subject_id, decided_at)`);
    await db.query(`
      CREATE TABLE set_asides (review_id uuid PRIMARY KEY, why jsonb NOT NULL, at timestamptz NOT NULL)`);
    await db.query(`
      CREATE TABLE failures (
        dead_letter_id uuid PRIMARY KEY,
        service text NOT NULL,
        topic text NOT NULL,
        partition int NOT NULL,
        "offset" text NOT NULL,
        type text,
        fault jsonb NOT NULL,
        attempts int NOT NULL,
        at timestamptz NOT NULL
      )`);
    await db.query(`CREATE INDEX failures_at ON failures (at)`);
    await db.query(`
      CREATE TABLE replays (dead_letter_id uuid PRIMARY KEY, by_person text NOT NULL, replayed_at timestamptz NOT NULL)`);
    await db.query(`
      CREATE TABLE controls (
        scope text PRIMARY KEY,
        state text NOT NULL CHECK (state IN ('stopped', 'running')),
        by_person text NOT NULL,
        reason text NOT NULL,
        version bigint NOT NULL,
        changed_at timestamptz NOT NULL
      )`);
    await db.query(`
      CREATE TABLE policies (
        version bigint PRIMARY KEY,
        digest text NOT NULL,
        parts json NOT NULL,
        content json NOT NULL,
        by_person text NOT NULL,
        published_at timestamptz NOT NULL
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(
      `DROP TABLE counts, activities, escalations, verdicts, settlements, assigned_runs, reviews, set_asides, failures, replays, controls, policies`,
    );
  }
}
