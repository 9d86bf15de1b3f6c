import { derivedId, type NotifyEvent } from '@countersign/contracts';
import { type Reader, RUNTIME, type Runtime, type Tx } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { Notification } from '../core/notify.js';
import type { Facts } from '../core/things.js';
import { readersOf } from './readers.js';

export const states = ['waiting', 'sent', 'dropped', 'failed'] as const;
export type NotificationState = (typeof states)[number];

export interface Mailbox {
  readonly recipient: string;
  readonly channel: string;
  readonly event: NotifyEvent;
}

/** A notification that waits. */
export interface Waiting extends Mailbox {
  readonly id: string;
  readonly facts: Facts;
  readonly urgent: boolean;
  readonly digestMs: number;
  readonly dueAt: string;
  readonly until: string | null;
}

export interface MessageRow extends Mailbox {
  readonly messageId: string;
  readonly madeAt: string;
  readonly tries: number;
  readonly refusal: string | null;
}

export interface Listed {
  readonly id: string;
  readonly event: NotifyEvent;
  readonly title: string;
  readonly recipient: string;
  readonly channel: string;
  readonly state: NotificationState;
  readonly detail: string | null;
  readonly path: string;
  readonly dueAt: string;
  readonly madeAt: string;
  readonly endedAt: string | null;
  readonly messageId: string | null;
}

interface WaitingRow extends Mailbox {
  readonly id: string;
  readonly facts: Facts;
  readonly urgent: boolean;
  readonly digest_ms: string | number;
  readonly due_at: Date;
  readonly until_at: Date | null;
}

const waitingColumns = 'notification_id AS id, recipient, channel, event, facts, urgent, digest_ms, due_at, until_at';
/** The most notifications that are read at once. Those behind it are gathered by a job of their own. */
export const mostGathered = 5_000;
const waitingOf = ({ digest_ms, due_at, until_at, ...row }: WaitingRow): Waiting => ({
  ...row,
  digestMs: Number(digest_ms),
  dueAt: due_at.toISOString(),
  until: until_at?.toISOString() ?? null,
});

/** The rows of notifications, and the messages that contain them. */
@Injectable()
export class NotificationStore {
  private readonly forPages: Reader;

  constructor(@Inject(RUNTIME) runtime: Runtime) {
    ({ forPages: this.forPages } = readersOf(runtime));
  }

  /** Stores the rows of which no other is kept: neither the row itself, nor one of the same thing that was not dropped. Returns their ids. */
  async insert(tx: Tx, rows: readonly Notification[], at: string): Promise<ReadonlySet<string>> {
    if (rows.length === 0) return new Set();
    const inserted = await tx.query<{ id: string }>(
      `INSERT INTO notifications (notification_id, event, thing, recipient, channel, facts, urgent, digest_ms, due_at, until_at, made_at)
       SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::boolean[], $8::bigint[], $9::timestamptz[], $10::timestamptz[], $11::timestamptz[])
       ON CONFLICT DO NOTHING RETURNING notification_id AS id`,
      [
        rows.map((row) => row.id),
        rows.map((row) => row.event),
        rows.map((row) => row.thing),
        rows.map((row) => row.recipient),
        rows.map((row) => row.channel),
        rows.map((row) => JSON.stringify(row.facts)),
        rows.map((row) => row.urgent),
        rows.map((row) => row.digestMs),
        rows.map((row) => row.dueAt),
        rows.map((row) => row.until),
        rows.map(() => at),
      ],
    );
    return new Set(inserted.map(({ id }) => id));
  }

  /** Permits that ended unresolved, as reported by the executor of their approval. */
  unresolved(
    tx: Tx,
    permitIds: readonly string[],
  ): Promise<{ permitId: string; executor: string; connector: string; at: Date }[]> {
    return tx.query(
      `SELECT permit_id AS "permitId", executor, connector, at FROM unresolved_permits WHERE permit_id = ANY($1) AND approved`,
      [permitIds],
    );
  }

