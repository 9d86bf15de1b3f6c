import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Contacts1763700000001 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE contact_identities (
        identity text PRIMARY KEY,
        contact_id uuid NOT NULL,
        linked_at timestamptz NOT NULL DEFAULT now()
      )`);
    await db.query('CREATE INDEX contact_identities_by_contact ON contact_identities (contact_id)');
    await db.query(`
      CREATE TABLE contact_points (
        contact_id uuid PRIMARY KEY,
        account_id text,
        account_name text,
        sealed bytea NOT NULL
      )`);
    await db.query('CREATE INDEX contact_points_by_account ON contact_points (account_id)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE contact_points');
    await db.query('DROP TABLE contact_identities');
  }
}
