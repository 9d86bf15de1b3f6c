import {
  type Decoded,
  decode,
  type Envelope,
  envelope,
  type Fault,
  fromStructured,
  isJson,
  isStructured,
  jsonFault,
  type KnownAttributes,
  mediaType,
  own,
  parseJson,
  type Read,
  type RequestCode,
  type UnreadableCode,
  unreadable,
  wronglyTyped,
} from '@countersign/contracts';

/** The most events of one batch. */
export const maxBatchEvents = 500;

/** The parts of a request that the CloudEvents HTTP binding needs, with header names in lower case. */
export interface HttpMessage {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Uint8Array | string;
}

/** The events of a request, each one read or with its fault; or why there are none. */
export type HttpRead =
  | { readonly ok: true; readonly batch: boolean; readonly events: readonly Read<Envelope>[] }
  | { readonly ok: false; readonly fault: Fault; readonly attributes: KnownAttributes };

/**
 * CloudEvents HTTP protocol binding 1.0.2: structured (`application/cloudevents+json`), batched
 * (`application/cloudevents-batch+json`), otherwise binary, with attributes in `ce-` headers and JSON data. The body is read in
 * the charset of the content type. A request's trace context counts for each of its events that has none.
 */
export function readHttp({ headers, body }: HttpMessage): HttpRead {
  const contentType = header(headers, 'content-type');
  const media = contentType === undefined ? undefined : mediaType(contentType);
  const trace = { traceparent: header(headers, 'traceparent'), tracestate: header(headers, 'tracestate') };
  const structured = media?.essence === 'application/cloudevents+json';
  const batch = media?.essence === 'application/cloudevents-batch+json';
  const shown = contentType?.slice(0, 60) ?? 'none';
  const attributes = fromHeaders(headers);
  const refused = (code: UnreadableCode | RequestCode, detail: string, field?: string) =>
    unreadable(code, detail, field, attributes);
  if (!media || !isJson(media)) {
    const types = 'application/json, application/cloudevents+json and application/cloudevents-batch+json';
    return refused('media-type', `content-type: only ${types} are understood, not ${shown}`, 'content-type');
  }
  const text: Decoded = typeof body === 'string' ? { ok: true, text: body } : decode(body, media.charset);
  if (!text.ok) return refused(text.fault.code, `the body: ${text.fault.detail}`);
  let json: unknown;
  try {
    json = parseJson(text.text);
  } catch (error) {
    const { code, detail } = jsonFault('the body', error);
    return refused(code, detail);
  }
  if (structured) return { ok: true, batch, events: [fromStructured(json, trace)] };
  if (!batch && headers['ce-specversion'] === undefined && isStructured(json)) {
    return wronglyTyped(shown, 'ce-', json);
  }
  if (!batch) return { ok: true, batch, events: [envelope(attributes, json, 'ce-', trace)] };
  if (!Array.isArray(json)) return refused('not-an-array', 'a batch is a JSON array of CloudEvents');
  // Checked before any event is read: a megabyte of `{}` takes many seconds.
  if (json.length > maxBatchEvents) return refused('too-many', `a batch holds at most ${maxBatchEvents} events`);
  return { ok: true, batch, events: json.map((event) => fromStructured(event, trace)) };
}

/** The attributes of binary mode. */
function fromHeaders(headers: HttpMessage['headers']): Record<string, unknown> {
  return Object.fromEntries(
    Object.keys(headers).flatMap((name) => {
      const value = header(headers, name);
      return name.startsWith('ce-') && value !== undefined ? [[name.slice(3), decoded(value)]] : [];
    }),
  );
}

const header = (headers: HttpMessage['headers'], name: string): string | undefined => {
  const value = own(headers, name);
  return typeof value === 'object' ? value[0] : value;
};

/**
 * Header values are percent-encoded, optionally in double quotes. A value that cannot be decoded stays as it is. Node gives a
 * header's bytes as ISO-8859-1; if they are valid UTF-8, they are read as UTF-8.
 */
function decoded(value: string): string {
  const read = decode(Buffer.from(value, 'latin1'));
  const text = read.ok ? read.text : value;
  const bare = /^"(.*)"$/s.exec(text)?.[1]?.replace(/\\(.)/g, '$1') ?? text;
  try {
    return decodeURIComponent(bare);
  } catch {
    return bare;
  }
}
