import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How many signals of each source were accepted and rejected, by minute, and which were rejected. */
export class SignalsOfSources1764500000072 implements MigrationInterface {
  name = 'SignalsOfSources1764500000072';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE source_minutes (
        source text NOT NULL,
        minute timestamptz NOT NULL,
        outcome text NOT NULL,
        n bigint NOT NULL,
        PRIMARY KEY (source, minute, outcome)
      )`);
    await db.query('CREATE INDEX source_minutes_minute ON source_minutes (minute)');
    await db.query(`
      CREATE TABLE sources_heard (source text PRIMARY KEY, accepted_at timestamptz, rejected_at timestamptz)`);
    await db.query(`
      CREATE TABLE rejected_signals (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        source text NOT NULL,
        signal_id text,
        type text,
        code text NOT NULL,
        reasons jsonb NOT NULL,
        topic text NOT NULL,
        partition int NOT NULL,
        "offset" text NOT NULL,
        at timestamptz NOT NULL
      )`);
    await db.query('CREATE INDEX rejected_signals_source ON rejected_signals (source, seq)');
    await db.query('CREATE INDEX rejected_signals_code ON rejected_signals (code, seq)');
    await db.query('CREATE INDEX rejected_signals_source_code ON rejected_signals (source, code, seq)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE source_minutes, sources_heard, rejected_signals');
  }
}
