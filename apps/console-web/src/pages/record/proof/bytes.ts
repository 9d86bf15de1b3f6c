/** Bytes with a buffer of their own, which `crypto.subtle` requires. */
export type Bytes = Uint8Array<ArrayBuffer>;

interface Base64 {
  fromBase64?(text: string, options: { lastChunkHandling: 'strict' }): Bytes;
}

/** Standard base64 with its padding; undefined if the text is anything else. */
export function fromBase64(text: string): Bytes | undefined {
  const { fromBase64: decoded } = Uint8Array as unknown as Base64;
  try {
    // Many times faster, but it ignores white space.
    if (decoded !== undefined && !/\s/.test(text))
      return decoded.call(Uint8Array, text, { lastChunkHandling: 'strict' });
    const binary = atob(text);
    return btoa(binary) === text ? Uint8Array.from(binary, (character) => character.charCodeAt(0)) : undefined;
  } catch {
    return undefined;
  }
}

/** 32 bytes in lower-case hexadecimal; undefined if the text is anything else. */
export const hashFromHex = (text: unknown): Bytes | undefined =>
  typeof text === 'string' && /^[0-9a-f]{64}$/.test(text)
    ? Uint8Array.from({ length: 32 }, (_, at) => Number.parseInt(text.slice(at * 2, at * 2 + 2), 16))
    : undefined;

export const toHex = (bytes: Bytes): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

export const sameBytes = (a: Bytes, b: Bytes): boolean =>
  a.length === b.length && a.every((byte, at) => byte === b[at]);

export function joined(...parts: readonly Bytes[]): Bytes {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export const encode = (text: string): Bytes => new TextEncoder().encode(text);

export const sha256 = async (...parts: readonly Bytes[]): Promise<Bytes> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', joined(...parts)));
