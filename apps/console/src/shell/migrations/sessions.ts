import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Who is signed in, and one-time links. Only the SHA-256 of a session's token and of a link's code is kept, so a reader of the tables
 * cannot sign in with it.
 */
export class Sessions1764500000091 implements MigrationInterface {
  name = 'Sessions1764500000091';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE sessions (
        token_sha256 text PRIMARY KEY,
        person text NOT NULL,
        roles text[] NOT NULL,
        granted_by text,
        created_at timestamptz NOT NULL,
        last_seen_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        ended_at timestamptz
      )`);
    await db.query('CREATE INDEX sessions_expiry ON sessions (expires_at)');
    await db.query(`
      CREATE TABLE sign_in_links (
        code_sha256 text PRIMARY KEY,
        person text NOT NULL,
        roles text[] NOT NULL,
        granted_by text,
        session_until timestamptz,
        expires_at timestamptz NOT NULL,
        used_at timestamptz
      )`);
    await db.query('CREATE INDEX sign_in_links_expiry ON sign_in_links (expires_at)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE sign_in_links');
    await db.query('DROP TABLE sessions');
  }
}
