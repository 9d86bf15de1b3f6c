import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Who asked for whose name or address, and why; and, for some minutes, the sealed answer to each. The key of a request and its answer is
 * the request's event: a writer that repeats a `reveal_id` must not be able to hide a second request.
 */
export class Reveals1764500000252 implements MigrationInterface {
  name = 'Reveals1764500000252';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE reveals (
        request_id uuid PRIMARY KEY,
        reveal_id uuid NOT NULL,
        contact_id uuid NOT NULL,
        by_person text NOT NULL,
        fields text[] NOT NULL,
        purpose text NOT NULL,
        note text NOT NULL,
        asked_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL
      )`);
    await db.query('CREATE INDEX reveals_contact ON reveals (contact_id, asked_at, request_id)');
    await db.query('CREATE INDEX reveals_id ON reveals (reveal_id)');
    await db.query('CREATE INDEX reveals_person ON reveals (by_person, asked_at)');
    await db.query(`
      CREATE TABLE reveal_answers (
        request_id uuid PRIMARY KEY,
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
    await db.query('CREATE TABLE reveal_askers (person text PRIMARY KEY)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE reveals, reveal_answers, sealed_reveals, reveal_askers');
  }
}