  /** The owner and the time zone of each agent, by the policy in force. */
  async charters(reader: Reader): Promise<ReadonlyMap<string, { readonly owner: string; readonly timeZone: string }>> {
    const rows = await reader.query<{ agent: string; owner: string; timeZone: string }>(
      `SELECT c->>'agent' AS agent, c->>'owner' AS owner, c->>'timeZone' AS "timeZone" FROM published_state p, json_array_elements(p.value::json->'content'->'charters') c
       WHERE p.topic = 'policies.v1' AND p.key = 'main' AND p.value IS NOT NULL`,
    );
    return new Map(rows.map(({ agent, ...charter }) => [agent, charter]));
  }

  /** The mailboxes of rows that wait, in order. */
  mailboxes(tx: Tx, ids: readonly string[]): Promise<Mailbox[]> {
    return tx.query<Mailbox>(
      `SELECT DISTINCT recipient, channel, event FROM notifications
       WHERE notification_id = ANY($1) AND state = 'waiting' AND message_id IS NULL ORDER BY recipient, channel, event`,
      [ids],
    );
  }

  /** Locks a mailbox, so that no other job makes a message of the same rows. Returns when its last message was made. */
  async lock(tx: Tx, { recipient, channel, event }: Mailbox): Promise<string | null> {
    const [row] = await tx.query<{ last_at: Date | null }>(
      `INSERT INTO notification_mailboxes AS m (recipient, channel, event) VALUES ($1, $2, $3)
       ON CONFLICT (recipient, channel, event) DO UPDATE SET last_at = m.last_at RETURNING last_at`,
      [recipient, channel, event],
    );
    return row?.last_at?.toISOString() ?? null;
  }

  /** The due rows of a mailbox, the earliest first; and, if there are more than are read at once, the first of the others. */
  async due(tx: Tx, { recipient, channel, event }: Mailbox, at: string): Promise<{ due: Waiting[]; rest?: string }> {
    const rows = await tx.query<WaitingRow>(
      `SELECT ${waitingColumns} FROM notifications
       WHERE recipient = $1 AND channel = $2 AND event = $3 AND due_at <= $4 AND state = 'waiting' AND message_id IS NULL
       ORDER BY due_at, notification_id LIMIT ${mostGathered + 1}`,
      [recipient, channel, event, at],
    );
    const rest = rows.at(mostGathered)?.id;
    return { due: rows.slice(0, mostGathered).map(waitingOf), ...(rest !== undefined && { rest }) };
  }

  /** Makes one message of these rows. Its id is derived from them. */
  makeMessage(tx: Tx, mailbox: Mailbox, ids: readonly string[], at: string): string {
    const { recipient, channel, event } = mailbox;
    const messageId = derivedId('message', ...[...ids].sort());
    tx.write(
      'INSERT INTO notification_messages (message_id, recipient, channel, event, made_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING',
      [messageId, recipient, channel, event, at],
    );
    tx.write('UPDATE notifications SET message_id = $2 WHERE notification_id = ANY($1)', [ids, messageId]);
    tx.write('UPDATE notification_mailboxes SET last_at = $4 WHERE recipient = $1 AND channel = $2 AND event = $3', [
      recipient,
      channel,
      event,
      at,
    ]);
    return messageId;
  }

  /** A message with the part that was not sent; its row is locked. */
  async lockMessage(tx: Tx, messageId: string): Promise<{ message: MessageRow; rows: Waiting[] } | undefined> {
    const [message] = await tx.query<Omit<MessageRow, 'madeAt'> & { made_at: Date }>(
      `SELECT message_id AS "messageId", recipient, channel, event, made_at, tries, refusal FROM notification_messages
       WHERE message_id = $1 FOR UPDATE`,
      [messageId],
    );
    if (!message) return undefined;
    const rows = await tx.query<WaitingRow>(
      `SELECT ${waitingColumns} FROM notifications WHERE message_id = $1 AND state IN ('waiting', 'failed') ORDER BY due_at, notification_id`,
      [messageId],
    );
    const { made_at, ...rest } = message;
    return { message: { ...rest, madeAt: made_at.toISOString() }, rows: rows.map(waitingOf) };
  }

