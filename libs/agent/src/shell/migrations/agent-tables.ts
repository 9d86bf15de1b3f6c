import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What every agent stores: its tasks and their answers, its proposals and their outcomes, a model's plans and tokens. */
export class AgentTables1763700000001 implements MigrationInterface {
  readonly name = 'AgentTables1763700000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE tasks (
        task_id uuid PRIMARY KEY,
        task jsonb NOT NULL,
        received_at timestamptz NOT NULL,
        due_at timestamptz NOT NULL,
        answered_at timestamptz,
        outcome text CHECK (outcome IN ('proposed', 'declined')),
        reason text
      )`);
    await runner.query(`
      CREATE TABLE proposals (
        proposal_id uuid PRIMARY KEY,
        task_id uuid NOT NULL REFERENCES tasks,
        kind text NOT NULL,
        action jsonb NOT NULL,
        planner jsonb NOT NULL,
        state text NOT NULL CHECK (state IN
          ('proposed', 'refused', 'executed', 'failed', 'not-run', 'expired', 'unresolved', 'undone')),
        outcome jsonb,
        proposed_at timestamptz NOT NULL,
        changed_at timestamptz NOT NULL
      )`);
    await runner.query('CREATE INDEX proposals_by_task ON proposals (task_id)');
    await runner.query('CREATE INDEX proposals_by_time ON proposals (proposed_at DESC, proposal_id)');
    await runner.query(`
      CREATE TABLE edits (
        action_id uuid PRIMARY KEY,
        proposal_id uuid NOT NULL REFERENCES proposals,
        action jsonb NOT NULL,
        decided_at timestamptz NOT NULL
      )`);
    await runner.query(`
      CREATE TABLE plans (
        task_id uuid PRIMARY KEY REFERENCES tasks,
        plan jsonb NOT NULL,
        planned_from jsonb NOT NULL,
        planned_at timestamptz NOT NULL
      )`);
    await runner.query(`
      CREATE TABLE token_budgets (
        day date PRIMARY KEY,
        held bigint NOT NULL DEFAULT 0 CHECK (held >= 0),
        used bigint NOT NULL DEFAULT 0 CHECK (used >= 0)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['token_budgets', 'plans', 'edits', 'proposals', 'tasks'])
      await runner.query(`DROP TABLE ${table}`);
  }
}

/** Finds proposals by their age, to end those that would never end. */
export class UnsettledProposals1763700000011 implements MigrationInterface {
  readonly name = 'UnsettledProposals1763700000011';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE proposals DROP CONSTRAINT proposals_state_check, ADD CONSTRAINT proposals_state_check CHECK (state IN
        ('proposed', 'refused', 'executed', 'failed', 'not-run', 'expired', 'unresolved', 'undone', 'unsettled'))`);
    await runner.query(`CREATE INDEX proposals_open ON proposals (proposed_at) WHERE state = 'proposed'`);
    await runner.query(`
      INSERT INTO jobs (kind, id, due_at, payload, cause, created_at)
        VALUES ('unsettled-proposals', 'first', '1970-01-01Z', '{}', '{}', now())`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DELETE FROM jobs WHERE kind = 'unsettled-proposals'`);
    await runner.query('DROP INDEX proposals_open');
    await runner.query(`UPDATE proposals SET state = 'proposed' WHERE state = 'unsettled'`);
    await runner.query(`
      ALTER TABLE proposals DROP CONSTRAINT proposals_state_check, ADD CONSTRAINT proposals_state_check CHECK (state IN
        ('proposed', 'refused', 'executed', 'failed', 'not-run', 'expired', 'unresolved', 'undone'))`);
  }
}

/**
 * A settlement counts if it agrees with the approval of its proposal. A settlement that is read before the approval waits in
 * `settlements`. A settlement that was accepted before approvals were read stands until the approval turns out to name another
 * permit, executor or action.
 */
export class PermitsOfProposals1764300000066 implements MigrationInterface {
  readonly name = 'PermitsOfProposals1764300000066';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE proposals ADD COLUMN permit_id uuid, ADD COLUMN permit_executor text, ADD COLUMN permit_digest text,
        ADD COLUMN approved boolean NOT NULL DEFAULT false`);
    await runner.query(`
      UPDATE proposals SET permit_id = (outcome->>'permitId')::uuid, permit_executor = outcome->>'executor',
        permit_digest = outcome->>'digest'
      WHERE state IN ('executed', 'failed', 'not-run', 'expired', 'unresolved', 'undone') AND outcome ? 'permitId'`);
    await runner.query(`
      CREATE TABLE settlements (
        proposal_id uuid NOT NULL REFERENCES proposals,
        executor text NOT NULL,
        permit_id uuid NOT NULL,
        digest text NOT NULL,
        settled jsonb NOT NULL,
        kept_at timestamptz NOT NULL,
        PRIMARY KEY (proposal_id, executor)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE settlements');
    await runner.query(`
      ALTER TABLE proposals DROP COLUMN permit_id, DROP COLUMN permit_executor, DROP COLUMN permit_digest, DROP COLUMN approved`);
  }
}

/** Proposals in one state, in the order of their page. */
export class ProposalsInState1764300000062 implements MigrationInterface {
  readonly name = 'ProposalsInState1764300000062';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX proposals_in_state ON proposals (state, proposed_at DESC, proposal_id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX proposals_in_state');
  }
}
