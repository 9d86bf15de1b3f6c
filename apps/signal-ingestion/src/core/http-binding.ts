import { type Envelope, envelope, type Fault, fromStructured, type Read } from '@countersign/contracts';

/** A request as far as the CloudEvents HTTP binding cares for it: header names in lower case. */
export interface HttpMessage {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

/** The events of a request, each read or with its fault; or why there are none to be read. */
export type HttpRead =
  | { readonly ok: true; readonly batch: boolean; readonly events: readonly Read<Envelope>[] }
  | { readonly ok: false; readonly fault: Fault };

/**
 * CloudEvents HTTP protocol binding 1.0.2: structured (`application/cloudevents+json`), batched
 * (`application/cloudevents-batch+json`), otherwise binary, with attributes in `ce-` headers and JSON data. A request's
 * trace context counts for each of its events that has none of its own.
 */
export function readHttp({ headers, body }: HttpMessage): HttpRead {
  const contentType = header(headers, 'content-type') ?? '';
  const mediaType = contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  const trace = { traceparent: header(headers, 'traceparent'), tracestate: header(headers, 'tracestate') };
  const structured = mediaType === 'application/cloudevents+json';
  const batch = mediaType === 'application/cloudevents-batch+json';
  if (!structured && !batch && !/^application\/([a-z0-9.+-]+\+)?json$/.test(mediaType)) {
    return refused('media-type', 'content-type: only JSON is understood', 'content-type');
  }
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return refused('not-json', 'the body is not JSON');
  }
  if (structured) return { ok: true, batch, events: [fromStructured(json, trace)] };
  if (!batch) return { ok: true, batch, events: [fromBinary(headers, json, trace)] };
  if (!Array.isArray(json)) return refused('not-an-array', 'a batch is a JSON array of CloudEvents');
  return { ok: true, batch, events: json.map((event) => fromStructured(event, trace)) };
}

function fromBinary(headers: HttpMessage['headers'], data: unknown, trace: Record<string, unknown>): Read<Envelope> {
  const given: Record<string, unknown> = Object.fromEntries(
    Object.entries(trace).filter(([, value]) => value !== undefined),
  );
  for (const name of Object.keys(headers)) {
    const value = header(headers, name);
    if (name.startsWith('ce-') && value !== undefined) given[name.slice(3)] = decoded(value);
  }
  return envelope(given, data, 'ce-');
}

const header = (headers: HttpMessage['headers'], name: string): string | undefined => {
  const value = headers[name];
  return typeof value === 'object' ? value[0] : value;
};

/** Header values are percent-encoded, optionally in double quotes; what is not decodable is taken as it stands. */
function decoded(value: string): string {
  const bare = /^"(.*)"$/s.exec(value)?.[1]?.replace(/\\(.)/g, '$1') ?? value;
  try {
    return decodeURIComponent(bare);
  } catch {
    return bare;
  }
}

const refused = (code: string, says: string, field?: string): HttpRead => ({
  ok: false,
  fault: field === undefined ? { code, says } : { code, says, field },
});
