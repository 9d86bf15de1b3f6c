import { derivedId } from '@countersign/contracts';
import type { Database, Tx } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { Answer } from '../core/answer.js';
import { MailCall } from '../core/call.js';
import { masked } from '../core/masked.js';
import { DATABASE } from './database.js';
import type { Begun, System } from './systems.js';

/** The mail provider. It stores the messages that it would have sent, and of an address only what distinguishes it from others. */
@Injectable()
export class Mailer implements System<MailCall> {
  readonly name = 'mailer';
  readonly takes = MailCall;

  constructor(@Inject(DATABASE) private readonly db: Database) {}

  readonly carryOut = async (calls: readonly Begun<MailCall>[], tx: Tx): Promise<readonly Answer[]> => {
    const messages = calls.flatMap(({ key, call }) =>
      'message' in call ? [{ ...call.message, id: derivedId('sandbox-message', key) }] : [],
    );
    if (messages.length > 0)
      tx.write(
        `INSERT INTO messages (message_id, contact_id, to_masked, template, subject, body)
         SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[])`,
        [
          messages.map(({ id }) => id),
          messages.map(({ contactId }) => contactId),
          messages.map(({ to }) => masked(to)),
          messages.map(({ template }) => template),
          messages.map(({ subject }) => subject),
          messages.map(({ body }) => body),
        ],
      );
    return calls.map(({ key, call }) =>
      'message' in call
        ? {
            outcome: 'done',
            reference: `message/${derivedId('sandbox-message', key)}`,
            after: { status: 'sent' },
          }
        : { outcome: 'rejected', reason: call.refused },
    );
  };

  /** The newest thousand messages. */
  messages(): Promise<Record<string, unknown>[]> {
    return this.db.read(
      `SELECT message_id AS "messageId", contact_id AS "contactId", to_masked AS "to", template, subject, body,
              sent_at AS "sentAt" FROM messages ORDER BY sent_at DESC, message_id LIMIT 1000`,
    );
  }
}
