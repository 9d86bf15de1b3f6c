import { Readable } from 'node:stream';
import { TooLong, wholeBody } from '@countersign/contracts';
import { Agent, request } from 'undici';
import { NotSent } from '../../core/answer.js';

/** What may be told of an error: its message may quote what was to be sent. */
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
  /** JSON. Without one it is a question, and never tells whether anything has left. */
  readonly body?: string;
}

/** What came back; `text` is undefined where it is longer than an answer may be. */
export interface Replied {
  readonly status: number;
  readonly text: string | undefined;
}

/** A connected system over HTTP: connections of its own that stay open, and not more of them, whatever it does with them. */
export class Receiver {
  private readonly connections: Agent;

  constructor(connections: number) {
    // Left alone for so long, they are closed here first: a request on one that the other side just closes would be in doubt.
    this.connections = new Agent({ connections, keepAliveMaxTimeout: 30_000 });
  }

  /** Throws `NotSent` where it is certain that nothing of the body has left, and never follows a redirect. */
  async send({ url, method, headers, body }: Sent, signal: AbortSignal): Promise<Replied> {
    let begun = body === undefined;
    // Asked for when the connection stands and the request is about to be written: before that, nothing has left.
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
    // undici tells of an abort when it has a connection; a request that is aborted before that is never written.
    const response = await Promise.race([sending, aborted(signal)]).catch((error: unknown) => {
      if (begun) throw error;
      throw new NotSent(`the receiver could not be reached (${codeOrName(error)})`);
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
