import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Indexes that find reveals older than their retention. */
export class OldReveals1764600000861 implements MigrationInterface {
  name = 'OldReveals1764600000861';

  async up(db: QueryRunner): Promise<void> {
    await db.query('CREATE INDEX reveals_asked ON reveals (asked_at)');
    await db.query('CREATE INDEX reveal_answers_answered ON reveal_answers (answered_at)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX reveals_asked, reveal_answers_answered');
  }
}
