import { isUtf8 } from 'node:buffer';
import { MIMEType, TextDecoder } from 'node:util';
import type { Fault } from './primitives.js';

/** A media type in lower case, and the charset that it names. */
export interface MediaType {
  readonly essence: string;
  readonly charset?: string;
}

/** Reads the value of a `content-type`, in any case (RFC 9110 §8.3.1). Undefined if it is not valid. */
export function mediaType(text: string): MediaType | undefined {
  try {
    const { essence, params } = new MIMEType(text);
    const charset = params.get('charset');
    return { essence, ...(charset !== null && { charset }) };
  } catch {
    return undefined;
  }
}

/** Whether a media type's content is JSON (RFC 8259, or a `+json` of RFC 6839). */
export const isJson = ({ essence }: MediaType): boolean => /^application\/([a-z0-9.+-]+\+)?json$/.test(essence);

/** A text, or why the bytes are not a text. */
export type Decoded =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly fault: Fault & { readonly code: 'charset' } };

/** Whether `decode` knows a charset by this name (a label of the WHATWG Encoding Standard). */
export const isCharset = (label: string): boolean => decoderOf(label) !== undefined;

/**
 * The text of bytes in the stated charset. A byte order mark overrides the stated charset, and is left out. Bytes that cannot be
 * decoded are never replaced: the fault names the charset and the position of the first such byte, from 0.
 */
export function decode(bytes: Uint8Array, stated = 'utf-8'): Decoded {
  const charset = charsetOf(bytes, stated);
  const decoder = decoderOf(charset);
  if (!decoder) return unreadable(`the charset ${shown(charset)} is not known`);
  if (decoder.encoding === 'utf-8' && isUtf8(bytes)) {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
    return { ok: true, text: text.startsWith('\ufeff') ? text.slice(1) : text };
  }
  try {
    return { ok: true, text: decoder.decode(bytes) };
  } catch {
    return unreadable(`not ${shown(charset)}: byte ${firstBad(bytes, charset)} cannot be decoded`);
  }
}

/** The charset that the byte order mark of the first bytes names, otherwise the stated one. */
export function charsetOf(bytes: Uint8Array, stated: string): string {
  const [a, b, c] = bytes;
  if (a === 0xef && b === 0xbb && c === 0xbf) return 'utf-8';
  if (a === 0xfe && b === 0xff) return 'utf-16be';
  return a === 0xff && b === 0xfe ? 'utf-16le' : stated;
}

function decoderOf(label: string): TextDecoder | undefined {
  try {
    return new TextDecoder(label, { fatal: true });
  } catch {
    return undefined;
  }
}

/** The position, from 0, of the first byte that a charset cannot decode. If a sequence breaks off, the position of its beginning. */
export function firstBad(bytes: Uint8Array, charset: string): number {
  const decoded = (length: number): string =>
    new TextDecoder(charset, { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, length), { stream: true });
  let [good, bad] = [0, bytes.length];
  while (good < bad) {
    const middle = (good + bad) >> 1;
    try {
      decoded(middle + 1);
      good = middle + 1;
    } catch {
      bad = middle;
    }
  }
  return new TextDecoder(charset).encoding === 'utf-8' ? Buffer.byteLength(decoded(good)) : good;
}

const shown = (charset: string): string => (/^[\w.:+-]{1,40}$/.test(charset) ? charset.toUpperCase() : 'that is named');

const unreadable = (detail: string): Decoded => ({ ok: false, fault: { code: 'charset', detail } });
