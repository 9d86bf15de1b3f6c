type Env = Readonly<Record<string, string | undefined>>;

/** Whether the standard variables ask for telemetry. It is off unless an exporter or an endpoint is named. */
export const isConfigured = (env: Env): boolean =>
  env.OTEL_SDK_DISABLED !== 'true' &&
  [
    env.OTEL_EXPORTER_OTLP_ENDPOINT,
    env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
    env.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT,
  ].some((v) => v !== undefined && v !== '');

/**
 * Starts OpenTelemetry for a service where `OTEL_*` says so, exporting traces over OTLP/HTTP; else does nothing and loads nothing.
 * Resolves to a function that flushes and stops.
 */
export async function startTelemetry(service: string, env: Env = process.env): Promise<() => Promise<void>> {
  if (!isConfigured(env)) return async () => undefined;
  const [{ NodeSDK }, { OTLPTraceExporter }] = await Promise.all([
    import('@opentelemetry/sdk-node'),
    import('@opentelemetry/exporter-trace-otlp-http'),
  ]);
  const sdk = new NodeSDK({ serviceName: env.OTEL_SERVICE_NAME ?? service, traceExporter: new OTLPTraceExporter() });
  sdk.start();
  return () => sdk.shutdown();
}
