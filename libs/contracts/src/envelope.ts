import { z } from 'zod';
import { derivedId } from './canonical.js';
import { type Decoded, decode, isJson, type MediaType, mediaType } from './charset.js';
import { parseJson, TooDeep } from './depth.js';
import { AnyInstant, type Fault } from './primitives.js';
import type { RequestCode, UnreadableCode } from './rejections.js';

/**
 * CloudEvents 1.0 context attributes, with the extensions `correlationid` (the signal or timer that began the chain),
 * `causationid` (the event that caused this one) and W3C trace context.
 */
export interface Envelope<Type extends string = string, Data = unknown> {
  readonly id: string;
  readonly source: string;
  readonly type: Type;
  /** RFC 3339. For a signal: when it happened. For an event of ours: the `at` it was decided at. */
  readonly time: string;
  readonly subject?: string;
  readonly correlationid?: string;
  readonly causationid?: string;
  readonly traceparent?: string;
  readonly tracestate?: string;
  readonly data: Data;
}

/** A record as it is on Kafka. Header values may be text or bytes. */
export interface KafkaRecord {
  readonly key: Buffer | string | null;
  readonly value: Buffer | string | null;
  readonly headers?: Readonly<Record<string, Buffer | string | readonly (Buffer | string)[] | undefined>> | undefined;
  /** Why the batch that this record represents is not read, see `boundFetches`. */
  readonly refused?: string | undefined;
  /** When the broker accepted it, in milliseconds since 1970; absent if that is not known. */
  readonly timestamp?: string;
}

/** The attributes by which a sender recognises its event. Each is present if it can be read by itself. */
export type KnownAttributes = Partial<Pick<Envelope, 'id' | 'source' | 'type' | 'time'>>;

/** The content of a record, or why it cannot be read, with the attributes that could be read. */
export type Read<E> =
  | { readonly ok: true; readonly event: E }
  | { readonly ok: false; readonly fault: Fault; readonly attributes: KnownAttributes };

/**
 * CloudEvents 1.0 §2 (type system): no control characters or halves of surrogate pairs. A database's text would not return them
 * unchanged.
 */
const attribute = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'control characters are not allowed');

const attributes = z.object({
  specversion: z.literal('1.0'),
  id: attribute(300),
  source: attribute(300),
  type: attribute(120),
  time: AnyInstant.optional(),
  subject: attribute(300).optional(),
  datacontenttype: attribute(100).optional(),
  dataschema: attribute(500).optional(),
  correlationid: attribute(300).optional(),
  causationid: attribute(300).optional(),
});
/** W3C trace context of any version, as far as version 00 defines it. */
const traceparent = attribute(100).regex(
  /^(?!ff|[0-9a-f]{2}-0{32}|[0-9a-f]{2}-[0-9a-f]{32}-0{16})[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-|$)/,
);
const tracestate = attribute(1000);

const optional = ['subject', 'correlationid', 'causationid', 'traceparent', 'tracestate'] as const;

/** The CloudEvents `source` of a service's own events; the topic's writer must match it. */
export const sourceOf = (writer: string): string => `/countersign/${writer}`;

/** The id of a service's n-th output for one causing event: a repeat gives the same id, so inboxes can drop it. */
export const outputId = (service: string, cause: { source: string; id: string }, index: number): string =>
  derivedId(service, cause.source, cause.id, index);

/** CloudEvents Kafka protocol binding 1.0.2, binary mode: attributes in `ce_` headers, data as the JSON value. */
export function toBinary(event: Envelope): { headers: Record<string, string>; value: string } {
  const headers: Record<string, string> = {
    ce_specversion: '1.0',
    ce_id: event.id,
    ce_source: event.source,
    ce_type: event.type,
    ce_time: event.time,
    'content-type': 'application/json',
  };
  for (const name of optional) {
    const value = event[name];
    if (value === undefined) continue;
    // Trace context uses its W3C names, so that tools that do not know CloudEvents see it too.
    headers[name.startsWith('trace') ? name : `ce_${name}`] = value;
  }
  return { headers, value: JSON.stringify(event.data) };
}

/** The value of a Kafka header as text; the first one if there are several. Undefined if there is none or it is not UTF-8. */
export function headerText(value: NonNullable<KafkaRecord['headers']>[string] | null): string | undefined {
  const found = headerRead(value);
  return found?.ok ? found.text : undefined;
}

