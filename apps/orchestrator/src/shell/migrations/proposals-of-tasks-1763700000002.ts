import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Which proposals an agent says that it made for a task is kept beside what became of them: a task is one agent's, so no other agent's word
 * about an id moves it to a task of its own.
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
