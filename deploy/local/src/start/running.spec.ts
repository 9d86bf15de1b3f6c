import { expect, test } from 'vitest';
import { inherited } from './running.js';

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
