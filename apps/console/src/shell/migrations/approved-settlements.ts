import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Which settlements agree with their approval. A settlement is counted when it does; one that never does is deleted. All earlier
 * settlements were counted when they came.
 */
export class ApprovedSettlements1764300000068 implements MigrationInterface {
  name = 'ApprovedSettlements1764300000068';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE settlements ADD COLUMN approved boolean NOT NULL DEFAULT false, ADD COLUMN uncounted text[] NOT NULL DEFAULT '{}',
        ADD COLUMN kept_at timestamptz NOT NULL DEFAULT now()`);
    await db.query(`
      ALTER TABLE unresolved_permits ADD COLUMN approved boolean NOT NULL DEFAULT false, ADD COLUMN kept_at timestamptz NOT NULL DEFAULT now()`);
    await db.query(`
      UPDATE settlements s SET approved = true FROM permits p
      WHERE p.action_id = s.action_id AND p.executor = s.executor AND p.permit_id = s.permit_id AND p.digest = s.digest`);
    await db.query(`
      UPDATE settlements s SET approved = true FROM verdicts v
      WHERE v.action_id = s.action_id AND v.executor = s.executor AND NOT EXISTS (SELECT FROM permits p WHERE p.action_id = s.action_id)`);
    await db.query(`
      UPDATE unresolved_permits u SET approved = true FROM settlements s
      WHERE s.action_id = u.action_id AND s.executor = u.executor AND s.permit_id = u.permit_id AND s.digest = u.digest AND s.approved`);
    for (const table of ['settlements', 'unresolved_permits']) {
      await db.query(`ALTER TABLE ${table} ALTER COLUMN kept_at DROP DEFAULT`);
      await db.query(`CREATE INDEX ${table}_waiting ON ${table} (executor, kept_at) WHERE NOT approved`);
    }
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE settlements DROP COLUMN approved, DROP COLUMN uncounted, DROP COLUMN kept_at');
    await db.query('ALTER TABLE unresolved_permits DROP COLUMN approved, DROP COLUMN kept_at');
  }
}
