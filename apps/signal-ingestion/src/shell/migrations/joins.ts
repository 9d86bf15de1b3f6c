import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Contacts that turned out to be the same as another one. Their identities stay as they are, and are looked up through this table. */
export class ContactJoins1763700000003 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE contact_joins (
        contact_id uuid PRIMARY KEY,
        into_id uuid NOT NULL,
        joined_at timestamptz NOT NULL DEFAULT now()
      )`);
    await db.query('CREATE INDEX contact_joins_into ON contact_joins (into_id)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE contact_joins');
  }
}
