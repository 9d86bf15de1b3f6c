import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import { expect, test } from 'vitest';
import { attributes, exportable } from './attributes.js';
import { instruments } from './metrics.js';
import { configured, isConfigured } from './provider.js';
import { startAct, startJob, startProcessing } from './spans.js';
import { contextOf, traceparentOf } from './trace-context.js';

const event = {
  topic: 'signals.accepted.v1',
  partition: 0,
  offset: '1',
  group: 'orchestrator',
  id: 'a',
  type: 'SignalAccepted',
};
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

test('without telemetry events and jobs pass the trace context that they were given on, and an act has none', () => {
  expect(startProcessing({ ...event, traceparent }).traceparent).toBe(traceparent);
  expect(startProcessing(event).traceparent).toBeUndefined();
  expect(startJob({ kind: 'permit', id: 'a', claims: 1, traceparent }).traceparent).toBe(traceparent);
  expect(startAct({ id: 'a', follows: traceparent }).traceparent).toBeUndefined();
});

test('telemetry is off unless an endpoint or an exporter is named', () => {
  const endpoint = 'http://127.0.0.1:4318';
  expect(isConfigured({})).toBe(false);
  expect(isConfigured({ OTEL_EXPORTER_OTLP_ENDPOINT: '' })).toBe(false);
  expect(isConfigured({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })).toBe(true);
  expect(isConfigured({ OTEL_TRACES_EXPORTER: 'console' })).toBe(true);
  expect(isConfigured({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_SDK_DISABLED: 'TRUE' })).toBe(false);
});

test('traces and metrics are asked for one by one', () => {
  expect(configured({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1/t' })).toEqual({
    traces: true,
    metrics: false,
  });
  expect(configured({ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://127.0.0.1/m' })).toEqual({
    traces: false,
    metrics: true,
  });
  expect(configured({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1', OTEL_METRICS_EXPORTER: 'none' })).toEqual({
    traces: true,
    metrics: false,
  });
});

test('a trace context is read and written as W3C says, and what is none is not read', () => {
  const read = contextOf(traceparent);
  expect(read && traceparentOf(read)).toBe(traceparent);
  expect(contextOf('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00')?.traceFlags).toBe(0);
  expect(contextOf('cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more')?.traceFlags).toBe(1);
  for (const wrong of [
    undefined,
    '',
    'mara@example.com',
    `${traceparent}-more`,
    traceparent.replace(/^00/, 'ff'),
    traceparent.toUpperCase(),
    '00-00000000000000000000000000000000-b7ad6b7169203331-01',
    '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01',
  ])
    expect(contextOf(wrong), wrong).toBeUndefined();
});

test('an id that may be an address leaves as its hash, and the same one always as the same', () => {
  const uuid = 'd9b9f5c2-6d0e-5c61-8f0e-2f9f0f1c7c11';
  expect(exportable(uuid)).toBe(uuid);
  expect(exportable(`${uuid}/${uuid}`)).toBe(`${uuid}/${uuid}`);
  for (const id of ['mara@example.com', 'Mara Lind', 'x'.repeat(121), 'mära']) {
    expect(exportable(id)).toMatch(/^sha256:[0-9a-f]{16}$/);
    expect(exportable(id)).toBe(exportable(id));
  }
});

test('every name that is not our own is one of the semantic conventions in force', () => {
  const known = new Set<unknown>(Object.values(conventions));
  const foreign = (name: string) => !name.startsWith('countersign.');
  expect(Object.values(attributes).filter((name) => foreign(name) && !known.has(name))).toEqual([]);
  expect(Object.keys(instruments).filter((name) => foreign(name) && !known.has(name))).toEqual([]);
});