  /** Takes rows out of their message. They wait to be gathered again. */
  takeOut(tx: Tx, ids: readonly string[]): void {
    tx.write(
      `UPDATE notifications SET message_id = NULL, state = 'waiting', detail = NULL, ended_at = NULL WHERE notification_id = ANY($1)`,
      [ids],
    );
  }

  countTry(tx: Tx, messageId: string): void {
    tx.write('UPDATE notification_messages SET tries = tries + 1 WHERE message_id = $1', [messageId]);
  }

  /** Stores why a message was refused for good, or deletes the reason, so that a replay sends it again. */
  refuse(tx: Tx, messageId: string, refusal: string | null): void {
    tx.write('UPDATE notification_messages SET refusal = $2 WHERE message_id = $1', [messageId, refusal]);
  }

  end(tx: Tx, ids: readonly string[], state: Exclude<NotificationState, 'waiting'>, detail: string | null, at: string) {
    if (ids.length > 0)
      tx.write('UPDATE notifications SET state = $2, detail = $3, ended_at = $4 WHERE notification_id = ANY($1)', [
        ids,
        state,
        detail,
        at,
      ]);
  }

  endMessage(tx: Tx, messageId: string, state: 'sent' | 'failed', detail: string | null, at: string): void {
    tx.write(
      `UPDATE notifications SET state = $2, detail = $3, ended_at = $4 WHERE message_id = $1 AND state IN ('waiting', 'failed')`,
      [messageId, state, detail, at],
    );
  }

  /** Deletes a bounded number of rows that no longer wait and were made before `before`. Returns how many. */
  async forget(tx: Tx, before: string, limit: number): Promise<number> {
    const rows = await tx.query<{ message_id: string | null }>(
      `DELETE FROM notifications WHERE notification_id IN (
         SELECT notification_id FROM notifications WHERE state <> 'waiting' AND made_at < $1 ORDER BY made_at LIMIT $2) RETURNING message_id`,
      [before, limit],
    );
    tx.write(
      `DELETE FROM notification_messages m WHERE m.message_id = ANY($1) AND NOT EXISTS (SELECT FROM notifications n WHERE n.message_id = m.message_id)`,
      [rows.flatMap(({ message_id }) => message_id ?? [])],
    );
    return rows.length;
  }

  /** The latest first, after what `before` names. */
  async list(
    state: NotificationState | undefined,
    before: { readonly madeAt: string; readonly id: string } | undefined,
    limit: number,
  ): Promise<Listed[]> {
    const conditions = [
      ...(before === undefined ? [] : ['(made_at, notification_id) < ($2::timestamptz, $3::uuid)']),
      ...(state === undefined ? [] : [`state = $${before === undefined ? 2 : 4}`]),
    ];
    const rows = await this.forPages.query<
      Omit<Listed, 'dueAt' | 'madeAt' | 'endedAt'> & { due_at: Date; made_at: Date; ended_at: Date | null }
    >(
      `SELECT notification_id AS id, event, facts->>'title' AS title, facts->>'path' AS path, recipient, channel, state, detail, due_at, made_at, ended_at, message_id AS "messageId"
       FROM notifications ${conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`}
       ORDER BY made_at DESC, notification_id DESC LIMIT $1`,
      [limit, ...(before === undefined ? [] : [before.madeAt, before.id]), ...(state === undefined ? [] : [state])],
    );
    return rows.map(({ due_at, made_at, ended_at, ...row }) => ({
      ...row,
      dueAt: due_at.toISOString(),
      madeAt: made_at.toISOString(),
      endedAt: ended_at?.toISOString() ?? null,
    }));
  }
}
