import type { DataOf, Envelope, Event, EventType, Fault, Service, TopicOf } from '@countersign/contracts';
import type { Type } from '@nestjs/common';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Access } from '../nest/access.js';
import type { Environment } from '../settings/environment.js';
import type { Ago } from './ago.js';

/** The HTTP server of a service, for its plugins and for answers that are not JSON. */
export type HttpServer = FastifyInstance;
export type HttpReply = FastifyReply;

/** Runs statements. Placeholders are `$1`, rows come back as objects. */
export interface Reader {
  query<Row = Record<string, unknown>>(sql: string, params?: readonly unknown[]): Promise<Row[]>;
}

/** A transaction of the service's own database. */
export interface Tx extends Reader {
  /**
   * Sends a statement whose answer nobody needs, and does not wait for the answer. The last such statements go to the database
   * together with the commit. If one fails, nothing is committed, and the transaction throws its error.
   */
  write(sql: string, params?: readonly unknown[]): void;
}

/** An event, and the place from which it was read. */
export interface Received<T extends EventType = EventType> {
  readonly event: Event<T>;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  /** When the broker took it; absent if that is no longer known. */
  readonly takenAt?: string;
  readonly key: string | null;
  /** SHA-256 of the record's value, hexadecimal. */
  readonly sha256: string;
  /** The record's value as it was read. */
  readonly bytes: Buffer;
  /** The whole record as it is on its topic; absent if the event comes from a dead letter that is handled again. */
  readonly raw?: Pick<SeenRecord, 'key' | 'headers' | 'value'>;
}

/** The cause of an output or a job. Ids, correlation and trace context are derived from it. */
export interface Cause {
  readonly source: string;
  readonly id: string;
  readonly correlationid?: string | undefined;
  /** The event to name as the cause if that is not `id` itself: a job names the event that scheduled it. */
  readonly causationid?: string | undefined;
  readonly traceparent?: string | undefined;
}

/** The types of the events of a topic. */
export type TypeOn<To extends TopicOf> = To['types'][number];

type IsUnion<T, U = T> = T extends unknown ? ([U] extends [T] ? false : true) : never;

/**
 * An event to publish after the commit, on a topic whose events have the types `T`. Its id is a UUIDv5 of (service, cause,
 * index). Its `time` is the batch's `at`. If the topic has only one type, `type` may be left out.
 */
export type Output<T extends EventType = EventType> = {
  readonly key: string;
  readonly subject?: string;
} & (IsUnion<T> extends true
  ? { [K in T]: { readonly type: K; readonly data: DataOf<K> } }[T]
  : { readonly type?: T; readonly data: DataOf<T> });

/** A state event to publish. The runtime adds version and changedAt from the service's own table. */
export interface StateOutput<T extends EventType = EventType> {
  readonly key: string;
  readonly data: Omit<DataOf<T>, 'version' | 'changedAt'>;
}

/**
 * The name of a kind of job, with the shape of its payload. The code that schedules the job and the code that works it share this
 * value.
 */
export interface JobName<P> {
  readonly name: string;
  /** Never set. It only carries the type of the payload. */
  readonly takes?: (payload: P) => void;
}

/** Names a kind of job. Payloads are stored as JSON. */
export const jobName = <P>(name: string): JobName<P> => ({ name });

/**
 * Work that waits: for a model, a connector, a deadline. Its key is `kind` and `id` together. A second `schedule` with a known
 * key is ignored.
 */
export interface NewJob<P> {
  readonly kind: JobName<P>;
  readonly id: string;
  /** RFC 3339; the job is not claimed before this time. */
  readonly dueAt: string;
  readonly payload: NoInfer<P>;
}

/**
 * One unit of work inside one transaction. It reads and writes through `tx`. Its events, state and jobs become visible with the
 * commit. After the commit the events are published in order. A repeat publishes them again, always with the same bytes.
 */
