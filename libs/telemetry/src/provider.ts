import { forget } from './metrics.js';
import { turn } from './switch.js';

type Env = Readonly<Record<string, string | undefined>>;

const given = (value: string | undefined): boolean => value !== undefined && value.trim() !== '';

/** Which signals the standard variables ask for: a signal counts if its endpoint or exporter is named, unless the exporter is `none`. */
export function configured(env: Env): { readonly traces: boolean; readonly metrics: boolean } {
  const wants = (signal: 'TRACES' | 'METRICS'): boolean => {
    const exporter = env[`OTEL_${signal}_EXPORTER`]?.trim();
    if (env.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true' || exporter === 'none') return false;
    return (
      given(exporter) || given(env.OTEL_EXPORTER_OTLP_ENDPOINT) || given(env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`])
    );
  };
  return { traces: wants('TRACES'), metrics: wants('METRICS') };
}

/** Whether the standard variables ask for telemetry. It is off unless an exporter or an endpoint is named. */
export const isConfigured = (env: Env): boolean => Object.values(configured(env)).some((on) => on);

/** A collector that does not answer delays a drain by at most this time. */
const flushMs = 3_000;

/**
 * Starts OpenTelemetry for a service if `OTEL_*` asks for it. Those variables set exporters, protocol, sampler, batching and
 * intervals. Otherwise it does nothing and loads nothing. Resolves to a function that flushes and stops.
 */
export async function startTelemetry(service: string): Promise<() => Promise<void>> {
  const { traces, metrics } = configured(process.env);
  if (!traces && !metrics) return async () => undefined;
  // About the process and its host, only what the operator names is exported: a command line and a user's name are private.
  process.env.OTEL_NODE_RESOURCE_DETECTORS ??= 'env,serviceinstance';
  const { NodeSDK } = await import('@opentelemetry/sdk-node');
  const sdk = new NodeSDK({
    serviceName: process.env.OTEL_SERVICE_NAME || service,
    // Trace context is read and written by `trace-context.ts`.
    textMapPropagator: null,
    logRecordProcessors: [],
    ...(!traces && { spanProcessors: [] }),
    ...(!metrics && { metricReaders: [] }),
  });
  sdk.start();
  turn(true);
  return async () => {
    turn(false);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, flushMs);
    });
    await Promise.race([sdk.shutdown().catch(() => undefined), late]);
    clearTimeout(timer);
    forget();
  };
}
