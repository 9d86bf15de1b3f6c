import { z } from 'zod';
import { derivedId } from './canonical.js';
import { AnyInstant, type Fault } from './primitives.js';

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

/** A record as Kafka has it; header values may be text or bytes. */
export interface KafkaRecord {
  readonly key: Buffer | string | null;
  readonly value: Buffer | string | null;
  readonly headers?: Readonly<Record<string, Buffer | string | readonly (Buffer | string)[] | undefined>> | undefined;
}

/** What was read from a record, or why it cannot be. */
export type Read<E> = { readonly ok: true; readonly event: E } | { readonly ok: false; readonly fault: Fault };

/** CloudEvents 1.0 §2 (type system): no control characters or halves of surrogate pairs, which a database's text would not give back. */
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
  traceparent: attribute(100).optional(),
  tracestate: attribute(1000).optional(),
});

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
    // Trace context travels under its W3C names, so that tools that know nothing of CloudEvents see it too.
    headers[name.startsWith('trace') ? name : `ce_${name}`] = value;
  }
  return { headers, value: JSON.stringify(event.data) };
}

/** Reads a Kafka record in binary or structured mode. `parse` is JSON.parse unless exactness is needed. */
export function fromKafka(record: KafkaRecord, parse: (text: string) => unknown = JSON.parse): Read<Envelope> {
  const header = (name: string): string | undefined => {
    const value = record.headers?.[name];
    const one = Array.isArray(value) ? value[0] : value;
    return one === undefined || one === null ? undefined : one.toString();
  };
  if (record.value === null) return unreadable('no-value', 'the record has no value');
  const contentType = header('content-type') ?? header('content_type');
  let body: unknown;
  try {
    body = parse(record.value.toString());
  } catch (error) {
    return unreadable('not-json', `the value is not JSON: ${jsonFault(error)}`);
  }
  if (contentType?.startsWith('application/cloudevents')) {
    if (!contentType.startsWith('application/cloudevents+json')) {
      return unreadable(
        'not-json',
        `only JSON is understood in structured mode, not ${contentType.slice(0, 60)}`,
        'content-type',
      );
    }
    return fromStructured(body, { traceparent: header('traceparent'), tracestate: header('tracestate') });
  }
  if (contentType !== undefined && !/^application\/([a-z0-9.+-]+\+)?json\b/i.test(contentType)) {
    return unreadable('not-json', `only JSON data is understood, not ${contentType.slice(0, 60)}`, 'content-type');
  }
  const found: Record<string, unknown> = {};
  for (const name of Object.keys(attributes.shape)) {
    const value = header(`ce_${name}`) ?? (name.startsWith('trace') ? header(name) : undefined);
    if (value !== undefined) found[name] = value;
  }
  return envelope(found, body, 'ce_');
}

/** Reads a structured-mode body (`application/cloudevents+json`), as HTTP and Kafka share it. */
export function fromStructured(
  body: unknown,
  trace: { traceparent?: string | undefined; tracestate?: string | undefined } = {},
): Read<Envelope> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return unreadable('not-an-object', 'a structured CloudEvent is a JSON object');
  }
  const { data, data_base64, ...rest } = body as Record<string, unknown>;
  if (data_base64 !== undefined) return unreadable('not-json', 'data must be JSON, not base64', 'data_base64');
  const given = Object.fromEntries(Object.entries({ ...trace, ...rest }).filter(([, value]) => value !== undefined));
  return envelope(given, data, '');
}

/** Checks attributes that came from headers or members; `prefix` is how the sender spelled them, for the fault. */
export function envelope(given: Record<string, unknown>, data: unknown, prefix: string): Read<Envelope> {
  const parsed = attributes.safeParse(given);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const field = `${prefix}${issue?.path.join('.') ?? ''}`;
    return unreadable('bad-attribute', `${field}: ${issue?.message ?? 'invalid'}`, field);
  }
  const { specversion: _specversion, datacontenttype: _type, dataschema: _schema, time, ...rest } = parsed.data;
  if (time === undefined) return unreadable('bad-attribute', `${prefix}time: required, RFC 3339`, `${prefix}time`);
  // Zod leaves out what was not given, so no attribute is present as undefined.
  return { ok: true, event: { ...rest, time: new Date(time).toISOString(), data } as Envelope };
}

const unreadable = (code: string, says: string, field?: string): { ok: false; fault: Fault } => ({
  ok: false,
  fault: field === undefined ? { code, says } : { code, says, field },
});

/** V8 quotes the text around a JSON fault; that text may hold personal data, so only the position is kept. */
const jsonFault = (error: unknown): string => {
  const message = error instanceof Error ? error.message : '';
  if (/^(repeated member|number |half of a surrogate)/.test(message)) return message;
  return /position \d+/.exec(message)?.[0] ?? 'cannot be parsed';
};