function headerRead(value: NonNullable<KafkaRecord['headers']>[string] | null): Decoded | undefined {
  const first = Array.isArray(value) ? value[0] : (value as Buffer | string | undefined | null);
  if (first === undefined || first === null) return undefined;
  return typeof first === 'string' ? { ok: true, text: first } : decode(first);
}

/**
 * Reads a Kafka record in binary or structured mode, in the charset that its content type names. `parse` is parseJson unless exact
 * numbers are needed.
 */
export function fromKafka(record: KafkaRecord, parse: (text: string) => unknown = parseJson): Read<Envelope> {
  const { headers = {}, value } = record;
  const { found, fault } = headerAttributes(headers);
  const refused = (code: UnreadableCode, detail: string, field?: string) => unreadable(code, detail, field, found);
  if (record.refused !== undefined) return refused('batch', record.refused);
  if (value === null) return refused('no-value', 'the record has no value');
  const written = headerRead(headers['content-type'] ?? headers.content_type);
  const media = written === undefined ? json : written.ok ? mediaType(written.text) : undefined;
  const structured = media?.essence === 'application/cloudevents+json';
  if (!media || (!structured && (!isJson(media) || media.essence.startsWith('application/cloudevents')))) {
    return refused('media-type', `content-type: ${onlyJson}, not ${shownType(written)}`, 'content-type');
  }
  const text: Decoded = typeof value === 'string' ? { ok: true, text: value } : decode(value, media.charset);
  if (!text.ok) return refused(text.fault.code, `the value: ${text.fault.detail}`);
  let body: unknown;
  try {
    body = parse(text.text);
  } catch (error) {
    const { code, detail } = jsonFault('the value', error);
    return refused(code, detail);
  }
  const trace = { traceparent: headerText(headers.traceparent), tracestate: headerText(headers.tracestate) };
  if (structured) return fromStructured(body, trace, parse);
  if (headers.ce_specversion === undefined && isStructured(body)) return wronglyTyped(shownType(written), 'ce_', body);
  return fault ? refused('bad-attribute', fault.detail, fault.field) : envelope(found, body, 'ce_', trace);
}

/** The attributes of binary mode, and the fault of the first attribute that is not UTF-8. */
function headerAttributes(headers: NonNullable<KafkaRecord['headers']>) {
  const found: Record<string, unknown> = {};
  let fault: { readonly detail: string; readonly field: string } | undefined;
  for (const name of attributeNames) {
    const field = `ce_${name}`;
    const given = headerRead(headers[field]);
    if (given?.ok) found[name] = given.text;
    else if (given && !isTrace(name)) fault ??= { detail: `${field}: ${given.fault.detail}`, field };
  }
  return { found, fault };
}

/** Trace context that the transport has beside an event, not checked yet. */
export interface GivenTrace {
  readonly traceparent?: unknown;
  readonly tracestate?: unknown;
}

/** Reads a structured-mode body (`application/cloudevents+json`), for HTTP and Kafka alike. A member that is null counts as absent. */
export function fromStructured(
  body: unknown,
  trace: GivenTrace = {},
  parse: (text: string) => unknown = parseJson,
): Read<Envelope> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return unreadable('not-an-object', 'a structured CloudEvent is a JSON object');
  }
  const { data, data_base64, ...rest } = body as Record<string, unknown>;
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null));
  if (data_base64 === undefined || data_base64 === null) return envelope(given, data, '', trace);
  if (data !== undefined && data !== null) {
    return unreadable('bad-attribute', 'data_base64: give it or data, not both', 'data_base64', given);
  }
  const read = fromBase64(data_base64, given.datacontenttype, parse);
  if (read.ok) return envelope(given, read.data, '', trace);
  const { code, detail, field } = read.fault;
  return unreadable(code, detail, field, given);
}

function fromBase64(
  base64: unknown,
  contentType: unknown,
  parse: (text: string) => unknown,
): { ok: true; data: unknown } | { ok: false; fault: UnreadableFault } {
  const field = 'data_base64';
  if (typeof base64 !== 'string' || base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) {
    return unreadable('not-json', `${field}: not base64 (RFC 4648)`, field);
  }
  const media = contentType === undefined ? json : typeof contentType === 'string' ? mediaType(contentType) : undefined;
  if (!media || !isJson(media)) {
    return unreadable('media-type', `datacontenttype: ${onlyJson}`, 'datacontenttype');
  }
  const text = decode(Buffer.from(base64, 'base64'), media.charset);
  if (!text.ok) return unreadable(text.fault.code, `${field}: ${text.fault.detail}`, field);
  try {
    return { ok: true, data: parse(text.text) };
  } catch (error) {
    const { code, detail } = jsonFault(field, error);
    return unreadable(code, detail, field);
  }
}