export interface Work {
  /** The only time of this unit, RFC 3339 UTC. */
  readonly at: string;
  readonly tx: Tx;
  /** Queues an event; returns its id. */
  emit<To extends TopicOf>(cause: Cause, topic: To, output: Output<TypeOn<To>>): string;
  /**
   * Reads and locks the service's own rows of a state topic, in key order, before they are changed. The map has an entry for
   * every key. If there is no row yet, the entry has version 0 and no data.
   */
  ownState<T extends EventType>(
    topic: TopicOf<T>,
    keys: readonly string[],
  ): Promise<Map<string, { version: number; data: DataOf<T> | null }>>;
  /**
   * Queues the next version of a key that `ownState` locked, for the table and for the topic. Returns the version. If the state
   * breaks its contract, it throws and names the key and the member. Otherwise readers would silently keep the previous state.
   */
  putState<To extends TopicOf>(cause: Cause, topic: To, output: StateOutput<TypeOn<To>>): number;
  /** Queues jobs. They are inserted with the commit. */
  schedule<P>(cause: Cause, job: NewJob<P>): void;
  /**
   * After a restore: the events that this service published in the time that its tables do not know, by event id or subject, in
   * the order of its topics. These events stay valid: an output with the id of one of them is not published again. Without a
   * restore the map is empty and no statement is sent.
   */
  published(by: 'id' | 'subject', values: readonly string[]): Promise<ReadonlyMap<string, readonly PublishedEvent[]>>;
}

/** An event that this service published, and that its restored database does not know. */
export type PublishedEvent<T extends EventType = EventType> = {
  [K in T]: { readonly id: string; readonly topic: string; readonly type: K; readonly data: DataOf<K> };
}[T];

/**
 * What a service does if its tables are older than the work that it has done. It is a provider, named in the spec's `recovery`.
 */
export interface Recovery {
  /**
   * Takes over all events that were published after the tables end, in order, before any work begins. It may be called again with
   * the same events, so it must not change rows that are already there.
   */
  recover(past: { readonly tx: Tx; readonly at: string; readonly published: readonly PublishedEvent[] }): Promise<void>;
}

/** A record that is not handled as an event: it is unreadable, or a duplicate. A service gets it only if its spec asks for it. */
export interface SetAside {
  readonly reason: 'unreadable' | 'duplicate';
  readonly fault: Fault;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly key: string | null;
  readonly sha256: string;
  /** The attributes that could be read. */
  readonly source?: string;
  readonly id?: string;
  readonly type?: string;
  readonly time?: string;
  /** Pass this to `emit`. */
  readonly cause: Cause;
}

/** A record as it is on its topic, with any content. */
export interface SeenRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly key: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | string | readonly (Buffer | string)[] | undefined>>;
  readonly value: Buffer | null;
  /**
   * The broker's id of the topic. It is set only if the topic was deleted and made again since this service first read it,
   * because its offsets then begin again.
   */
  readonly topicId?: string;
  /** An event that its contract accepts; absent if the record cannot be read, as `fault` says. */
  readonly event?: Envelope;
  readonly fault?: Fault;
  readonly cause: Cause;
}

/** What a handler gets: fresh events of one topic, those of each partition in order. A redelivered event never reaches it. */
export interface Batch<T extends EventType = EventType> extends Work {
  /** If topics share their batches, the first topic of this batch. Each event names its own topic. */
  readonly topic: string;
  readonly events: readonly Received<T>[];
  readonly setAside: readonly SetAside[];
}

/** What a record consumer gets: fresh records of any of its topics, those of each partition in order. */
export interface Records extends Pick<Work, 'at' | 'tx' | 'schedule'> {
  readonly records: readonly SeenRecord[];
}

/**
 * A service that stores all records, whatever they mean. It is a provider of the module, named in the spec's `recordConsumer`.
 */
export interface RecordConsumer {
  /** Stores the records, in the transaction that also moves the positions. If it throws, the same records come again. */
  store(batch: Records): Promise<void>;
}

