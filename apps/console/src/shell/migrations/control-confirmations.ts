import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which version of each control its readers have confirmed. */
export class ControlConfirmations1764300000053 implements MigrationInterface {
  name = 'ControlConfirmations1764300000053';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE control_confirmations (
        scope text NOT NULL,
        reader text NOT NULL,
        version bigint NOT NULL,
        digest text NOT NULL,
        PRIMARY KEY (scope, reader)
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE control_confirmations');
  }
}
