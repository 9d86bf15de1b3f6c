import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * An unresolved permit must have been approved: its id, executor and digest agree with the approval. For an action that was approved
 * before this, `verdicts` has only the executor. And a reader can confirm only controls that exist.
 */
export class Permits1764300000064 implements MigrationInterface {
  name = 'Permits1764300000064';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE permits (
        action_id uuid PRIMARY KEY,
        permit_id uuid NOT NULL,
        executor text NOT NULL,
        digest text NOT NULL
      )`);
    await db.query(`
      ALTER TABLE unresolved_permits DROP CONSTRAINT unresolved_permits_pkey, ADD PRIMARY KEY (permit_id, executor, digest)`);
    await db.query('ALTER TABLE settlements ADD COLUMN digest text');
    await db.query(`
      UPDATE settlements s SET digest = u.digest FROM unresolved_permits u
      WHERE u.permit_id = s.permit_id AND u.executor = s.executor AND u.action_id = s.action_id`);
    await db.query(`
      DELETE FROM control_confirmations c
      WHERE NOT EXISTS (SELECT FROM own_state o WHERE o.topic = 'controls.v1' AND o.key = c.scope AND o.data IS NOT NULL)`);
    await db.query('CREATE INDEX control_confirmations_reader ON control_confirmations (reader)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX control_confirmations_reader');
    await db.query('ALTER TABLE settlements DROP COLUMN digest');
    // For each permit, only the row of its own executor stays.
    await db.query(`
      DELETE FROM unresolved_permits u WHERE NOT EXISTS (
        SELECT FROM permits p WHERE p.permit_id = u.permit_id AND p.executor = u.executor AND p.digest = u.digest)
      AND EXISTS (SELECT FROM unresolved_permits o WHERE o.permit_id = u.permit_id AND o.ctid <> u.ctid)`);
    await db.query(`
      ALTER TABLE unresolved_permits DROP CONSTRAINT unresolved_permits_pkey, ADD PRIMARY KEY (permit_id)`);
    await db.query('DROP TABLE permits');
  }
}
