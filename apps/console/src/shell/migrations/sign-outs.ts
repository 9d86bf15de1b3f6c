import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The people whom an operator signed out, and which session asked for a link. */
export class SignOuts1764500000771 implements MigrationInterface {
  name = 'SignOuts1764500000771';

  async up(db: QueryRunner): Promise<void> {
    await db.query('CREATE TABLE sign_outs (person text PRIMARY KEY, signed_out_at timestamptz NOT NULL)');
    await db.query('CREATE INDEX sessions_person ON sessions (person)');
    await db.query('ALTER TABLE sign_in_links ADD COLUMN of_session text');
    await db.query('CREATE INDEX sign_in_links_person ON sign_in_links (person)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX sign_in_links_person');
    await db.query('ALTER TABLE sign_in_links DROP COLUMN of_session');
    await db.query('DROP INDEX sessions_person');
    await db.query('DROP TABLE sign_outs');
  }
}
