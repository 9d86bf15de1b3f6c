import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Why a person rejected, as a category beside the note. */
export class Rejections1764500000081 implements MigrationInterface {
  name = 'Rejections1764500000081';

  async up(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE reviews ADD category text');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE reviews DROP category');
  }
}
