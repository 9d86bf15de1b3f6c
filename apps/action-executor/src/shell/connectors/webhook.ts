import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { TooLong, wholeBody } from '@countersign/contracts';
import type { ApprovedAction } from '@countersign/gate';
import { Webhook as Signer } from 'standardwebhooks';
import { Agent, request } from 'undici';
import { type Answer, type Found, NotSent, type Unknown } from '../../core/answer.js';
import { answerOf, foundOf, questionBody, webhookBody } from '../../core/webhook.js';
import type { Connector } from '../connector.js';
import type { WebhookSettings } from '../settings.js';

const longestAnswer = 64 * 1024;

/**
 * A signed webhook (Standard Webhooks 1.0): the way to a system that is not ours. `webhook-id` of a call is the idempotency key,
 * the same on every repeat; what the receiver owes is in this app's README.
 */
export class Webhook implements Connector {
  readonly name = 'webhook';
  readonly timeoutMs: number;
  private readonly signer: Signer;
  /** Its own, and not more of them, whatever the receiver does with them. */
  private readonly connections = new Agent({ connections: 64 });

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
    // An id of its own: under the call's a receiver that drops repeats would drop the question, or after it the call.
    const { status, text } = await this.send(url.href, `question_${randomUUID()}`, questionBody(key), {}, signal);
    return foundOf(status, text, key);
  }

  private async send(
    url: string,
    id: string,
    body: string,
    more: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ) {
    const at = new Date();
    let begun = false;
    // Asked for when the connection stands and the request is about to be written: before that, nothing has left.
    const bytes = async function* () {
      begun = true;
      yield Buffer.from(body);
    };
    const sending = request(url, {
      method: 'POST',
      signal,
      dispatcher: this.connections,
      headers: {
        ...more,
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
        'webhook-signature': this.signer.sign(id, at, body),
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(body)),
      },
      body: Readable.from(bytes()),
    });
    // undici tells of an abort when it has a connection; a request that is aborted before that is never written.
    const response = await Promise.race([sending, aborted(signal)]).catch((error: unknown) => {
      if (begun) throw error;
      const { code, name } = error as { code?: unknown; name?: unknown };
      throw new NotSent(`the receiver could not be reached (${typeof code === 'string' ? code : String(name)})`);
    });
    return { status: response.statusCode, text: await textOf(response.body) };
  }
}

/** The body; undefined where it is longer than an answer may be: the connection is closed then, whatever would still come. */
async function textOf(body: AsyncIterable<Uint8Array>): Promise<string | undefined> {
  try {
    // What is no UTF-8 is only shown: an outcome is ASCII.
    return new TextDecoder().decode(await wholeBody(body, longestAnswer));
  } catch (error) {
    if (error instanceof TooLong) return undefined;
    throw error;
  }
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
