import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { inherited, isUp } from './running.js';

const named = (...names: string[]): Record<string, string> => Object.fromEntries(names.map((name) => [name, '1']));

test('limits, models, connectors and telemetry that an operator sets reach the services', () => {
  const set = named(
    ...[
      'BATCH_EVENTS',
      'FETCH_BYTES',
      'PARTITIONS_AT_ONCE',
      'COMMIT_EVERY_MS',
      'POISON_TRIES',
      'IDLE_TX_MS',
      'DRAIN_MS',
    ],
    ...['DATABASE_CONNECTIONS', 'CALL_TRIES', 'SIGNAL_FRESHNESS_DAYS', 'MAX_EVENTS_IN_FLIGHT', 'CONNECTORS_FILE'],
    ...['AGENT_FIGURES_DAYS', 'PERSON_ACTIONS_DAYS', 'REQUESTS_DAYS', 'REVEALS_PER_HOUR', 'TRACE_URL'],
    ...['OPENAI_API_KEY', 'MODEL_TOKENS_PER_DAY', 'OTEL_EXPORTER_OTLP_ENDPOINT'],
  );
  expect(inherited(set)).toEqual(set);
});

test('no login, secret or port of this process reaches a service by itself', () => {
  const own = [
    'DATABASE_URL',
    'KAFKA_ADMIN_PASSWORD',
    'KAFKA_BROKERS',
    'CONSOLE_PORT',
    'PORT',
    'COUNTERSIGN_HOME',
    'AWS_SECRET_ACCESS_KEY',
  ];
  expect(inherited(named(...own))).toEqual({});
});

test('a service that stays degraded is up, and is told apart from one that is well; one that starts is not', async () => {
  const page = { code: 503, status: 'starting' };
  const server = createServer((_, response) => {
    response.writeHead(page.code).end(JSON.stringify({ status: page.status }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/health`;
  const reports: boolean[] = [];
  const report = (well: boolean) => void reports.push(well);
  expect(await isUp(url, report, 0)()).toBe(false);
  page.status = 'degraded';
  expect(await isUp(url, report, 0)()).toBe(true);
  // It may become well by itself.
  expect(await isUp(url, report, 60_000)()).toBe(false);
  Object.assign(page, { code: 200, status: 'ok' });
  expect(await isUp(url, report, 60_000)()).toBe(true);
  expect(reports).toEqual([false, true]);
});
