import { Sha256 } from '@countersign/contracts';
import { z } from 'zod';
import { choice, json, optionalFile, optionalText, port, requiredText, text, whole } from './variables.js';

const TokenFile = z.strictObject({ sha256: Sha256 });

/** Variables of every process with tables and pages. */
export const processVariables = {
  DATABASE_URL: requiredText({ description: "the database, as the service's own role", kind: 'URL', secret: true }),
  DATABASE_MIGRATION_URL: optionalText({
    description: 'the database as the owner of the tables, if that is another role',
    kind: 'URL',
    preset: 'the same',
    secret: true,
  }),
  HOST: text({ description: 'the address on which it listens', preset: '127.0.0.1' }),
  PORT: port({ description: 'the port on which it listens' }),
  LOG_LEVEL: choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    description: 'what the log has; at `debug` also requests for health',
    preset: 'info',
  }),
  READ_TOKEN_FILE: optionalFile({
    description:
      'That token opens the details of `/health`, and the pages of the orchestrator and the agents (`/runs`, `/tasks`, `/proposals`, `/enrolments`). Without it these pages answer 404',
    holds: '`{"sha256": "…"}` of a token, as JSON',
    read: json(TokenFile),
  }),
};

/** Variables of every service on the broker. */
export const brokerVariables = {
  KAFKA_BROKERS: requiredText({ description: 'the brokers, separated by commas', kind: 'host:port, …' }),
  KAFKA_USERNAME: optionalText({ description: "the service's own principal. Without it there is no login" }),
  KAFKA_PASSWORD: optionalText({ description: 'its password', secret: true }),
  KAFKA_SASL: choice(['scram-sha-256', 'scram-sha-512', 'plain'], {
    description: 'the mechanism of the login',
    preset: 'scram-sha-256',
  }),
  KAFKA_SSL: choice(['true', 'false'], { description: 'TLS to the broker', preset: 'false' }),
  INSTALLATION_ID: optionalText({
    description: 'the installation to which it belongs: it does not start on the database or the broker of another one',
  }),
  SOURCES_FILE: optionalText({
    description: 'defines sources, agents, executors and so the topology. The command line reads it too',
    kind: 'file',
    preset: '`sources.yaml` of `CONFIG_DIR`, otherwise as shipped',
  }),
  CONFIG_DIR: optionalText({
    description: 'the configuration: charters, plays, sequences, rules, routes, sources. The command line reads it too',
    kind: 'folder',
    preset: '',
  }),
};

const ms = (preset: number, description: string) => whole({ preset, description, unit: 'ms' });
const bytes = (preset: number, description: string) => whole({ preset, description, unit: 'bytes' });
const number = (preset: number, description: string) => whole({ preset, description });

/** Limits of the runtime. */
export const limitVariables = {
  BATCH_EVENTS: number(500, 'events in one transaction'),
  FETCH_BYTES: bytes(786_432, 'fetched from one partition at a time'),
  PARTITIONS_AT_ONCE: number(
    16,
    'partitions that are handled at the same time; those of one topic share a transaction',
  ),
  FETCH_WAIT_MS: ms(2_000, 'how long the broker may hold back a fetch while there is no event'),
  GATHER_MS: ms(500, 'the shortest time between two fetches of the record, to collect more'),
  PAGE_GATHER_MS: ms(200, 'the shortest time between two fetches of the console, to collect more'),
  PRODUCE_BYTES: bytes(700_000, 'size of one produce request'),
  EVENT_BYTES: bytes(950_000, 'size of one event; a handler that emits a larger one fails'),
  COMMIT_EVERY_MS: ms(1_000, 'how often handled offsets are committed'),
  POISON_TRIES: number(3, 'tries of an event that fails by its own fault, before it is a dead letter'),
  JOB_TRIES: number(
    10,
    'tries of a job that fails by its own fault, before it is a dead letter; with the pauses, about two minutes',
  ),
  JOB_BACKOFF_MAX_MS: ms(
    60_000,
    'longest pause between two tries of a job; the first is `BACKOFF_MS`, doubled each time',
  ),
  RACE_TRIES: number(20, 'tries of a transaction that lost a race'),
  BACKOFF_MS: ms(200, 'first pause of a partition while database or broker is away; doubled each time'),
  BACKOFF_MAX_MS: ms(2_000, 'longest such pause'),
  DENIED_BACKOFF_MAX_MS: ms(
    20_000,
    'longest pause of a partition, or of a consumer that is built again, while the broker refuses a right',
  ),
  STATE_WAIT_MS: ms(
    5_000,
    'how long an event waits for state that has not arrived yet, counted from when the broker took the event',
  ),
  COMPARE_EVERY_MS: ms(1_000, 'how often state is compared with the end of its topic'),
  TOPICS_EVERY_MS: ms(
    5_000,
    'how often a service looks whether its topics are still the same, whether records were deleted before it read them, and which rights it has',
  ),
  JOB_POLL_MS: ms(
    1_000,
    'how often the runtime looks for jobs that it does not know of: those that another instance has scheduled, put off or left',
  ),
  LEASE_MS: ms(6_000, 'how long the jobs of a dead instance wait before another instance takes them'),
  SESSION_MS: ms(6_000, 'how long a silent instance keeps its partitions'),
  DRAIN_MS: ms(20_000, 'how long a drain may take'),
  IDLE_TX_MS: ms(10_000, 'the database ends a transaction that is idle for longer'),
  SILENT_MS: ms(3_000, 'a statement has no answer for longer: the runtime asks the database whether it works on it'),
  QUERY_MS: ms(20_000, 'a statement that takes longer is given up, whatever the database does'),
  DATABASE_CONNECTIONS: number(
    10,
    'connections to the database; pages may use a fifth of them. Provisioning (`npm start`, the set-up of compose) reads it too: a role may have the connections of three instances',
  ),
  OUTBOX_KEPT_MS: ms(3_600_000, 'how long outbox events are kept after the commit of their offset'),
};

/** The variables of every service. A service adds its own. */
export const runtimeEnvironment = z.object({ ...brokerVariables, ...processVariables, ...limitVariables });
