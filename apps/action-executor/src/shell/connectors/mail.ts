import { type Action, OpenedContactPoints, type PayloadOf, topics } from '@countersign/contracts';
import { RUNTIME, type Runtime } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { compactDecrypt, importJWK, type JWK } from 'jose';
import { NotWritten } from '../../core/answer.js';
import { render } from '../../core/render.js';
import { type Message, mailBody } from '../../core/sandbox.js';
import { SETTINGS, type Settings } from '../settings.js';

type Refused = { readonly refused: { readonly code: string; readonly detail: string } };

/** Writes the message of an action: opens the contact's points and fills in the text. */
@Injectable()
export class Mail {
  private readonly key: ReturnType<typeof importJWK>;

  constructor(
    @Inject(RUNTIME) private readonly runtime: Pick<Runtime, 'state' | 'read'>,
    @Inject(SETTINGS) settings: Pick<Settings, 'contactPointsKey'>,
  ) {
    this.key = importJWK(settings.contactPointsKey as JWK, 'ECDH-ES');
    this.key.catch(() => undefined);
  }

  /** The body for the mailer. A message that we refuse is sent as a refusal too: it must win over an earlier call that arrives late. */
  async bodyOf(action: Action): Promise<string> {
    return mailBody(action.kind, await this.written(action));
  }

  private async written(action: Action): Promise<Message | Refused> {
    if (action.kind !== 'email.send') return refused('unknown-kind', `the mailer does not know ${action.kind}`);
    const { contactId, template, subject, body } = action.payload as PayloadOf<'email.send'>;
    const points = await this.points(contactId);
    if (!points?.email) return refused('no-address', 'no e-mail address is known of the contact');
    const [renderedSubject, renderedBody] = [render(subject, points), render(body, points)];
    if (!renderedSubject.ok) return refused(renderedSubject.code, renderedSubject.detail);
    if (!renderedBody.ok) return refused(renderedBody.code, renderedBody.detail);
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
      // Neither the ciphertext nor a parser's message may leave this function.
      throw new NotWritten('the contact points cannot be opened with CONTACT_POINTS_PRIVATE_KEY_FILE');
    }
  }
}

const refused = (code: string, detail: string): Refused => ({ refused: { code, detail } });
