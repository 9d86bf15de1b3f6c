import { type Action, derivedId, OpenedContactPoints, type PayloadOf, topics } from '@countersign/contracts';
import type { ApprovedAction } from '@countersign/gate';
import { RUNTIME, type Runtime } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { compactDecrypt, importJWK, type JWK } from 'jose';
import { type Answer, type Found, rejected } from '../../core/answer.js';
import { masked, render } from '../../core/render.js';
import type { Connector } from '../connector.js';
import { SETTINGS, type Settings } from '../settings.js';
import { Sandbox } from './sandbox.js';

/** A message as it leaves: the only place where a proposal's text and a person's data are together. */
interface Message {
  readonly contactId: string;
  readonly to: string;
  readonly template: string;
  readonly subject: string;
  readonly body: string;
}

/**
 * The sandbox mail provider, and the way to it: opens the contact's points, fills in the text, hands it over. The sandbox keeps
 * what it would have sent, and of the address only what tells one from another.
 */
@Injectable()
export class MailerSandbox implements Connector {
  readonly name = 'mailer';
  readonly timeoutMs = 5_000;
  private readonly key: ReturnType<typeof importJWK>;

  constructor(
    @Inject(Sandbox) private readonly sandbox: Sandbox,
    @Inject(RUNTIME) private readonly runtime: Pick<Runtime, 'state' | 'read'>,
    @Inject(SETTINGS) settings: Pick<Settings, 'contactPointsKey'>,
  ) {
    this.key = importJWK(settings.contactPointsKey as JWK, 'ECDH-ES');
    this.key.catch(() => undefined);
  }

  async call({ action }: ApprovedAction, key: string, signal: AbortSignal): Promise<Answer> {
    const message = await this.written(action);
    return this.sandbox.once(this.name, key, signal, async (tx) => {
      // A refusal of our own is kept by the system as well: an earlier call that landed late must win over it.
      if ('outcome' in message) return message;
      const messageId = derivedId('sandbox-message', key);
      await tx.query(
        `INSERT INTO sandbox_messages (message_id, contact_id, to_masked, template, subject, body)
         VALUES ($1, $2, $3, $4, $5, $6)`,
        [messageId, message.contactId, masked(message.to), message.template, message.subject, message.body],
      );
      return { outcome: 'done', externalReference: `message/${messageId}`, after: { status: 'sent' } };
    });
  }

  find(key: string): Promise<Found> {
    return this.sandbox.find(this.name, key);
  }

  /** The newest thousand messages. */
  messages(): Promise<Record<string, unknown>[]> {
    return this.sandbox.query(
      `SELECT message_id AS "messageId", contact_id AS "contactId", to_masked AS "to", template, subject, body,
              sent_at AS "sentAt" FROM sandbox_messages ORDER BY sent_at DESC, message_id LIMIT 1000`,
    );
  }

  private async written(action: Action): Promise<Message | Answer> {
    if (action.kind !== 'email.send') return rejected('unknown-kind', `the mailer does not know ${action.kind}`);
    const { contactId, template, subject, body } = action.payload as PayloadOf<'email.send'>;
    const points = await this.points(contactId);
    if (!points?.email) return rejected('no-address', 'no e-mail address is known of the contact');
    const [renderedSubject, renderedBody] = [render(subject, points), render(body, points)];
    if (!renderedSubject.ok) return rejected(renderedSubject.code, renderedSubject.says);
    if (!renderedBody.ok) return rejected(renderedBody.code, renderedBody.says);
    return { contactId, to: points.email, template, subject: renderedSubject.text, body: renderedBody.text };
  }

  private async points(contactId: string): Promise<OpenedContactPoints | undefined> {
    const tx = { query: this.runtime.read.bind(this.runtime) };
    const rows = await this.runtime.state(tx, topics.contactPoints, [contactId]);
    const jwe = rows.get(contactId)?.data?.jwe;
    if (jwe === undefined) return undefined;
    try {
      const { plaintext } = await compactDecrypt(jwe, await this.key, {
        keyManagementAlgorithms: ['ECDH-ES'],
        contentEncryptionAlgorithms: ['A256GCM'],
      });
      return OpenedContactPoints.parse(JSON.parse(new TextDecoder().decode(plaintext)));
    } catch {
      // Neither the ciphertext nor a parser's message may get any further.
      throw new Error('the contact points cannot be opened with CONTACT_POINTS_PRIVATE_KEY_FILE');
    }
  }
}
