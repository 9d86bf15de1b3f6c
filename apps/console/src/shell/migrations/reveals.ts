import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who asked for whose name or address, and why; and, for minutes, the sealed answer of each. */
export class Reveals1764500000252 implements MigrationInterface {
  name = 'Reveals1764500000252';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE reveals (
        reveal_id uuid PRIMARY KEY,
        contact_id uuid NOT NULL,
        by_person text NOT NULL,
        fields text[] NOT NULL,
        purpose text NOT NULL,
        note text NOT NULL,
        asked_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL
      )`);
    await db.query('CREATE INDEX reveals_contact ON reveals (contact_id, asked_at, reveal_id)');
    await db.query(`
      CREATE TABLE reveal_answers (
        reveal_id uuid PRIMARY KEY,
        outcome text NOT NULL,
        fields text[] NOT NULL,
        reason jsonb,
        answered_at timestamptz NOT NULL
      )`);
    await db.query(`
      CREATE TABLE sealed_reveals (
        reveal_id uuid PRIMARY KEY,
        asker_sha256 text NOT NULL,
        kept_until timestamptz NOT NULL,
        jwe text
      )`);
    await db.query('CREATE INDEX sealed_reveals_until ON sealed_reveals (kept_until)');
    await db.query(
      'CREATE TABLE reveal_counts (person text NOT NULL, hour timestamptz NOT NULL, n int NOT NULL, PRIMARY KEY (person, hour))',
    );
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE reveals, reveal_answers, sealed_reveals, reveal_counts');
  }
}