/** `cause` of a received event. */
export const causeOf = ({
  event,
}: {
  readonly event: { source: string; id: string; correlationid?: string; traceparent?: string };
}): Cause => ({
  source: event.source,
  id: event.id,
  correlationid: event.correlationid ?? event.id,
  traceparent: event.traceparent,
});

/** A claimed job. */
export interface Job<P = unknown> {
  readonly kind: string;
  readonly id: string;
  readonly payload: P;
  readonly dueAt: string;
  /** How often the job was claimed, this time included. 1: it was not claimed before. */
  readonly claims: number;
  readonly cause: Cause;
}

/** How jobs of one kind are worked. It is a provider of the module, named in the spec's `jobs`. */
export interface JobKind<P = unknown> {
  readonly kind: JobName<P>;
  /**
   * How long a claim lasts, in milliseconds, before another instance may take the row. While the claim is worked, the runtime
   * prolongs the lease up to this time. If the instance dies or hangs, the lease ends after `LEASE_MS`.
   */
  readonly leaseMs: number;
  /** How many rows are claimed at once. */
  readonly batch: number;
  /**
   * Its statements find rows by their keys, so the database plans them once on each connection. Absent: it plans them at each call.
   * Statements that delete by age or read many rows need that.
   */
  readonly plannedOnce?: true;
  /** How many claims of this kind are worked at the same time in one instance. Absent: 1. */
  readonly parallel?: number;
  /** Works the claimed jobs. Each must be finished, put off or left. A job that is left is claimed again after its lease. */
  work(jobs: readonly Job<P>[], context: JobContext): Promise<void>;
  /**
   * Ends a job that failed `JOB_TRIES` times, in the transaction that makes it a dead letter. It emits, with the job's cause, the
   * events that replace the result of the job. Such a job cannot be replayed. Returns whether it ended the job. If it is absent,
   * returns false or throws, the job becomes a dead letter that can be replayed.
   */
  giveUp?(job: Job<P>, work: Work, fault: Fault): Promise<boolean>;
}

export interface JobContext {
  /**
   * Says that the rest of this claim only waits for an outside system. The claim then no longer counts among the `parallel` ones,
   * so that others can be worked. Its lease is still prolonged. The caller must limit the number of such claims.
   */
  aside(): void;
  /**
   * The time at the call, RFC 3339 UTC: for a comparison that needs the current time. Throws a transient error while the time is
   * not known.
   */
  now(): string;
  /** A transaction that does not end a job, for example for an intent or a reservation. It commits when `fn` returns. */
  transaction<R>(fn: (work: Work) => Promise<R>): Promise<R>;
  /**
   * Ends jobs. It locks their rows and calls `fn` with the jobs that still exist and have no result. The outputs of `fn` are
   * stored on the rows, committed and published. The rows are deleted after the broker's acknowledgement. If a row already has a
   * result, its stored outputs are published instead: the first result stands.
   */
  finish<P>(jobs: readonly Job<P>[], fn: (owned: readonly Job<P>[], work: Work) => Promise<void>): Promise<void>;
  /** Puts a job off to a later time and gives up the claim. */
  later(job: Job, dueAt: string): Promise<void>;
  /** Whether this claim still holds its lease, as the database sees it. */
  holds(job: Job): Promise<boolean>;
}

/** State that other services own, as this service has read it. */
export interface StateRow<T extends EventType = EventType> {
  readonly version: number;
  readonly data: DataOf<T> | null;
}

/**
 * A log topic whose events a service looks up by one of their ids. Each instance reads it for itself, as it reads state, into the
 * same table: one row for each event, at version 1. The first event with an id stands. The service deletes rows that it no longer
 * needs with `Runtime.forgetLookedUp`.
 */
export interface LookedUp<T extends EventType = EventType> {
  readonly topic: TopicOf<T>;
  /** The id by which the event is looked up: the key of its row. */
  readonly key: (data: DataOf<T>) => string;
  /** What the row holds of the event: a plain JSON value. */
  readonly value: (data: DataOf<T>) => unknown;
}

