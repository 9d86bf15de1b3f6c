import { Readable } from 'node:stream';
import { TooLong, wholeBody } from '@countersign/contracts';
import { Agent, request } from 'undici';
import { NotSent } from '../../core/answer.js';

/** The only part of an error that may be reported: its message may quote the data that was to be sent. */
export function codeOrName(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: unknown };
  return typeof code === 'string' ? code : String(name);
}

const longestAnswer = 64 * 1024;

/** What is sent to a receiver. */
export interface Sent {
  readonly url: string;
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. A request without a body is a question, and never says whether anything was sent. */
  readonly body?: string;
}

/** The reply. `text` is undefined if it is longer than an answer may be. */
export interface Replied {
  readonly status: number;
  readonly text: string | undefined;
}

/**
 * A connected system over HTTP. It has its own connections, which stay open. Their number is limited, whatever the system does with them.
 */
export class Receiver {
  private readonly connections: Agent;

  constructor(connections: number) {
    // Idle connections are closed here first: if the other side closes one during a request, the result of the request is in doubt.
    this.connections = new Agent({ connections, keepAliveMaxTimeout: 30_000 });
  }

  /** Throws `NotSent` if it is certain that no part of the body was sent. Never follows a redirect. */
  async send({ url, method, headers, body }: Sent, signal: AbortSignal): Promise<Replied> {
    let begun = body === undefined;
    // undici reads this when the connection is open and the request is about to be written. Before that, nothing was sent.
    const bytes = async function* () {
      begun = true;
      yield Buffer.from(body ?? '');
    };
    const sending = request(url, {
      method,
      signal,
      dispatcher: this.connections,
      headers: {
        ...headers,
        ...(body !== undefined && {
          'content-type': 'application/json',
          'content-length': String(Buffer.byteLength(body)),
        }),
      },
      ...(body !== undefined && { body: Readable.from(bytes()) }),
    });
    // undici reports an abort only once it has a connection. A request that is aborted before that is never written.
    const response = await Promise.race([sending, aborted(signal)]).catch((error: unknown) => {
      if (begun) throw error;
      throw new NotSent(`the receiver could not be reached (${codeOrName(error)})`);
    });
    return { status: response.statusCode, text: await textOf(response.body) };
  }
}

/** The body; undefined if it is longer than an answer may be. In that case the connection is closed, whatever is still to come. */
async function textOf(body: AsyncIterable<Uint8Array>): Promise<string | undefined> {
  try {
    // Text that is not UTF-8 is only shown: an outcome is ASCII.
    return new TextDecoder().decode(await wholeBody(body, longestAnswer));
  } catch (error) {
    if (error instanceof TooLong) return undefined;
    throw error;
  }
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
