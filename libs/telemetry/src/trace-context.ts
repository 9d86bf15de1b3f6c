import { isSpanContextValid, type SpanContext } from '@opentelemetry/api';

/**
 * Reads a W3C `traceparent` of any version, as far as version 00 defines it. Undefined if it is not valid. `tracestate` is not
 * read, because its content is not ours to export.
 */
export function contextOf(traceparent: string | undefined): SpanContext | undefined {
  const found = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(traceparent ?? '');
  const [, version = 'ff', traceId = '', spanId = '', flags = '', more] = found ?? [];
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
  return isSpanContextValid(context) ? context : undefined;
}

/** Writes a W3C `traceparent` of version 00; undefined for an invalid context, such as that of a span that is not recorded. */
export const traceparentOf = (context: SpanContext): string | undefined =>
  isSpanContextValid(context)
    ? `00-${context.traceId}-${context.spanId}-0${(context.traceFlags & 1).toString()}`
    : undefined;
