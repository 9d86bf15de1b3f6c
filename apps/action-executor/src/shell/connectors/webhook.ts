import { randomUUID } from 'node:crypto';
import type { ApprovedAction } from '@countersign/gate';
import { Webhook as Signer } from 'standardwebhooks';
import type { Answer, Found, Unknown } from '../../core/answer.js';
import { answerOf, foundOf, questionBody, webhookBody } from '../../core/webhook.js';
import type { Connector } from '../connector.js';
import type { WebhookSettings } from '../settings.js';
import { Receiver, type Replied } from './receiver.js';

/**
 * A signed webhook (Standard Webhooks 1.0): the way to a system that is not ours. The `webhook-id` of a call is its idempotency key, the
 * same on every repeat. The duties of the receiver are in this app's README.
 */
export class Webhook implements Connector {
  readonly name = 'webhook';
  readonly timeoutMs: number;
  private readonly signer: Signer;
  private readonly receiver = new Receiver(64);

  constructor(private readonly settings: WebhookSettings) {
    this.timeoutMs = settings.timeoutMs;
    this.signer = new Signer(settings.secret);
  }

  async call({ action }: ApprovedAction, key: string, signal: AbortSignal): Promise<Answer | Unknown> {
    const keyed = { 'idempotency-key': key };
    const { status, text } = await this.send(this.settings.url, key, webhookBody(action), keyed, signal);
    return answerOf(status, text, key);
  }

  async find(key: string, signal: AbortSignal): Promise<Found> {
    const url = new URL(this.settings.url);
    url.searchParams.set('key', key);
    // A question has its own id. Under the call's id, a receiver that drops repeats would drop the question, or drop a call that
    // follows.
    const { status, text } = await this.send(url.href, `question_${randomUUID()}`, questionBody(key), {}, signal);
    return foundOf(status, text, key);
  }

  private send(
    url: string,
    id: string,
    body: string,
    more: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Replied> {
    const at = new Date();
    const headers = {
      ...more,
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': this.signer.sign(id, at, body),
    };
    return this.receiver.send({ url, method: 'POST', headers, body }, signal);
  }
}
