import { type Hash, hashLeaf } from './merkle.js';

/**
 * One Kafka record as the log stores it. Topic, partition and offset name it. So a forged twin, a duplicate or an event that was
 * published again is a leaf of its own. A redelivery of the same record is not.
 */
export interface Leaf {
  readonly topic: string;
  readonly partition: number;
  /** Kafka's 64-bit offset in decimal. */
  readonly offset: string;
  /**
   * Kafka's id of the topic, if it was deleted and made again since the log began. Its offsets begin again, so the same
   * coordinates name another record. Absent in the leaves of the first topic of that name.
   */
  readonly topicId?: string;
  /** CloudEvents `source`; null if the record carries none. */
  readonly source: string | null;
  /** CloudEvents `id`, unique per source only; null if the record carries none. */
  readonly id: string | null;
  /**
   * SHA-256 of the stored bytes of the event: those of `eventBytes`, or the commitment that a sealing recorder stores instead.
   */
  readonly sha256: Hash;
}

/**
 * The bytes of a leaf that go into the tree: the RFC 8785 JSON, in UTF-8, of
 * `{"id","offset","partition","sha256","source","topic"}`. The offset is a string, the hash is lower-case hex. For a topic that
 * was made again, `"topicId"` is at the end. Two leaves have the same bytes only if they are equal in every field. Any language
 * can make these bytes.
 */
export function encodeLeaf(leaf: Leaf): Uint8Array {
  // RFC 8785 uses ECMAScript's JSON. With sorted names and no fractions, this is its form.
  const json = JSON.stringify({
    id: leaf.id,
    offset: leaf.offset,
    partition: leaf.partition,
    sha256: Buffer.from(leaf.sha256).toString('hex'),
    source: leaf.source,
    topic: leaf.topic,
    ...(leaf.topicId !== undefined && { topicId: leaf.topicId }),
  });
  return new TextEncoder().encode(json);
}

/** The leaf's hash in the tree. */
export const leafHash = (leaf: Leaf): Hash => hashLeaf(encodeLeaf(leaf));

/** A header's value: bytes, or text that stands for its UTF-8. */
export type HeaderValue = Uint8Array | string | null | undefined;

/** A Kafka record's content, with headers as kafkajs returns them. A null key or value differs from an empty one. */
export interface EventRecord {
  readonly key: Uint8Array | null;
  readonly headers: Readonly<Record<string, HeaderValue | readonly HeaderValue[]>>;
  readonly value: Uint8Array | null;
}

/** What `eventBytes` wrote: one entry for each header, in order, so that a repeated name keeps both values. */
export interface ReadEventBytes {
  readonly key: Uint8Array | null;
  readonly headers: readonly (readonly [name: string, value: Uint8Array | null])[];
  readonly value: Uint8Array | null;
}

const ABSENT = 0xffffffff;

/**
 * The bytes of an event whose hash is its leaf's `sha256`. They hold key, headers and value, because in CloudEvents' binary mode
 * the headers hold the attributes:
 *
 *     field(key) u32(number of headers) { field(name) field(value) } field(value)
 *
 * where u32 is big-endian and field(x) is u32(length) followed by x, or 0xFFFFFFFF for null. Headers are sorted by the UTF-8 of
 * their name; those of one name keep their order.
 */
export function eventBytes(record: EventRecord): Uint8Array {
  const headers = Object.entries(record.headers)
    .map(([name, value]) => ({ name: Buffer.from(name), values: [value].flat() as HeaderValue[] }))
    .sort((a, b) => Buffer.compare(a.name, b.name))
    .flatMap(({ name, values }) => values.map((value) => [name, value] as const));
  return new Uint8Array(
    Buffer.concat([
      ...field(record.key),
      u32(headers.length),
      ...headers.flatMap(([name, value]) => [...field(name), ...field(value)]),
      ...field(record.value),
    ]),
  );
}

/** The record from which `eventBytes` made these bytes. Throws a `RangeError` if they do not have that form, to the last byte. */
export function readEventBytes(bytes: Uint8Array): ReadEventBytes {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const number = (): number => {
    if (at + 4 > buffer.length) throw new RangeError(`event bytes end within a length, at ${at}`);
    at += 4;
    return buffer.readUInt32BE(at - 4);
  };
  const content = (): Uint8Array | null => {
    const length = number();
    if (length === ABSENT) return null;
    if (at + length > buffer.length) throw new RangeError(`event bytes end within a field, at ${at}`);
    at += length;
    return new Uint8Array(buffer.subarray(at - length, at));
  };
  const key = content();
  const headers: (readonly [string, Uint8Array | null])[] = [];
  for (let left = number(); left > 0; left -= 1) {
    const name = content();
    if (name === null) throw new RangeError(`event bytes with a header that has no name, before ${at}`);
    headers.push([Buffer.from(name).toString(), content()]);
  }
  const value = content();
  if (at !== buffer.length) throw new RangeError(`event bytes go on after the value, at ${at}`);
  return { key, headers, value };
}

function field(value: HeaderValue): Uint8Array[] {
  if (value === null || value === undefined) return [u32(ABSENT)];
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return [u32(bytes.length), bytes];
}

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
