/** Far above anything that a service answers in one piece. */
const longest = 64 * 1024 * 1024;

/** Thrown for an answer that is longer than any of ours. */
export class TooLong extends Error {}

/**
 * The JSON of an answer, of at most `bytes`: whatever listens there may never end. Beyond them the connection is closed and it
 * throws `TooLong`; what is no JSON throws too.
 */
export async function jsonOf<T>(response: Response, bytes = longest): Promise<T> {
  const parts: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop cancels the body, and so closes the connection.
  for await (const part of response.body ?? []) {
    length += part.byteLength;
    if (length > bytes) throw new TooLong(`the answer has more than ${bytes} bytes`);
    parts.push(part);
  }
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts))) as T;
}
