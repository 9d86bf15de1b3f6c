import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * One row for each thing, recipient and channel that was not dropped: a budget that was not nearly spent any more when its message was due
 * is told of when it is so again. Sentences of rules and texts of people leave the rows that were stored with them.
 */
export class NotificationThings1764600000901 implements MigrationInterface {
  name = 'NotificationThings1764600000901';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      UPDATE notifications SET facts = jsonb_set(facts, '{lines}', (
        SELECT coalesce(jsonb_agg(line ORDER BY n), '[]') FROM jsonb_array_elements(facts->'lines') WITH ORDINALITY AS l(line, n)
        WHERE line->>0 NOT IN ('Why a person is asked', 'Who', 'Why')))
      WHERE facts->'lines' @> ANY (ARRAY['[["Why a person is asked"]]', '[["Who"]]', '[["Why"]]']::jsonb[])`);
    await db.query(
      `CREATE UNIQUE INDEX notifications_thing ON notifications (thing, recipient, channel) WHERE state <> 'dropped'`,
    );
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX notifications_thing');
  }
}