/** What one service needs beside its handlers. It is checked against the topology at start-up. */
export interface ServiceSpec {
  readonly name: Service;
  /** TypeORM migration classes of the service's own tables, oldest first. Their names must end in a timestamp. */
  // biome-ignore lint/complexity/noBannedTypes: TypeORM's own type for migration classes
  readonly migrations: readonly Function[];
  /** The provider class of the module that identifies callers over HTTP. Absent: only public pages are open. */
  readonly access?: Type<Access>;
  /**
   * Adds the service's own Fastify plugins before its routes: headers, limits, files. The hooks of the runtime run first, so a
   * refused request never reaches the plugins.
   */
  readonly http?: (server: HttpServer, env: Readonly<Record<string, string | undefined>>) => Promise<void>;
  /** The addresses of proxies that may say where a request comes from. Absent: none. */
  readonly trustedProxies?: (env: Readonly<Record<string, string | undefined>>) => readonly string[];
  /** Provider classes of the module that implement `JobKind`. */
  readonly jobs?: readonly Type<JobKind<never>>[];
  /**
   * Thumbprints of the keys with which the service signs or verifies permits. The service does not start if its installation's
   * key is not among them. Throws if they cannot be read.
   */
  readonly permitKeys?: (env: Readonly<Record<string, string | undefined>>) => readonly string[];
  /** State topics of other services. The service has a table of their state. */
  readonly state?: readonly TopicOf[];
  /** Log topics of other services. The service has a table of their events, to look them up. */
  readonly lookedUp?: readonly { [T in EventType]: LookedUp<T> }[EventType][];
  /** State topics that it writes, and therefore reads back. */
  readonly ownState?: readonly TopicOf[];
  /**
   * Topics whose unreadable records do not become dead letters: the service handles them itself, in the batch's transaction.
   * Returns whether a topic is one of them. Absent: no topic is.
   */
  readonly unreadable?: (topic: string) => boolean;
  /**
   * For a service that stores all records. It gets each record of every topic that it reads once, by its Kafka coordinates. It
   * has no handlers.
   */
  readonly recordConsumer?: Type<RecordConsumer>;
  /** For a service whose tables must know the events that it had published before it handles again what the tables lack. */
  readonly recovery?: Type<Recovery>;
  /**
   * No service waits for the output of this one, so it collects records: after the records of a fetch, the next fetch begins
   * `GATHER_MS` later (`record`), or `PAGE_GATHER_MS` later (`pages`: people see the output). The first record after a pause is
   * handled at once. If the service is behind, it does not wait.
   */
  readonly gathers?: 'record' | 'pages';
  /**
   * Topics of one handler. Events of these topics that arrive together come in one batch and one transaction. The handler must make
   * the same of such a batch as of its events in any order of the topics.
   */
  readonly sharesBatches?: readonly string[];
  /**
   * Whether an event concerns the service, judged by the event alone. Absent: every event does. The other events are skipped
   * before any database statement, so no table remembers them.
   */
  readonly concerns?: (received: Received) => boolean;
  /**
   * Topics whose duplicates also go to the service, not only to the counters. A duplicate has the same bytes under the same id at
   * another offset.
   */
  readonly duplicates?: (topic: string) => boolean;
  /**
   * The service works on while its clock differs from the database's clock: a wrong time cannot spoil its decisions, or the
   * service must not stop. Absent: it pauses, because a deadline that passed too early stays passed.
   */
  readonly anyClock?: true;
  /** Every variable that the service reads, checked before anything starts. Absent: those of the runtime. */
  readonly settings?: Environment;
  /** Port of the HTTP interface if `PORT` is not set. Health is always served. */
  readonly port: number;
  /**
   * State that an event needs. The runtime waits for these versions before it hands the event on, and the events behind it in its
   * partition wait too. If no topic has the versions 5 s after the broker took the event, the handler gets the event with the
   * state that is there.
   */
  readonly needs?: (received: Received) => readonly { topic: TopicOf; key: string; version: number }[];
}

