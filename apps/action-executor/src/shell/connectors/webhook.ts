import { Readable } from 'node:stream';
import type { ApprovedAction } from '@countersign/gate';
import { Webhook as Signer } from 'standardwebhooks';
import { request } from 'undici';
import { type Answer, type Found, NotSent, type Unknown } from '../../core/answer.js';
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
    let begun = false;
    // Asked for when the connection stands and the request is about to be written: before that, nothing has left.
    const bytes = async function* () {
      begun = true;
      yield Buffer.from(body);
    };
    const sending = request(url, {
      method,
      signal,
      headers: {
        'webhook-id': key,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
        'webhook-signature': this.signer.sign(key, at, body),
        'idempotency-key': key,
        ...(method === 'POST' && {
          'content-type': 'application/json',
          'content-length': String(Buffer.byteLength(body)),
        }),
      },
      ...(method === 'POST' && { body: Readable.from(bytes()) }),
    });
    // undici tells of an abort when it has a connection; a request that is aborted before that is never written.
    const response = await Promise.race([sending, aborted(signal)]).catch((error: unknown) => {
      if (begun) throw error;
      const { code, name } = error as { code?: unknown; name?: unknown };
      throw new NotSent(`the receiver could not be reached (${typeof code === 'string' ? code : String(name)})`);
    });
    let text: string | undefined = '';
    for await (const chunk of response.body.setEncoding('utf8')) {
      if (text !== undefined) text = text.length + chunk.length <= longestAnswer ? text + chunk : undefined;
    }
    return { status: response.statusCode, text };
  }
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
