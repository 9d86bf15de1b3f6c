import { auditedTables, auditorRole } from '@countersign/contracts';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { ReadViews1764400000071 } from './read-views.js';

/** The runtime's own tables, the same in every service's schema. */
export class RuntimeTables1763600000000 implements MigrationInterface {
  name = 'RuntimeTables1763600000000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE inbox (
        topic text NOT NULL,
        source text NOT NULL,
        id text NOT NULL,
        sha256 text NOT NULL,
        partition int NOT NULL,
        "offset" bigint NOT NULL,
        status text NOT NULL DEFAULT 'done' CHECK (status IN ('done', 'dead', 'replayed')),
        at timestamptz NOT NULL,
        PRIMARY KEY (topic, source, id)
      )`);
    await db.query(`CREATE INDEX inbox_at ON inbox (topic, at)`);
    await db.query(`
      CREATE TABLE outputs (
        topic text NOT NULL,
        source text NOT NULL,
        id text NOT NULL,
        seq int NOT NULL,
        out_topic text NOT NULL,
        key text NOT NULL,
        headers text NOT NULL,
        value text NOT NULL,
        partition int NOT NULL,
        "offset" bigint NOT NULL,
        at timestamptz NOT NULL,
        PRIMARY KEY (topic, source, id, seq)
      )`);
    await db.query(`CREATE INDEX outputs_at ON outputs (topic, partition, "offset")`);
    await db.query(`
      CREATE TABLE jobs (
        kind text NOT NULL,
        id text NOT NULL,
        due_at timestamptz NOT NULL,
        lease_until timestamptz,
        claims int NOT NULL DEFAULT 0,
        payload jsonb NOT NULL,
        cause jsonb NOT NULL,
        result_at timestamptz,
        outputs jsonb,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (kind, id)
      )`);
    await db.query(`CREATE INDEX jobs_due ON jobs (kind, due_at)`);
    await db.query(`
      CREATE TABLE state_rows (
        topic text NOT NULL,
        key text NOT NULL,
        version bigint NOT NULL,
        data jsonb,
        read_at timestamptz NOT NULL,
        PRIMARY KEY (topic, key)
      )`);
    await db.query(`
      CREATE TABLE state_positions (
        topic text NOT NULL,
        partition int NOT NULL,
        next_offset bigint NOT NULL,
        PRIMARY KEY (topic, partition)
      )`);
    await db.query(`
      CREATE TABLE own_state (
        topic text NOT NULL,
        key text NOT NULL,
        version bigint NOT NULL,
        data jsonb,
        headers text,
        value text,
        changed_at timestamptz,
        PRIMARY KEY (topic, key)
      )`);
    await db.query(`
      CREATE TABLE dead_letters (
        dead_letter_id uuid PRIMARY KEY,
        topic text NOT NULL,
        partition int NOT NULL,
        "offset" bigint NOT NULL,
        source text,
        id text,
        type text,
        key text,
        headers jsonb NOT NULL,
        value bytea,
        fault jsonb NOT NULL,
        attempts int NOT NULL,
        status text NOT NULL DEFAULT 'dead' CHECK (status IN ('dead', 'replayed')),
        at timestamptz NOT NULL
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE inbox, outputs, jobs, state_rows, state_positions, own_state, dead_letters');
  }
}

/**
 * Positions up to which a service that stores every record has stored each partition. They replace an inbox row for each record.
 */
export class RecordPositions1763600000002 implements MigrationInterface {
  name = 'RecordPositions1763600000002';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE record_positions (
        topic text NOT NULL,
        partition int NOT NULL,
        next_offset bigint NOT NULL,
        PRIMARY KEY (topic, partition)
      )`);
    await db.query(`
      INSERT INTO record_positions
      SELECT topic, partition, max("offset") + 1 FROM inbox WHERE source = '~record' GROUP BY topic, partition`);
    await db.query(`DELETE FROM inbox WHERE source = '~record'`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      INSERT INTO inbox (topic, source, id, sha256, partition, "offset", at)
      SELECT topic, '~record', topic || '/' || partition || '/' || next_offset - 1, '', partition, next_offset - 1, now()
      FROM record_positions WHERE next_offset > 0`);
    await db.query('DROP TABLE record_positions');
  }
}

/** Rows that change often get free space on their page for the next version, so that no index has to change. */
export class RoomForVersions1763600000003 implements MigrationInterface {
  name = 'RoomForVersions1763600000003';

