import { type Bytes, encode, fromBase64, sha256, toHex } from './bytes.js';
import { hashLeaf } from './tree.js';

/** An event as the console stores it: its place on Kafka, and its bytes in base64. */
export interface StoredEvent {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly source: string;
  readonly id: string;
  readonly bytes: string;
}

/** The SHA-256 of an event's bytes in hexadecimal, computed here; undefined if the bytes are not valid base64. */
export async function digestOf(event: StoredEvent): Promise<string | undefined> {
  const bytes = fromBase64(event.bytes);
  return bytes && toHex(await sha256(bytes));
}

/** The hash that the leaf in the record should have: of the RFC 8785 JSON of place, name and digest. */
export function leafHashOf(event: StoredEvent, digest: string, topicId: string | null): Promise<Bytes> {
  const { id, offset, partition, source, topic } = event;
  const leaf = { id, offset, partition, sha256: digest, source, topic, ...(topicId !== null && { topicId }) };
  return hashLeaf(encode(JSON.stringify(leaf)));
}

export interface ReadEvent {
  readonly key: string | null;
  readonly headers: readonly (readonly [name: string, value: string | null])[];
  /** The value as JSON; as text if it is not JSON. */
  readonly value: unknown;
}

/** The id of the trace in which an event was written (W3C Trace Context); undefined if it was written in none. */
export function traceIdIn({ headers }: Pick<ReadEvent, 'headers'>): string | undefined {
  const [, parent] = headers.find(([name]) => name === 'traceparent') ?? [];
  return /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-/.exec(parent ?? '')?.[1];
}

const absent = 0xffffffff;

/** The content of an event's bytes; undefined if they have another form. */
export function readEvent(encoded: string): ReadEvent | undefined {
  const bytes = fromBase64(encoded);
  if (!bytes) return undefined;
  const view = new DataView(bytes.buffer);
  let at = 0;
  const number = (): number => {
    at += 4;
    return view.getUint32(at - 4);
  };
  const field = (): string | null => {
    const length = number();
    if (length === absent) return null;
    if (at + length > bytes.length) throw new RangeError('a field ends after the bytes');
    at += length;
    return new TextDecoder().decode(bytes.subarray(at - length, at));
  };
  try {
    const key = field();
    const headers: [string, string | null][] = [];
    for (let left = number(); left > 0; left -= 1) headers.push([field() ?? '', field()]);
    const value = field();
    return at === bytes.length ? { key, headers, value: parsed(value) } : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function parsed(text: string | null): unknown {
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return text;
  }
}
