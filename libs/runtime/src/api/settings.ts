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
import { z } from 'zod';
import { type Env, readEnvironment } from '../settings/environment.js';
import { brokerVariables, processVariables } from '../settings/runtime-environment.js';

/** The addresses of the broker, the database and other outside systems, from environment variables. */
export interface Settings {
  readonly kafka: Pick<KafkaConfig, 'brokers' | 'sasl' | 'ssl'>;
  readonly databaseUrl: string;
  /** The login of another role that owns the tables and migrates them, if the service's own role may not. */
  readonly migrationUrl: string;
  readonly host: string;
  readonly port: number;
}

const { DATABASE_URL, DATABASE_MIGRATION_URL, HOST, PORT } = processVariables;
const { KAFKA_BROKERS, KAFKA_USERNAME, KAFKA_PASSWORD, KAFKA_SASL, KAFKA_SSL } = brokerVariables;
const places = z.object({
  ...{ KAFKA_BROKERS, KAFKA_USERNAME, KAFKA_PASSWORD, KAFKA_SASL, KAFKA_SSL },
  ...{ DATABASE_URL, DATABASE_MIGRATION_URL, HOST, PORT },
});

/** Reads the addresses. Throws, and names each variable that cannot be used. */
export function readSettings(env: Env, defaultPort: number): Settings {
  const read = readEnvironment(places, env);
  const { KAFKA_USERNAME: username, KAFKA_SASL: mechanism, KAFKA_PASSWORD: password = '' } = read;
  return {
    kafka: {
      brokers: read.KAFKA_BROKERS.split(',').map((broker) => broker.trim()),
      ssl: read.KAFKA_SSL === 'true',
      ...(username !== undefined && { sasl: { mechanism, username, password } as SASLOptions }),
    },
    databaseUrl: read.DATABASE_URL,
    migrationUrl: read.DATABASE_MIGRATION_URL ?? read.DATABASE_URL,
    host: read.HOST,
    port: read.PORT ?? defaultPort,
  };
}

/**
 * The installation's sources, agents and executors: from `SOURCES_FILE`, else from `sources.yaml` of `CONFIG_DIR`, else as
 * shipped. Throws, and names the variable, the line and the expected content.
 */
export function deployment(env: Env = process.env): Deployment {
  const file = deploymentFileOf(env);
  if (!file) return shippedDeployment;
  const read = readDeployment([{ path: 'sources.yaml', text: textOf(file, from(env)) }]);
  if (!read.ok) throw new Error(`${from(env)}: ${read.problems.map(problemLine).join('; ')}`);
  return read.deployment;
}

const from = (env: Env): string => (env.SOURCES_FILE ? 'SOURCES_FILE' : 'CONFIG_DIR');

function textOf(file: string, variable: string): string {
  try {
    return textOfFile(file, fs);
  } catch (error) {
    throw new Error(`${variable}: sources.yaml cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