/** How long the service remembers that an act was done. */
export type Known = 'for ever' | 'for a week';

/** The running service, injected by the token `RUNTIME`. */
export interface Runtime {
  readonly service: Service;
  /**
   * The clock, RFC 3339 UTC with milliseconds. Throws a transient error while the clock is known to be wrong, unless the spec has
   * `anyClock`.
   */
  now(): string;
  /**
   * A transaction with outputs that no Kafka event or job caused: a person's act over HTTP. If the cause id is known, this is a
   * repeat and `fn` is not called. The act begins its own trace, with a link to `follows`, the trace context of what it answers.
   * The service remembers the act for ever, or only for a week if nobody repeats it later.
   */
  transact<R>(
    cause: Cause,
    fn: (work: Work) => Promise<R>,
    follows?: string,
    known?: Known,
  ): Promise<{ repeated: false; result: R } | { repeated: true }>;
  /**
   * A transaction that publishes nothing and that nobody repeats by an id. No row remembers it. Use it for work that has no
   * person's act as its cause, or that strangers can cause often.
   */
  write<R>(fn: (tx: Tx) => Promise<R>): Promise<R>;
  /**
   * Adds a member to the health page. While `look` returns anything, the page shows it and the service is degraded. `look` is
   * called at each request, so it must not wait. If `troubles` is `others`, the service itself counts as well, and the status of
   * the page stays 200.
   */
  addHealth(name: string, look: () => Readonly<Record<string, string>>, troubles?: 'itself' | 'others'): void;
  /** A read-only statement for work: a handler, a job, a person's act. */
  read<Row = Record<string, unknown>>(sql: string, params?: readonly unknown[]): Promise<Row[]>;
  /**
   * The same for a page. All pages together have a fifth of the connections, and callers take turns, so that pages never hold up
   * work. Throws `TooManyReads` if too many reads wait; the answer is then 503.
   */
  readForPage<Row = Record<string, unknown>>(sql: string, params?: readonly unknown[]): Promise<Row[]>;
  /**
   * Begins an answer that reads more while it is sent. Each of its reads waits for its turn. It ends with the request. Throws
   * `TooManyReads` if the caller already has one under way (429), or if there are too many in all (503).
   */
  beginExport(): Reader;
  /**
   * Publishes events that no unit of work made, for the HTTP edge of ingestion. Resolves at the broker's acknowledgement
   * (acks=all).
   */
  publish(
    topic: string,
    records: readonly { key: string; headers: Record<string, string>; value: string }[],
  ): Promise<void>;
  /**
   * Rows of `state` topics as this service has read them. With `lock` it holds them FOR SHARE, missing rows included, in one
   * sorted statement.
   */
  state<T extends EventType>(
    tx: Reader,
    topic: TopicOf<T>,
    keys: readonly string[],
    lock?: 'share',
  ): Promise<Map<string, StateRow<T>>>;
  /**
   * Deletes looked-up events that were read before a time, with the commit. Throws if the topic is not in the spec's `lookedUp`:
   * state is never deleted.
   */
  forgetLookedUp(tx: Tx, topic: TopicOf, before: string): void;
  /**
   * How long ago each state topic was last found read to its end. Null if that never happened since this instance started, or if
   * records of the topic were deleted unread and nobody has acknowledged that. Take the value before you read rows, and ask it
   * for the age after that. Then the age is never lower than the real age of the rows.
   */
  comparedAgo(): Readonly<Record<string, Ago | null>>;
  /**
   * How many members each of these consumer groups has, as the broker counts them: the instances of the services of the same
   * name. A dead instance counts until its session ends. Throws if the broker does not answer or refuses.
   */
  membersOf(groups: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /**
   * After a restore: whether a record was already on its topic when the restore was noticed, so that the service may have handled
   * it before.
   */
  hadRead(place: { readonly topic: string; readonly partition: number; readonly offset: string }): boolean;
}

/** Injection token of `Runtime`. */
export const RUNTIME = Symbol('RUNTIME');
