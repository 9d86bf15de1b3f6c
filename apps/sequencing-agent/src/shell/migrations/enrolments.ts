import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Contacts in a sequence, by the action that enrolled them. */
export class Enrolments1763700000002 implements MigrationInterface {
  readonly name = 'Enrolments1763700000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE enrolments (
        enrolment_id uuid PRIMARY KEY,
        task_id uuid NOT NULL REFERENCES tasks,
        account_id text,
        contact_id uuid NOT NULL,
        sequence_id text NOT NULL,
        state text NOT NULL CHECK (state IN ('running', 'finished', 'stopped', 'closed')),
        reason text,
        steps_proposed integer NOT NULL DEFAULT 0,
        started_at timestamptz NOT NULL,
        ended_at timestamptz
      )`);
    await runner.query('CREATE INDEX enrolments_by_contact ON enrolments (contact_id, sequence_id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE enrolments');
  }
}

/** The index for the order of the page: it reads as many rows as it shows, however many there are. */
export class EnrolmentsByTime1764300000061 implements MigrationInterface {
  readonly name = 'EnrolmentsByTime1764300000061';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX enrolments_by_time ON enrolments (started_at DESC, enrolment_id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX enrolments_by_time');
  }
}
