import {
  type Envelope,
  type Fault,
  headerText,
  type KnownAttributes,
  readEvent,
  sha256,
  type Topic,
} from '@countersign/contracts';
import type { Refusable } from '@countersign/kafka';
import type { Processing } from '@countersign/telemetry';
import type { Received, SetAside } from '../api/runtime.js';
import { printable } from '../text.js';

/** A record as the consumer received it. */
export interface RawRecord {
  readonly partition: number;
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>> | undefined;
  /** When the broker took it, in milliseconds since 1970; a test may leave it out. */
  readonly timestamp?: string;
  /**
   * Where the partition goes on after this record, if not at its offset + 1: past a transaction's marker, or past aborted
   * records.
   */
  readonly next?: string;
  /** Why a batch is not read. Such a record stands for the whole batch; see `boundFetches` of `libs/kafka`. */
  readonly refused?: string;
}

/** Why the batch of a message is not read, if it is not. */
export const refusalOf = (message: { readonly offset: string }): Pick<RawRecord, 'refused'> => {
  const { refused } = message as Refusable;
  return refused === undefined ? {} : { refused };
};

/** Where the partition goes on after a record. */
export const nextOf = ({ offset, next }: RawRecord): string => next ?? String(BigInt(offset) + 1n);

/** One record on its way through a batch. `source` and `id` are its key in the inbox. */
export interface Entry {
  readonly record: RawRecord;
  readonly sha: string;
  readonly source: string;
  readonly id: string;
  readonly event?: Envelope;
  readonly fault?: Fault;
  /** The readable attributes of a record that is not an event of its own. */
  readonly hint?: KnownAttributes;
}

/** Reads a record into an entry. An unreadable record gets its place as its key. */
export function readEntry(topic: Topic, record: RawRecord): Entry {
  const sha = sha256(record.value ?? '');
  const place = `${topic.name}/${record.partition}/${record.offset}`;
  const read = readEvent(topic, record);
  if (read.ok) return { record, sha, source: read.event.source, id: read.event.id, event: read.event };
  return { record, sha, source: '~unreadable', id: place, fault: read.fault, hint: read.attributes };
}

/** The entry of a record that is not an event of its own: a second use of an id. Its place is its key. */
export function asideOf(topic: string, entry: Entry, source: '~duplicate' | '~reused', fault: Fault): Entry {
  const { event, record, sha } = entry;
  const hint = event ? { source: event.source, id: event.id, type: event.type, time: event.time } : entry.hint;
  return { record, sha, source, id: `${topic}/${record.partition}/${record.offset}`, fault, ...(hint && { hint }) };
}

/**
 * Headers as `jsonb` can hold them. The attributes are read from them again when the event is replayed. A header that is not
 * UTF-8 is left out: with replaced characters it would be an attribute that nobody sent.
 */
export const textHeaders = (record: RawRecord): Record<string, string> =>
  Object.fromEntries(
    Object.entries(record.headers ?? {}).flatMap(([name, value]) => {
      const text = headerText(value);
      return text === undefined ? [] : [[printable(name), printable(text, 1_000)]];
    }),
  );

/** A fault may name a member of the data or quote a message, and both can hold anything. */
export const textFault = ({ code, detail, field }: Fault): Fault => ({
  code: printable(code, 80),
  detail: printable(detail, 1_000),
  ...(field !== undefined && { field: printable(field) }),
});

/** When the broker took a record, if that is known. */
export const takenAt = ({ timestamp }: Pick<RawRecord, 'timestamp'>): { readonly takenAt?: string } => {
  const ms = Number(timestamp);
  return Number.isSafeInteger(ms) && ms > 0 ? { takenAt: new Date(ms).toISOString() } : {};
};

/** An event as a handler gets it. */
export const received = (topic: string, { record, sha, event }: Entry, span?: Processing): Received => ({
  // Outputs are children of this event's handling, so the handler gets the trace context of the handling.
  event: (span?.traceparent ? { ...event, traceparent: span.traceparent } : event) as Received['event'],
  topic,
  partition: record.partition,
  offset: record.offset,
  ...takenAt(record),
  key: record.key?.toString() ?? null,
  sha256: sha,
  bytes: record.value as Buffer,
  raw: { key: record.key, headers: record.headers ?? {}, value: record.value },
});

/** A record that was set aside, as a handler gets it. */
export const setAside = (topic: string, { record, sha, source, id, fault, hint }: Entry): SetAside => ({
  reason: source === '~duplicate' ? 'duplicate' : 'unreadable',
  fault: textFault(fault as Fault),
  topic,
  partition: record.partition,
  offset: record.offset,
  key: record.key === null ? null : printable(record.key.toString()),
  sha256: sha,
  ...hint,
  cause: { source, id, correlationid: hint?.id ?? id, causationid: hint?.id ?? id },
});
