import { decode } from './charset.js';

/** Thrown where a body from outside has more bytes than it may. */
export class TooLong extends Error {
  readonly code = 'too-long';
  constructor(readonly bytes: number) {
    super(`more than ${bytes} bytes`);
  }
}

/**
 * The chunks of a body from outside, of `bytes` bytes together at most. At more it throws `TooLong` in place of the chunk that is too
 * much. Then, and where its reader stops early, the body is left, which closes the connection of a response.
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

/** A whole body from outside, of `bytes` bytes at most; none where there is no body. Throws `TooLong` at more, and leaves the body. */
export async function wholeBody(body: AsyncIterable<Uint8Array> | null, bytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  if (body) for await (const chunk of atMost(body, bytes)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The text of a whole body from outside, of `bytes` bytes at most, in UTF-8. Throws `TooLong` at more, and where it is no such text. */
export async function wholeText(body: AsyncIterable<Uint8Array> | null, bytes: number): Promise<string> {
  const read = decode(await wholeBody(body, bytes));
  if (!read.ok) throw new Error(read.fault.detail);
  return read.text;
}
