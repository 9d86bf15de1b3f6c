import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span as it arrived, with the service that sent it. */
export interface Span {
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly failed: boolean;
  readonly startMs: number;
  readonly endMs: number;
}

/** One point of a metric as it arrived: the value of a sum or gauge, the count of a histogram. */
export interface Point {
  readonly service: string;
  readonly metric: string;
  readonly unit: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly value: number;
}

export interface Collector {
  readonly url: string;
  readonly spans: readonly Span[];
  readonly points: readonly Point[];
  /** Every body as it was sent. */
  readonly bodies: readonly string[];
  close(): Promise<void>;
}

interface KeyValue {
  key: string;
  value: Record<string, unknown>;
}
interface Resource {
  resource?: { attributes?: KeyValue[] };
}
interface OtlpSpan extends Omit<Span, 'attributes' | 'links' | 'service' | 'failed' | 'startMs' | 'endMs'> {
  attributes?: KeyValue[];
  links?: Span['links'];
  status?: { code?: number };
  startTimeUnixNano: string;
  endTimeUnixNano: string;
}
interface OtlpPoint {
  attributes?: KeyValue[];
  asInt?: string | number;
  asDouble?: number;
  count?: string | number;
}
interface OtlpMetric {
  name: string;
  unit?: string;
  sum?: { dataPoints: OtlpPoint[] };
  gauge?: { dataPoints: OtlpPoint[] };
  histogram?: { dataPoints: OtlpPoint[] };
}
interface Request {
  resourceSpans?: (Resource & { scopeSpans: { spans: OtlpSpan[] }[] })[];
  resourceMetrics?: (Resource & { scopeMetrics: { metrics: OtlpMetric[] }[] })[];
}

/** Attribute values have one member that names their type. Integers arrive as text. */
const plain = (attributes: readonly KeyValue[] = []): Record<string, unknown> =>
  Object.fromEntries(
    attributes.map(({ key, value }) => {
      const [[type, content] = ['', undefined]] = Object.entries(value);
      return [key, type === 'intValue' ? Number(content) : content];
    }),
  );

const serviceOf = ({ resource }: Resource): string => String(plain(resource?.attributes)['service.name']);

const millis = (nanos: string): number => Number(BigInt(nanos) / 1_000n) / 1_000;

/** A receiver of OTLP over HTTP in JSON (opentelemetry.io/docs/specs/otlp), on a free port. */
export async function collector(): Promise<Collector> {
  const spans: Span[] = [];
  const points: Point[] = [];
  const bodies: string[] = [];

  const take = ({ resourceSpans = [], resourceMetrics = [] }: Request): void => {
    for (const from of resourceSpans)
      for (const span of from.scopeSpans.flatMap((scope) => scope.spans))
        spans.push({
          ...span,
          service: serviceOf(from),
          attributes: plain(span.attributes),
          links: span.links ?? [],
          failed: span.status?.code === 2,
          startMs: millis(span.startTimeUnixNano),
          endMs: millis(span.endTimeUnixNano),
        });
    for (const from of resourceMetrics)
      for (const { name, unit = '', sum, gauge, histogram } of from.scopeMetrics.flatMap((scope) => scope.metrics))
        for (const point of (sum ?? gauge ?? histogram)?.dataPoints ?? [])
          points.push({
            service: serviceOf(from),
            metric: name,
            unit,
            attributes: plain(point.attributes),
            value: Number(point.asInt ?? point.asDouble ?? point.count),
          });
  };

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const known = request.method === 'POST' && ['/v1/traces', '/v1/metrics'].includes(request.url ?? '');
    if (!known || request.headers['content-type'] !== 'application/json') return void response.writeHead(415).end();
    bodies.push(body);
    take(JSON.parse(body) as Request);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    points,
    bodies,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
