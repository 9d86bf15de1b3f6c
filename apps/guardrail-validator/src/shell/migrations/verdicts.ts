import { auditedTables } from '@countersign/contracts';
import { grantToAuditor } from '@countersign/runtime';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Data that is judged again is `json`, not `jsonb`: `json` keeps the text as it was, and a NUL in a proposal's text is data here, not an
 * error.
 */
export class Verdicts1763700000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE proposals (
        proposal_id uuid PRIMARY KEY,
        author text NOT NULL,
        digest text NOT NULL,
        at timestamptz NOT NULL
      );
      CREATE TABLE verdicts (
        verdict_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        proposal_id uuid NOT NULL,
        action_id uuid NOT NULL,
        digest text NOT NULL,
        outcome text NOT NULL CHECK (outcome IN ('approved', 'refused', 'escalated')),
        proposal json NOT NULL,
        facts json,
        verdict json NOT NULL,
        would_be text,
        policy_version bigint NOT NULL,
        policy_digest text,
        at timestamptz NOT NULL
      );
      CREATE INDEX verdicts_of_proposal ON verdicts (proposal_id, verdict_id);
      CREATE TABLE policies_used (
        digest text PRIMARY KEY,
        version bigint NOT NULL,
        content json NOT NULL,
        at timestamptz NOT NULL
      );
      CREATE TABLE permits (
        permit_id uuid PRIMARY KEY,
        proposal_id uuid NOT NULL,
        action_id uuid NOT NULL,
        digest text NOT NULL,
        executor text NOT NULL,
        connector text NOT NULL,
        permit text NOT NULL,
        expires_at timestamptz NOT NULL,
        state text NOT NULL DEFAULT 'issued',
        settled_at timestamptz,
        at timestamptz NOT NULL
      );
      CREATE TABLE ledgers (ledger text PRIMARY KEY);
      CREATE TABLE reservations (
        permit_id uuid NOT NULL REFERENCES permits,
        ledger text NOT NULL REFERENCES ledgers,
        amount bigint NOT NULL CHECK (amount > 0),
        currency text,
        state text NOT NULL CHECK (state IN ('held', 'committed', 'released')),
        counts_at timestamptz NOT NULL,
        at timestamptz NOT NULL,
        PRIMARY KEY (permit_id, ledger)
      );
      CREATE INDEX reservations_of_ledger ON reservations (ledger, counts_at) WHERE state <> 'released';
      CREATE TABLE escalations (
        proposal_id uuid PRIMARY KEY,
        digest text NOT NULL,
        state text NOT NULL CHECK (state IN ('open', 'approved', 'refused', 'expired', 'superseded')),
        deadline_at timestamptz NOT NULL,
        author text NOT NULL,
        proposal json NOT NULL,
        verdict json NOT NULL,
        reviewers text[] NOT NULL,
        correlation_id text,
        opened_at timestamptz NOT NULL,
        closed_at timestamptz,
        closed_by text
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE escalations, reservations, ledgers, permits, policies_used, verdicts, proposals');
  }
}

/** Data that is judged again is not compressed: rows of up to a page stay in one piece. Compressing them cost more than writing them. */
export class VerdictsAsTheyAre1763700000004 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE verdicts ALTER proposal SET STORAGE EXTERNAL, ALTER facts SET STORAGE EXTERNAL, ALTER verdict SET STORAGE EXTERNAL;
      ALTER TABLE verdicts SET (toast_tuple_target = 8160);
      ALTER TABLE permits ALTER permit SET STORAGE EXTERNAL;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE verdicts ALTER proposal SET STORAGE EXTENDED, ALTER facts SET STORAGE EXTENDED, ALTER verdict SET STORAGE EXTENDED;
      ALTER TABLE verdicts RESET (toast_tuple_target);
      ALTER TABLE permits ALTER permit SET STORAGE EXTENDED;
    `);
  }
}

/** Late permits are found by their expiry, by one job that schedules its successor. Before, there was one job per permit. */
export class PermitsByExpiry1763700000005 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE INDEX permits_by_expiry ON permits (expires_at);
      DELETE FROM jobs WHERE kind = 'permit-overdue';
      INSERT INTO jobs (kind, id, due_at, payload, cause, created_at)
        VALUES ('permits-overdue', 'first', '1970-01-01Z', '{}', '{}', now());
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DELETE FROM jobs WHERE kind = 'permits-overdue';
      DROP INDEX permits_by_expiry;
    `);
  }
}

/** Approvals of an agent are counted by minute, so that the limit per hour reads sixty rows instead of every approval. */
export class ApprovalsByMinute1763700000006 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE approvals_by_minute (
        ledger text NOT NULL,
        minute timestamptz NOT NULL,
        approved bigint NOT NULL,
        PRIMARY KEY (ledger, minute)
      ) WITH (fillfactor = 50);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE approvals_by_minute');
  }
}

/** Tasks are stored in the table of state, and deleted by their age. */
export class TasksByAge1763700000007 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX tasks_by_age ON state_rows (read_at) WHERE topic = 'tasks.assigned.v1'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX tasks_by_age');
  }
}

/** An id belongs to its author: what one agent wrote under an id has no effect on another agent's use of it. */
export class ProposalsByAuthor1763700000008 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE proposals DROP CONSTRAINT proposals_pkey, ADD PRIMARY KEY (author, proposal_id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE proposals DROP CONSTRAINT proposals_pkey, ADD PRIMARY KEY (proposal_id)');
  }
}

/**
 * Proposals are counted by task, messages of a sequence by enrolment, and open reviews by author. Tasks that were read before their due
 * time was stored get the latest due time that a play could give, and as many contacts.
 */
