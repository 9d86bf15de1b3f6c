import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A column has the name of the member that it stores. */
export class PlainNames1764400000072 implements MigrationInterface {
  name = 'PlainNames1764400000072';

  async up(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE checkpoint_answers RENAME COLUMN why TO reason');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE checkpoint_answers RENAME COLUMN reason TO why');
  }
}