  async up(db: QueryRunner): Promise<void> {
    for (const table of ['own_state', 'state_rows', 'jobs'])
      await db.query(`ALTER TABLE ${table} SET (fillfactor = 50)`);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const table of ['own_state', 'state_rows', 'jobs']) await db.query(`ALTER TABLE ${table} RESET (fillfactor)`);
  }
}

/**
 * Texts of events are not compressed. They live for an hour, and compression cost the database more than the rest of its work on
 * them. Rows of up to a page stay in one piece. A job's payload does not, so a claim need not write the payload again.
 */
export class EventsAsTheyAre1763600000001 implements MigrationInterface {
  name = 'EventsAsTheyAre1763600000001';

  async up(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE outputs ALTER value SET STORAGE EXTERNAL');
    await db.query('ALTER TABLE outputs SET (toast_tuple_target = 8160)');
    await db.query('ALTER TABLE jobs ALTER payload SET STORAGE EXTERNAL, ALTER outputs SET STORAGE EXTERNAL');
    await db.query('ALTER TABLE own_state ALTER value SET STORAGE EXTERNAL, ALTER data SET STORAGE EXTERNAL');
    await db.query('ALTER TABLE state_rows ALTER data SET STORAGE EXTERNAL');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE outputs ALTER value SET STORAGE EXTENDED');
    await db.query('ALTER TABLE outputs RESET (toast_tuple_target)');
    await db.query('ALTER TABLE jobs ALTER payload SET STORAGE EXTENDED, ALTER outputs SET STORAGE EXTENDED');
    await db.query('ALTER TABLE own_state ALTER value SET STORAGE EXTENDED, ALTER data SET STORAGE EXTENDED');
    await db.query('ALTER TABLE state_rows ALTER data SET STORAGE EXTENDED');
  }
}

/** How often a job failed for its own reason. Claims also count jobs whose instance died and jobs that were put off. */
export class JobTries1763600000005 implements MigrationInterface {
  name = 'JobTries1763600000005';

  async up(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE jobs ADD COLUMN tries int NOT NULL DEFAULT 0');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE jobs DROP COLUMN tries');
  }
}

/**
 * Topics that were read, by the broker's own ids, and records that were deleted before they were read. `starts` says where a
 * topic's partitions began when it was first seen. `to_offset` is exclusive, and null if the whole topic is gone.
 */
export class TopicsAndGaps1763600000009 implements MigrationInterface {
  name = 'TopicsAndGaps1763600000009';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE topic_ids (
        topic text PRIMARY KEY,
        id text NOT NULL,
        generation int NOT NULL DEFAULT 0,
        starts jsonb NOT NULL DEFAULT '{}',
        noticed_at timestamptz NOT NULL
      )`);
    await db.query(`
      CREATE TABLE gaps (
        topic text NOT NULL,
        partition int NOT NULL,
        from_offset bigint NOT NULL,
        to_offset bigint,
        topic_id text NOT NULL,
        why text NOT NULL CHECK (why IN ('records-deleted', 'topic-made-again')),
        noticed_at timestamptz NOT NULL,
        acknowledged_at timestamptz,
        acknowledged_by text,
        note text,
        PRIMARY KEY (topic, partition, topic_id, from_offset, why)
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE topic_ids, gaps');
  }
}

/**
 * The positions up to which the tables have handled each partition, so that the service notices a database that was restored from
 * an older copy. And the events that the service published in the time that such a copy does not know. A copy from before this
 * migration has only its inbox to show its age.
 */
