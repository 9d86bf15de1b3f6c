import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Why a dead letter was replayed, and which job it belongs to. */
export class ReplayNotes1764400000002 implements MigrationInterface {
  name = 'ReplayNotes1764400000002';

  async up(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE replays ADD note text');
    await db.query('ALTER TABLE failures ADD job jsonb');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE replays DROP note');
    await db.query('ALTER TABLE failures DROP job');
  }
}
