import fs from 'node:fs';
import {
  type Deployment,
  deploymentFileOf,
  problemLine,
  readDeployment,
  shippedDeployment,
  textOfFile,
} from '@countersign/contracts';
import type { KafkaConfig, SASLOptions } from '@countersign/kafka';

/** Where the outside world is, by environment variable. */
export interface Settings {
  readonly kafka: Pick<KafkaConfig, 'brokers' | 'sasl' | 'ssl'>;
  readonly databaseUrl: string;
  /** Another role that owns the tables and migrates them, where the service's own may not. */
  readonly migrationUrl: string;
  readonly host: string;
  readonly port: number;
}

/**
 * Reads `KAFKA_BROKERS`, `KAFKA_USERNAME`, `KAFKA_PASSWORD`, `KAFKA_SASL`, `KAFKA_SSL`, `DATABASE_URL`, `DATABASE_MIGRATION_URL`,
 * `HOST`, `PORT`. An empty variable counts as not set. Throws naming the variable.
 */
export function readSettings(env: Readonly<Record<string, string | undefined>>, defaultPort: number): Settings {
  const need = (name: string): string => {
    const value = env[name];
    if (!value) throw new Error(`${name} is not set`);
    return value;
  };
  const username = env.KAFKA_USERNAME || undefined;
  const mechanism = env.KAFKA_SASL || 'scram-sha-256';
  if (!['scram-sha-256', 'scram-sha-512', 'plain'].includes(mechanism))
    throw new Error(`KAFKA_SASL: scram-sha-256, scram-sha-512 or plain is expected, not "${mechanism}"`);
  const ssl = env.KAFKA_SSL || 'false';
  if (ssl !== 'true' && ssl !== 'false') throw new Error(`KAFKA_SSL: true or false is expected, not "${ssl}"`);
  const port = Number(env.PORT || defaultPort);
  // What JavaScript takes for a number may be none: ' ' would be 0, which is any port.
  if (!/^\d*$/.test(env.PORT ?? '') || port > 65535)
    throw new Error(`PORT: a port number is expected, not "${env.PORT}"`);
  const databaseUrl = need('DATABASE_URL');
  return {
    kafka: {
      brokers: need('KAFKA_BROKERS')
        .split(',')
        .map((broker) => broker.trim()),
      ssl: ssl === 'true',
      ...(username !== undefined && {
        sasl: { mechanism, username, password: env.KAFKA_PASSWORD ?? '' } as SASLOptions,
      }),
    },
    databaseUrl,
    migrationUrl: env.DATABASE_MIGRATION_URL || databaseUrl,
    host: env.HOST || '127.0.0.1',
    port,
  };
}

/**
 * The installation's sources, agents and executors: from `SOURCES_FILE`, else from `sources.yaml` of `CONFIG_DIR`, else as shipped.
 * Throws naming the file, the line and what was expected.
 */
export function deployment(env: Readonly<Record<string, string | undefined>> = process.env): Deployment {
  const file = deploymentFileOf(env);
  if (!file) return shippedDeployment;
  const read = readDeployment([{ path: 'sources.yaml', text: textOf(file) }]);
  if (!read.ok) throw new Error(`SOURCES_FILE ${file}: ${read.problems.map(problemLine).join('; ')}`);
  return read.deployment;
}

function textOf(file: string): string {
  try {
    return textOfFile(file, fs);
  } catch (error) {
    throw new Error(`SOURCES_FILE ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
