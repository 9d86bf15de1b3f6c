import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Whether a refusal is about a stop in force, and why an executor refused. A verdict of before does not say the first. Of a settlement of
 * before, only the sentence was kept, in which the executors of this product begin with the word.
 */
export class RefusedByStops1764600000973 implements MigrationInterface {
  name = 'RefusedByStops1764600000973';

  async up(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE verdicts ADD COLUMN stopped boolean');
    await db.query('ALTER TABLE settlements ADD COLUMN code text');
    await db.query(`UPDATE settlements SET code = 'stopped' WHERE outcome = 'refused' AND detail LIKE 'stopped: %'`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE settlements DROP COLUMN code');
    await db.query('ALTER TABLE verdicts DROP COLUMN stopped');
  }
}
