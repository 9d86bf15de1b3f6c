import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The play under which a checkpoint was made. A checkpoint from before has none, and only the end of its play is noticed. */
export class PlayDigests1764600000871 implements MigrationInterface {
  name = 'PlayDigests1764600000871';

  async up(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE checkpoints ADD COLUMN play_digest text');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE checkpoints DROP COLUMN play_digest');
  }
}
