import { expect, test } from 'vitest';
import { isConfigured } from './provider.js';
import { startProcessing } from './spans.js';

const event = {
  topic: 'signals.accepted.v1',
  partition: 0,
  offset: '1',
  group: 'orchestrator',
  id: 'a',
  type: 'SignalAccepted',
};

test('without telemetry an event passes its own trace context on', () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  expect(startProcessing({ ...event, traceparent }).traceparent).toBe(traceparent);
  expect(startProcessing(event).traceparent).toBeUndefined();
});

test('telemetry is off unless an endpoint is named', () => {
  expect(isConfigured({})).toBe(false);
  expect(isConfigured({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' })).toBe(true);
  expect(isConfigured({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318', OTEL_SDK_DISABLED: 'true' })).toBe(false);
});
