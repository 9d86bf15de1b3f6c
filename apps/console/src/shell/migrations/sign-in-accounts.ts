import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Which account of the identity provider each person signs in with, and the session that a browser had when it went there. A name stands
 * for one account, and an account for one name.
 */
export class SignInAccounts1764600000922 implements MigrationInterface {
  name = 'SignInAccounts1764600000922';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE sign_in_accounts (
        issuer text NOT NULL,
        person text NOT NULL,
        subject_sha256 text NOT NULL,
        bound_at timestamptz NOT NULL,
        PRIMARY KEY (person, issuer),
        UNIQUE (subject_sha256, issuer)
      )`);
    await db.query('ALTER TABLE sign_in_attempts ADD COLUMN session_before text');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE sign_in_attempts DROP COLUMN session_before');
    await db.query('DROP TABLE sign_in_accounts');
  }
}
