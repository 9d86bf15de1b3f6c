import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Columns have the names of the events' members. */
export class PlainNames1764400000071 implements MigrationInterface {
  name = 'PlainNames1764400000071';

  async up(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE activities RENAME COLUMN says TO detail');
    await db.query('ALTER TABLE settlements RENAME COLUMN says TO detail');
    await db.query('ALTER TABLE unresolved_permits RENAME COLUMN says TO detail');
    await db.query('ALTER TABLE set_asides RENAME COLUMN why TO reason');
    await db.query('ALTER TABLE acknowledged_gaps RENAME COLUMN why TO reason');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE acknowledged_gaps RENAME COLUMN reason TO why');
    await db.query('ALTER TABLE set_asides RENAME COLUMN reason TO why');
    await db.query('ALTER TABLE unresolved_permits RENAME COLUMN detail TO says');
    await db.query('ALTER TABLE settlements RENAME COLUMN detail TO says');
    await db.query('ALTER TABLE activities RENAME COLUMN detail TO says');
  }
}