export class WorkPositions1763600000011 implements MigrationInterface {
  name = 'WorkPositions1763600000011';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE work_positions (
        topic text NOT NULL,
        partition int NOT NULL,
        next_offset bigint NOT NULL,
        again_until bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (topic, partition)
      )`);
    await db.query(`
      INSERT INTO work_positions
      SELECT topic, partition, max("offset") + 1 FROM inbox WHERE topic NOT LIKE '~%' GROUP BY topic, partition`);
    await db.query(`
      CREATE TABLE said (
        id text PRIMARY KEY,
        topic text NOT NULL,
        partition int NOT NULL,
        "offset" bigint NOT NULL,
        type text NOT NULL,
        subject text,
        data jsonb NOT NULL,
        at timestamptz NOT NULL,
        read_at timestamptz NOT NULL
      )`);
    await db.query('CREATE INDEX said_of_subject ON said (subject)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE work_positions, said');
  }
}

/** When the bytes of a dead letter were erased, or that they were never stored. Its name, its place and its reason stay. */
export class ErasedLetters1763600000013 implements MigrationInterface {
  name = 'ErasedLetters1763600000013';

  async up(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE dead_letters ADD COLUMN erased_at timestamptz');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE dead_letters DROP COLUMN erased_at');
  }
}

/**
 * When the last job ended that was published and deleted. Together with the inbox it gives the time of the last work that the
 * tables know. An event that this service published later belongs to work that the tables lack. Work from before this migration
 * counts as known.
 */
export class JobsPublished1763600000014 implements MigrationInterface {
  name = 'JobsPublished1763600000014';

  async up(db: QueryRunner): Promise<void> {
    await db.query(
      'CREATE TABLE jobs_published (only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row), at timestamptz NOT NULL) WITH (fillfactor = 50)',
    );
    await db.query(`
      INSERT INTO jobs_published (at)
      SELECT now() WHERE EXISTS (SELECT FROM inbox)`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE jobs_published');
  }
}

/**
 * Each row stands for a task that only one instance may do at a time: the instance locks the row. A role without rights in this
 * schema cannot lock it.
 */
export class Turns1763600000015 implements MigrationInterface {
  name = 'Turns1763600000015';

  async up(db: QueryRunner): Promise<void> {
    await db.query('CREATE TABLE turns (name text PRIMARY KEY)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE turns');
  }
}

/** When the broker took the record of a dead letter. An event that is handled again still has this age. */
export class LettersTaken1763600000016 implements MigrationInterface {
  name = 'LettersTaken1763600000016';

  async up(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE dead_letters ADD COLUMN taken_at timestamptz');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE dead_letters DROP COLUMN taken_at');
  }
}

/** Gives the outbox and the table of the service's own events their plain names, and a reason to each gap. */
export class PlainNames1764400000070 implements MigrationInterface {
  name = 'PlainNames1764400000070';

  async up(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE outputs RENAME TO outbox');
    await db.query('ALTER INDEX outputs_at RENAME TO outbox_at');
    await db.query('ALTER TABLE jobs RENAME COLUMN outputs TO messages');
    await db.query('ALTER TABLE said RENAME TO own_events');
    await db.query('ALTER INDEX said_of_subject RENAME TO own_events_of_subject');
    await db.query('ALTER TABLE gaps RENAME COLUMN why TO reason');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE gaps RENAME COLUMN reason TO why');
    await db.query('ALTER INDEX own_events_of_subject RENAME TO said_of_subject');
    await db.query('ALTER TABLE own_events RENAME TO said');
    await db.query('ALTER TABLE jobs RENAME COLUMN messages TO outputs');
    await db.query('ALTER INDEX outbox_at RENAME TO outputs_at');
    await db.query('ALTER TABLE outbox RENAME TO outputs');
  }
}

/**
 * Lets the audit read the tables of a service, if provisioning has made a role for it. A role that is made later gets its rights
 * then.
 */
export class AuditorReads1764400000074 implements MigrationInterface {
  name = 'AuditorReads1764400000074';

  async up(db: QueryRunner): Promise<void> {
    await db.query(grantToAuditor('GRANT SELECT ON', auditedTables.every, 'TO'));
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(grantToAuditor('REVOKE SELECT ON', auditedTables.every, 'FROM'));
  }
}

/** A statement that grants tables to the audit, or revokes them, if there is such a role. */
export const grantToAuditor = (verb: string, tables: readonly string[], to: string): string => `
  DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = '${auditorRole}') THEN
      ${verb} ${tables.join(', ')} ${to} ${auditorRole};
    END IF;
  END $$`;

/** When a service reported a gap to the other services. */
export class GapReports1764600000890 implements MigrationInterface {
  name = 'GapReports1764600000890';

  async up(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE gaps ADD COLUMN reported_at timestamptz');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE gaps DROP COLUMN reported_at');
  }
}

/** The migrations of every service, oldest first. */
export const runtimeMigrations = [
  RuntimeTables1763600000000,
  EventsAsTheyAre1763600000001,
  RecordPositions1763600000002,
  RoomForVersions1763600000003,
  JobTries1763600000005,
  TopicsAndGaps1763600000009,
  WorkPositions1763600000011,
  ErasedLetters1763600000013,
  JobsPublished1763600000014,
  Turns1763600000015,
  LettersTaken1763600000016,
  PlainNames1764400000070,
  ReadViews1764400000071,
  AuditorReads1764400000074,
  GapReports1764600000890,
] as const;
