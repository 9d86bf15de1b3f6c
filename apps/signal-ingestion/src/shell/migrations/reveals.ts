import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which reveals were answered within the last hour, without the person. */
export class Reveals1764500000251 implements MigrationInterface {
  name = 'Reveals1764500000251';

  async up(db: QueryRunner): Promise<void> {
    await db.query('CREATE TABLE reveals (reveal_id uuid PRIMARY KEY, revealed_at timestamptz NOT NULL)');
    await db.query('CREATE INDEX reveals_at ON reveals (revealed_at)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE reveals');
  }
}