export class CountedByTask1763700000009 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Content with a NUL is not searched: Postgres cannot make a text of it.
    await runner.query(String.raw`
      ALTER TABLE proposals ADD COLUMN task_id uuid, ADD COLUMN enrolment text NOT NULL DEFAULT '';
      UPDATE proposals p SET task_id = v.task_id, enrolment = coalesce(lower(v.enrolment), '')
      FROM (
        SELECT proposal_id, proposal->>'agent' AS author, (proposal->>'taskId')::uuid AS task_id,
               CASE WHEN proposal->'action'->>'kind' = 'email.send' THEN proposal->'action'->'payload'->'sequence'->>'enrolment' END AS enrolment
        FROM (SELECT proposal_id, CASE WHEN position('\u0000' IN proposal::text) = 0 THEN proposal END AS proposal FROM verdicts) read
      ) v
      WHERE v.proposal_id = p.proposal_id AND v.author = p.author;
      CREATE INDEX proposals_of_task ON proposals (author, task_id, enrolment);
      CREATE INDEX permits_of_action ON permits (action_id);
      CREATE INDEX escalations_open ON escalations (author) WHERE state = 'open';
      UPDATE state_rows SET data = data || jsonb_build_object('assumed', true, 'contactCount', 1000,
        'dueAt', to_char((read_at + interval '7 days') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
      WHERE topic = 'tasks.assigned.v1' AND data IS NOT NULL AND NOT data ? 'dueAt';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX escalations_open, permits_of_action, proposals_of_task;
      ALTER TABLE proposals DROP COLUMN task_id, DROP COLUMN enrolment;
    `);
  }
}

/**
 * Which step of an enrolment an approved or waiting action is. It is taken from the action that was approved, which a person may have
 * edited. It is also stored for what is taken over after a restore, before its proposal is noted again.
 */
export class StepsOfEnrolments1763700000010 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Postgres cannot make a text of a NUL, and no member that is read here can contain one.
    await runner.query(String.raw`
      ALTER TABLE permits ADD COLUMN enrolment text NOT NULL DEFAULT '', ADD COLUMN step bigint;
      ALTER TABLE escalations ADD COLUMN enrolment text NOT NULL DEFAULT '', ADD COLUMN step bigint;
      UPDATE permits i SET enrolment = lower(v.sequence->>'enrolment'), step = (v.sequence->>'step')::bigint
      FROM (
        SELECT proposal_id, action_id, replace(proposal::text, '\u0000', '\u0020')::json->'action'->'payload'->'sequence' AS sequence
        FROM verdicts WHERE outcome = 'approved'
      ) v
      WHERE v.proposal_id = i.proposal_id AND v.action_id = i.action_id AND v.sequence->>'enrolment' IS NOT NULL;
      UPDATE escalations e SET enrolment = lower(v.sequence->>'enrolment'), step = (v.sequence->>'step')::bigint
      FROM (
        SELECT proposal_id, replace(proposal::text, '\u0000', '\u0020')::json->'action'->'payload'->'sequence' AS sequence
        FROM escalations WHERE state = 'open'
      ) v
      WHERE v.proposal_id = e.proposal_id AND v.sequence->>'enrolment' IS NOT NULL;
      CREATE INDEX permits_of_step ON permits (enrolment, step) WHERE enrolment <> '';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX permits_of_step;
      ALTER TABLE permits DROP COLUMN enrolment, DROP COLUMN step;
      ALTER TABLE escalations DROP COLUMN enrolment, DROP COLUMN step;
    `);
  }
}

export class StopsOfSequences1763700000011 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // As above. An enrolment is written in the validator's form: task, contact and sequence; a stop is written without the task.
    await runner.query(String.raw`
      UPDATE permits i SET step = 0, enrolment =
        CASE v.kind WHEN 'sequence.stop' THEN 'stop' ELSE lower(v.task) END || ' ' || lower(v.payload->>'contactId') || ' ' || (v.payload->>'sequenceId')
      FROM (
        SELECT proposal_id, action_id, p->>'taskId' AS task, p->'action'->>'kind' AS kind, p->'action'->'payload' AS payload
        FROM (
          SELECT proposal_id, action_id, replace(proposal::text, '\u0000', '\u0020')::json AS p FROM verdicts WHERE outcome = 'approved'
        ) approved
      ) v
      WHERE v.proposal_id = i.proposal_id AND v.action_id = i.action_id AND v.kind IN ('sequence.enroll', 'sequence.stop') AND i.enrolment = '';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`UPDATE permits SET enrolment = '', step = NULL WHERE enrolment LIKE '% %'`);
  }
}

/** A column has the name of the member that it stores. */
export class PlainNames1764400000073 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE verdicts RENAME COLUMN would_be TO shadow_outcome');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE verdicts RENAME COLUMN shadow_outcome TO would_be');
  }
}

/** The audit compares these with permits and settlements. */
export class AuditorReadsVerdicts1764400000075 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(grantToAuditor('GRANT SELECT ON', auditedTables['guardrail-validator'], 'TO'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(grantToAuditor('REVOKE SELECT ON', auditedTables['guardrail-validator'], 'FROM'));
  }
}

/** How many actions of a kind people have decided is counted by the escalations that their answers closed. */
export class DecisionsByKind1764600000102 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // As above, Postgres cannot make a text of a NUL. A kind that was escalated is one of the catalogue and has none.
    await runner.query(String.raw`
      ALTER TABLE escalations ADD COLUMN kind text NOT NULL DEFAULT '';
      UPDATE escalations SET kind = coalesce(replace(proposal::text, '\u0000', '\u0020')::json->'action'->>'kind', '');
      CREATE INDEX escalations_decided ON escalations (author, kind) WHERE closed_by IS NOT NULL;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX escalations_decided;
      ALTER TABLE escalations DROP COLUMN kind;
    `);
  }
}
