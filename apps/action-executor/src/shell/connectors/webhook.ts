import type { ApprovedAction } from '@countersign/gate';
import { Webhook as Signer } from 'standardwebhooks';
import { request } from 'undici';
import type { Answer, Found, Unknown } from '../../core/answer.js';
import { answerOf, foundOf, webhookBody } from '../../core/webhook.js';
import type { Connector } from '../connector.js';
import type { WebhookSettings } from '../settings.js';

const longestAnswer = 64 * 1024;

/**
 * A signed webhook (Standard Webhooks 1.0): the way to a system that is not ours. `webhook-id` is the idempotency key, the same
 * on every repeat; what the receiver owes is in this app's README.
 */
export class Webhook implements Connector {
  readonly name = 'webhook';
  readonly timeoutMs: number;
  private readonly signer: Signer;

  constructor(private readonly settings: WebhookSettings) {
    this.timeoutMs = settings.timeoutMs;
    this.signer = new Signer(settings.secret);
  }

  async call({ action }: ApprovedAction, key: string, signal: AbortSignal): Promise<Answer | Unknown> {
    const body = webhookBody(action);
    const { status, text } = await this.send('POST', this.settings.url, key, body, signal);
    return answerOf(status, text, key);
  }

  async find(key: string, signal: AbortSignal): Promise<Found> {
    const url = new URL(this.settings.url);
    url.searchParams.set('key', key);
    const { status, text } = await this.send('GET', url.href, key, '', signal);
    return foundOf(status, text, key);
  }

  private async send(method: 'GET' | 'POST', url: string, key: string, body: string, signal: AbortSignal) {
    const at = new Date();
    const response = await request(url, {
      method,
      signal,
      headers: {
        'webhook-id': key,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
        'webhook-signature': this.signer.sign(key, at, body),
        'idempotency-key': key,
        ...(method === 'POST' && { 'content-type': 'application/json' }),
      },
      ...(method === 'POST' && { body }),
    });
    let text = '';
    for await (const chunk of response.body.setEncoding('utf8')) {
      if (text.length < longestAnswer) text += chunk;
    }
    return { status: response.statusCode, text };
  }
}