/**
 * Checks attributes that came from headers or members. `prefix` is how the sender spelled them, for the fault. A bad trace context
 * is no reason to lose an event: the event's own is used, otherwise the transport's, and an unusable one is left out.
 */
export function envelope(
  given: Readonly<Record<string, unknown>>,
  data: unknown,
  prefix: string,
  trace: GivenTrace = {},
): Read<Envelope> {
  const parsed = attributes.safeParse(given);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const field = `${prefix}${issue?.path.join('.') ?? ''}`;
    return unreadable('bad-attribute', `${field}: ${issue?.message ?? 'invalid'}`, field, given);
  }
  const { specversion: _specversion, datacontenttype: _type, dataschema: _schema, time, ...rest } = parsed.data;
  if (time === undefined) {
    return unreadable('bad-attribute', `${prefix}time: required, RFC 3339`, `${prefix}time`, given);
  }
  const traced = usable(given) ?? usable(trace);
  // Zod leaves out members that were not given, so no attribute is present as undefined.
  return { ok: true, event: { ...rest, time: new Date(time).toISOString(), ...traced, data } as Envelope };
}

/** A `tracestate` means nothing without its `traceparent` (W3C Trace Context §3.3). */
function usable(given: GivenTrace): { traceparent: string; tracestate?: string } | undefined {
  const parent = traceparent.safeParse(given.traceparent);
  if (!parent.success) return undefined;
  const state = tracestate.safeParse(given.tracestate);
  return { traceparent: parent.data, ...(state.success && { tracestate: state.data }) };
}

/** Whether a body is itself a CloudEvent, or a batch of them. In binary mode this shows a wrong content type. */
export const isStructured = (body: unknown): boolean => {
  const first: unknown = Array.isArray(body) ? body[0] : body;
  return typeof first === 'object' && first !== null && 'specversion' in first;
};

/** The fault of a structured event that has the content type of binary mode. */
export const wronglyTyped = (contentType: string, prefix: string, body: unknown): Unread =>
  unreadable(
    'media-type',
    `content-type: ${contentType} has its attributes in ${prefix} headers; for a structured event say application/cloudevents+json`,
    'content-type',
    body,
  );

const json: MediaType = { essence: 'application/json' };
const onlyJson = 'only JSON is understood, application/json or application/cloudevents+json';
const shownType = (written: Decoded | undefined): string =>
  written === undefined ? 'none' : written.ok ? written.text.slice(0, 60) : 'one that is not UTF-8';
const attributeNames = [...Object.keys(attributes.shape), 'traceparent', 'tracestate'];
const isTrace = (name: string): boolean => name.startsWith('trace');

type UnreadableFault = Fault & { readonly code: UnreadableCode | RequestCode };
type Unread = Extract<Read<never>, { ok: false }> & { readonly fault: UnreadableFault };

/** An event that cannot be read. `given` has its attributes, unchecked: each attribute that can be read by itself. */
export const unreadable = (
  code: UnreadableCode | RequestCode,
  detail: string,
  field?: string,
  given?: unknown,
): Unread => ({
  ok: false,
  fault: field === undefined ? { code, detail } : { code, detail, field },
  attributes: Array.isArray(given) ? {} : attributesOf(given),
});

const tellable = attributes
  .pick({ id: true, source: true, type: true })
  .extend({ time: AnyInstant.transform((text) => new Date(text).toISOString()) });

function attributesOf(given: unknown): KnownAttributes {
  const read = Object.entries(tellable.shape).flatMap(([name, schema]) => {
    const attribute = schema.safeParse((given as Record<string, unknown> | undefined | null)?.[name]);
    return attribute.data === undefined ? [] : [[name, attribute.data] as const];
  });
  return Object.fromEntries(read);
}

/** Why a text could not be read. V8 quotes the text around a fault; that may hold personal data, so only the position is kept. */
export function jsonFault(
  subject: string,
  error: unknown,
): { readonly code: 'not-json' | 'too-deep'; readonly detail: string } {
  const message = error instanceof Error ? error.message : '';
  if (error instanceof TooDeep) return { code: 'too-deep', detail: `${subject} is ${message}` };
  const reason = /^(repeated member|number |half of a surrogate)/.test(message)
    ? message
    : (/position \d+/.exec(message)?.[0] ?? 'cannot be parsed');
  return { code: 'not-json', detail: `${subject} is not JSON: ${reason}` };
}
