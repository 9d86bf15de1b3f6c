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

/** How far the partitions of a service that keeps every record are kept, in place of an inbox row for each record. */
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

/** Rows that are written over and over find room for the next version on their page, so that no index has to learn of it. */
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
 * Texts of events as they are: they live for an hour, and compressing each cost the database more than everything else it does
 * with it. Rows up to a page stay in one piece; a job's payload does not, so that a claim need not write it again.
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

/** How often a job failed by itself; claims count what died or was put off too. */
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
 * Which topics were read, by the broker's own ids, and what was deleted before it was read. `starts` is where a topic's partitions began
 * when it was first seen; `to_offset` is exclusive, and empty where the whole topic is gone.
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
 * How far the tables have handled each partition, so that a database which was put back from an older copy is noticed; and what
 * the service had published in the time that such a copy does not know. A copy from before this has its inbox to tell.
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

/** When the bytes of a dead letter were erased, or never kept; what it was, where and why it died stays. */
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
 * When the last job ended that is published and deleted. With the inbox it tells the time of the last work that the tables know of: an event
 * that this service published later is of work that they lack. What was done before this migration counts as known.
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

/** Rows whose lock lets one instance at a time do what they name. Nobody without rights in this schema can hold one. */
export class Turns1763600000015 implements MigrationInterface {
  name = 'Turns1763600000015';

  async up(db: QueryRunner): Promise<void> {
    await db.query('CREATE TABLE turns (name text PRIMARY KEY)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE turns');
  }
}

/** When the broker took the record of a dead letter: handled again, it is as old as it was. */
export class LettersTaken1763600000016 implements MigrationInterface {
  name = 'LettersTaken1763600000016';

  async up(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE dead_letters ADD COLUMN taken_at timestamptz');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE dead_letters DROP COLUMN taken_at');
  }
}

/** The outbox under its usual name, the events of a service's own topics under theirs, and a gap has a reason. */
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

/** The audit reads what a service holds, where provisioning has made it a role. What is provisioned later is granted then. */
export class AuditorReads1764400000074 implements MigrationInterface {
  name = 'AuditorReads1764400000074';

  async up(db: QueryRunner): Promise<void> {
    await db.query(grantToAuditor('GRANT SELECT ON', auditedTables.every, 'TO'));
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(grantToAuditor('REVOKE SELECT ON', auditedTables.every, 'FROM'));
  }
}

/** A statement that grants tables to the audit, or takes them from it, where there is such a role. */
export const grantToAuditor = (verb: string, tables: readonly string[], to: string): string => `
  DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = '${auditorRole}') THEN
      ${verb} ${tables.join(', ')} ${to} ${auditorRole};
    END IF;
  END $$`;

/** Those of every service, oldest first. */
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
] as const;
