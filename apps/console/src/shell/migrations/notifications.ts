import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Notifications: a row per subject, recipient and channel, and the messages that contain them. */
export class Notifications1764500000165 implements MigrationInterface {
  name = 'Notifications1764500000165';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE notifications (
        notification_id uuid PRIMARY KEY,
        event text NOT NULL,
        thing text NOT NULL,
        recipient text NOT NULL,
        channel text NOT NULL,
        facts jsonb NOT NULL,
        urgent boolean NOT NULL,
        digest_ms bigint NOT NULL,
        due_at timestamptz NOT NULL,
        until_at timestamptz,
        message_id uuid,
        state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'dropped', 'failed')),
        detail text,
        made_at timestamptz NOT NULL,
        ended_at timestamptz
      )`);
    await db.query(
      `CREATE INDEX notifications_waiting ON notifications (recipient, channel, event, due_at) WHERE state = 'waiting' AND message_id IS NULL`,
    );
    await db.query(`CREATE INDEX notifications_message ON notifications (message_id) WHERE message_id IS NOT NULL`);
    await db.query(`CREATE INDEX notifications_made ON notifications (made_at, notification_id)`);
    await db.query(`CREATE INDEX notifications_ended ON notifications (ended_at)`);
    await db.query(`CREATE INDEX notifications_state ON notifications (state, made_at, notification_id)`);
    await db.query(`
      CREATE TABLE notification_mailboxes (
        recipient text NOT NULL,
        channel text NOT NULL,
        event text NOT NULL,
        last_at timestamptz,
        PRIMARY KEY (recipient, channel, event)
      )`);
    await db.query(`
      CREATE TABLE notification_messages (
        message_id uuid PRIMARY KEY,
        recipient text NOT NULL,
        channel text NOT NULL,
        event text NOT NULL,
        made_at timestamptz NOT NULL,
        tries int NOT NULL DEFAULT 0,
        refusal text
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE notifications, notification_mailboxes, notification_messages');
  }
}
