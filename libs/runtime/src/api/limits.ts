import { z } from 'zod';
import { type Env, readEnvironment } from '../settings/environment.js';
import { limitVariables } from '../settings/runtime-environment.js';

/**
 * The one place for batching, retry, back-off and limits. Each can be set by the environment variable named beside it;
 * times are in milliseconds, sizes in bytes.
 */
export interface Limits {
  /** Events handled in one transaction. `BATCH_EVENTS` */
  readonly batchEvents: number;
  /** Bytes fetched of one partition at a time. `FETCH_BYTES` */
  readonly fetchBytes: number;
  /** Partitions whose events are taken up at the same time; those of one topic share a transaction. `PARTITIONS_AT_ONCE` */
  readonly partitionsAtOnce: number;
  /** How long the broker may hold a fetch back while there is nothing; what comes is handed out at once. `FETCH_WAIT_MS` */
  readonly fetchWaitMs: number;
  /** How long it may hold a fetch back to gather more, for a service whose work nobody waits for. `GATHER_MS` */
  readonly gatherMs: number;
  /** Bytes of one produce request, counted before it is framed; the broker refuses above 1 MB. `PRODUCE_BYTES` */
  readonly produceBytes: number;
  /** Bytes of one event. A handler that emits a larger one fails, since the broker would refuse it for ever. `EVENT_BYTES` */
  readonly eventBytes: number;
  /** How often handled offsets are committed. `COMMIT_EVERY_MS` */
  readonly commitEveryMs: number;
  /** Tries of an event that fails by itself, before it is a dead letter. `POISON_TRIES` */
  readonly poisonTries: number;
  /** Tries of a job that fails by itself, before it is a dead letter. `JOB_TRIES` */
  readonly jobTries: number;
  /** Longest pause between two tries of a job that fails by itself; the first is `BACKOFF_MS`, doubled each time. `JOB_BACKOFF_MAX_MS` */
  readonly jobBackoffMaxMs: number;
  /** Tries of a transaction that lost a race: a deadlock or a serialisation failure. `RACE_TRIES` */
  readonly raceTries: number;
  /** First and longest pause of a partition while the database or the broker is away; doubled each time. `BACKOFF_MS`, `BACKOFF_MAX_MS` */
  readonly backoffMs: number;
  readonly backoffMaxMs: number;
  /** Longest pause where the broker refuses a right: of a partition, and before a consumer joins its group again. `DENIED_BACKOFF_MAX_MS` */
  readonly deniedBackoffMaxMs: number;
  /** How long after the broker took it an event goes on without state that it was made from and that no topic has. `STATE_WAIT_MS` */
  readonly stateWaitMs: number;
  /** How often state tables are compared with the end of their topics. `COMPARE_EVERY_MS` */
  readonly compareEveryMs: number;
  /** How often due jobs are looked for when nothing woke the runner. `JOB_POLL_MS` */
  readonly jobPollMs: number;
  /** How long the jobs of an instance that died wait for another; one that lives prolongs its leases. `LEASE_MS` */
  readonly leaseMs: number;
  /**
   * Group membership: how long a silent instance keeps its partitions. Who comes back after a crash waits this long for the one
   * that it was: kafkajs has no static membership. The default is the shortest that a broker allows unless told otherwise.
   * `SESSION_MS`
   */
  readonly sessionMs: number;
  /** How long a drain may take before the process ends all the same. `DRAIN_MS` */
  readonly drainMs: number;
  /** A transaction that stands idle for longer is ended by the database, so that a dead holder blocks nobody. `IDLE_TX_MS` */
  readonly idleTransactionMs: number;
  /**
   * How long a statement may have no answer before the database is asked, over another connection, what it does for it; if
   * nothing, the connection is given up. `SILENT_MS`
   */
  readonly silentMs: number;
  /** How long a statement may take, whatever the database does for it, before its connection is given up. `QUERY_MS` */
  readonly queryMs: number;
  /** Connections to the database; pages may hold a fifth of them. `DATABASE_CONNECTIONS` */
  readonly connections: number;
  /** How long stored outputs outlive the commit of their offset. `OUTBOX_KEPT_MS` */
  readonly outboxRetentionMs: number;
}

/** The environment variable of each limit. */
export const variables = {
  batchEvents: 'BATCH_EVENTS',
  fetchBytes: 'FETCH_BYTES',
  partitionsAtOnce: 'PARTITIONS_AT_ONCE',
  fetchWaitMs: 'FETCH_WAIT_MS',
  gatherMs: 'GATHER_MS',
  produceBytes: 'PRODUCE_BYTES',
  eventBytes: 'EVENT_BYTES',
  commitEveryMs: 'COMMIT_EVERY_MS',
  poisonTries: 'POISON_TRIES',
  jobTries: 'JOB_TRIES',
  jobBackoffMaxMs: 'JOB_BACKOFF_MAX_MS',
  raceTries: 'RACE_TRIES',
  backoffMs: 'BACKOFF_MS',
  backoffMaxMs: 'BACKOFF_MAX_MS',
  deniedBackoffMaxMs: 'DENIED_BACKOFF_MAX_MS',
  stateWaitMs: 'STATE_WAIT_MS',
  compareEveryMs: 'COMPARE_EVERY_MS',
  jobPollMs: 'JOB_POLL_MS',
  leaseMs: 'LEASE_MS',
  sessionMs: 'SESSION_MS',
  drainMs: 'DRAIN_MS',
  idleTransactionMs: 'IDLE_TX_MS',
  silentMs: 'SILENT_MS',
  queryMs: 'QUERY_MS',
  connections: 'DATABASE_CONNECTIONS',
  outboxRetentionMs: 'OUTBOX_KEPT_MS',
} as const satisfies Record<keyof Limits, keyof typeof limitVariables>;

const environment = z.object(limitVariables);

/** The limits in force. Throws naming each variable that is not a positive integer. */
export function readLimits(env: Env): Limits {
  const read = readEnvironment(environment, env);
  return Object.fromEntries(
    Object.entries(variables).map(([name, variable]) => [name, read[variable]]),
  ) as unknown as Limits;
}

/** The limits where no variable says otherwise. */
export const defaults: Limits = readLimits({});
