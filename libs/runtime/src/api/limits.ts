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
  /** Partitions that are handled at the same time. The slices of one topic share a transaction. `PARTITIONS_AT_ONCE` */
  readonly partitionsAtOnce: number;
  /**
   * How long the broker may hold back a fetch that finds nothing. As soon as a record arrives, the broker answers.
   * `FETCH_WAIT_MS`
   */
  readonly fetchWaitMs: number;
  /** The shortest time between two fetches of a service whose output no other service waits for. `GATHER_MS` */
  readonly gatherMs: number;
  /** The same for a service whose output people see on pages. `PAGE_GATHER_MS` */
  readonly pageGatherMs: number;
  /** Bytes of one produce request, counted before it is framed; the broker refuses above 1 MB. `PRODUCE_BYTES` */
  readonly produceBytes: number;
  /** Bytes of one event. A handler that emits a larger one fails, because the broker would refuse it every time. `EVENT_BYTES` */
  readonly eventBytes: number;
  /** How often handled offsets are committed. `COMMIT_EVERY_MS` */
  readonly commitEveryMs: number;
  /** How often an event that fails for its own reason is tried before it becomes a dead letter. `POISON_TRIES` */
  readonly poisonTries: number;
  /** How often a job that fails for its own reason is tried before it becomes a dead letter. `JOB_TRIES` */
  readonly jobTries: number;
  /**
   * Longest pause between two tries of a job that fails for its own reason. The first pause is `BACKOFF_MS`, and each next one is
   * twice as long. `JOB_BACKOFF_MAX_MS`
   */
  readonly jobBackoffMaxMs: number;
  /** How often a transaction is tried that lost a race: a deadlock or a serialisation failure. `RACE_TRIES` */
  readonly raceTries: number;
  /**
   * First and longest pause of a partition while the database or the broker is away. Each pause is twice as long as the one
   * before. `BACKOFF_MS`, `BACKOFF_MAX_MS`
   */
  readonly backoffMs: number;
  readonly backoffMaxMs: number;
  /**
   * Longest pause if the broker refuses a right: of a partition, and before a consumer joins its group again.
   * `DENIED_BACKOFF_MAX_MS`
   */
  readonly deniedBackoffMaxMs: number;
  /**
   * How long an event waits for the state that it was made from if no topic has that state. The time counts from the moment when
   * the broker took the event. `STATE_WAIT_MS`
   */
  readonly stateWaitMs: number;
  /** How often state tables are compared with the end of their topics. `COMPARE_EVERY_MS` */
  readonly compareEveryMs: number;
  /** How often the ids, the beginnings and the rights of topics are looked at. `TOPICS_EVERY_MS` */
  readonly topicsEveryMs: number;
  /**
   * How often the runner looks for jobs that another instance has scheduled, put off or left. It knows when its own jobs are due.
   * `JOB_POLL_MS`
   */
  readonly jobPollMs: number;
  /**
   * How long the jobs of a dead instance wait until another instance takes them. A living instance prolongs its leases.
   * `LEASE_MS`
   */
  readonly leaseMs: number;
  /**
   * Group membership: how long a silent instance keeps its partitions. An instance that comes back after a crash waits this long
   * until the group gives up its former member, because kafkajs has no static membership. The default is the shortest time that a
   * broker allows by default. `SESSION_MS`
   */
  readonly sessionMs: number;
  /** How long a drain may take. After that the process ends, even if work is left. `DRAIN_MS` */
  readonly drainMs: number;
  /** The database ends a transaction that is idle for longer, so that a dead instance does not hold its locks. `IDLE_TX_MS` */
  readonly idleTransactionMs: number;
  /**
   * How long a statement may stay without an answer. After that the runtime asks the database over another connection whether it
   * still works on the statement. If it does not, the runtime gives the connection up. `SILENT_MS`
   */
  readonly silentMs: number;
  /**
   * The longest time of a statement, even if the database still works on it. After that the runtime gives its connection up.
   * `QUERY_MS`
   */
  readonly queryMs: number;
  /** Connections to the database; pages may hold a fifth of them. `DATABASE_CONNECTIONS` */
  readonly connections: number;
  /** How long stored outputs remain after the commit of their offset. `OUTBOX_KEPT_MS` */
  readonly outboxRetentionMs: number;
}

/** The environment variable of each limit. */
export const variables = {
  batchEvents: 'BATCH_EVENTS',
  fetchBytes: 'FETCH_BYTES',
  partitionsAtOnce: 'PARTITIONS_AT_ONCE',
  fetchWaitMs: 'FETCH_WAIT_MS',
  gatherMs: 'GATHER_MS',
  pageGatherMs: 'PAGE_GATHER_MS',
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
  topicsEveryMs: 'TOPICS_EVERY_MS',
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

/** The limits in force. Throws, and names each variable that is not a positive integer. */
export function readLimits(env: Env): Limits {
  const read = readEnvironment(environment, env);
  return Object.fromEntries(
    Object.entries(variables).map(([name, variable]) => [name, read[variable]]),
  ) as unknown as Limits;
}

/** The limits if no variable is set. */
export const defaults: Limits = readLimits({});
