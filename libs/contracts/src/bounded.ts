import { decode } from './charset.js';

/** Thrown if a body from outside has more bytes than allowed. */
export class TooLong extends Error {
  readonly code = 'too-long';
  constructor(readonly bytes: number) {
    super(`more than ${bytes} bytes`);
  }
}

/**
 * The chunks of a body from outside, at most `bytes` bytes together. Instead of the chunk that exceeds this, it throws `TooLong`.
 * Then, or if its reader stops early, the rest of the body is abandoned, which closes the connection of a response.
 */
export async function* atMost<Chunk extends Uint8Array>(
  body: AsyncIterable<Chunk>,
  bytes: number,
): AsyncGenerator<Chunk, void, undefined> {
  let length = 0;
  for await (const chunk of body) {
    length += chunk.byteLength;
    if (length > bytes) throw new TooLong(bytes);
    yield chunk;
  }
}

/**
 * A whole body from outside, of at most `bytes` bytes; empty if there is no body. If there are more, it throws `TooLong` and
 * abandons the body.
 */
export async function wholeBody(body: AsyncIterable<Uint8Array> | null, bytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  if (body) for await (const chunk of atMost(body, bytes)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/**
 * The text of a whole body from outside, of at most `bytes` bytes, in UTF-8. Throws `TooLong` if there are more, and an error if it
 * is not UTF-8.
 */
export async function wholeText(body: AsyncIterable<Uint8Array> | null, bytes: number): Promise<string> {
  const read = decode(await wholeBody(body, bytes));
  if (!read.ok) throw new Error(read.fault.detail);
  return read.text;
}
