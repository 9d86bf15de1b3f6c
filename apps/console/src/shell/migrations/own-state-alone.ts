import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Controls and policies are read from the service's own state, which has what was published; a separate copy could differ from it. */
export class OwnStateAlone1763700000033 implements MigrationInterface {
  name = 'OwnStateAlone1763700000033';

  async up(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE controls, policies');
  }

  async down(db: QueryRunner): Promise<void> {
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
      INSERT INTO controls SELECT key, data->>'state', data->>'by', data->>'reason', version, changed_at FROM own_state
      WHERE topic = 'controls.v1' AND data IS NOT NULL`);
    await db.query(`
      CREATE TABLE policies (
        version bigint PRIMARY KEY,
        digest text NOT NULL,
        parts json NOT NULL,
        content json NOT NULL,
        by_person text NOT NULL,
        published_at timestamptz NOT NULL
      )`);
    await db.query(`
      INSERT INTO policies
      SELECT version, data->>'digest', value::json->'parts', value::json->'content', data->>'by', changed_at FROM own_state
      WHERE topic = 'policies.v1' AND data IS NOT NULL`);
  }
}
