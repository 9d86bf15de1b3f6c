import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Browsers on their way to the identity provider and back. Each attempt works once. */
export class SignInAttempts1764500000093 implements MigrationInterface {
  name = 'SignInAttempts1764500000093';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE sign_in_attempts (
        attempt_sha256 text PRIMARY KEY,
        expires_at timestamptz NOT NULL,
        used_at timestamptz
      )`);
    await db.query('CREATE INDEX sign_in_attempts_expiry ON sign_in_attempts (expires_at)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE sign_in_attempts');
  }
}
