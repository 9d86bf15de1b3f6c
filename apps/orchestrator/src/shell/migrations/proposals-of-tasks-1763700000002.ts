import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Stores which proposals an agent made for a task, beside the results of these proposals. A task belongs to one agent, so no other agent
 * can move a proposal to its own task by naming the proposal's id.
 */
export class ProposalsOfTasks1763700000002 implements MigrationInterface {
  name = 'ProposalsOfTasks1763700000002';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE task_proposals (
        task_id uuid NOT NULL REFERENCES tasks,
        proposal_id uuid NOT NULL,
        PRIMARY KEY (task_id, proposal_id)
      )`);
    await db.query(`
      INSERT INTO task_proposals (task_id, proposal_id)
      SELECT p.task_id, p.proposal_id FROM proposals p JOIN tasks t USING (task_id)`);
    await db.query('ALTER TABLE proposals DROP COLUMN task_id');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE proposals ADD COLUMN task_id uuid');
    await db.query(
      'UPDATE proposals p SET task_id = t.task_id FROM task_proposals t WHERE t.proposal_id = p.proposal_id',
    );
    await db.query('CREATE INDEX proposals_of_task ON proposals (task_id)');
    await db.query('DROP TABLE task_proposals');
  }
}
