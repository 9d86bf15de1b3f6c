import { type Admin, type Kafka, kafkajs, type Producer, type TopicFacts, topicFacts } from '@countersign/kafka';
import type { Limits } from '../api/limits.js';
import type { Settings } from '../api/settings.js';
import { type Database, openDatabase } from '../database/database.js';

/** The clients of a service for its broker and its database. */
export interface Clients {
  readonly db: Database;
  readonly kafka: Kafka;
  readonly producer: Producer;
  readonly admin: Admin;
  readonly facts: TopicFacts;
}

/** Makes the clients of a service. Nothing is connected yet. */
export function openClients(
  name: string,
  settings: Pick<Settings, 'databaseUrl' | 'kafka'>,
  limits: Limits,
  warn: (message: string) => void,
): Clients {
  const kafka = new kafkajs.Kafka({
    clientId: name,
    ...settings.kafka,
    logLevel: kafkajs.logLevel.NOTHING,
    connectionTimeout: 3_000,
    authenticationTimeout: 5_000,
    requestTimeout: 15_000,
    retry: { retries: 5, initialRetryTime: 100, maxRetryTime: 2_000 },
  });
  return {
    db: openDatabase(settings.databaseUrl, name, limits, warn),
    kafka,
    // Idempotence is off: kafkajs 2.2.4 gives sequence numbers back before a retry and can lose an acknowledged event.
    producer: kafka.producer({ allowAutoTopicCreation: false, idempotent: false, maxInFlightRequests: 5 }),
    admin: kafka.admin(),
    facts: topicFacts(kafka),
  };
}
