import type { DataOf, Envelope, Event, EventType, Fault, Service, TopicOf } from '@countersign/contracts';
import type { Type } from '@nestjs/common';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Access } from '../nest/access.js';
import type { Environment } from '../settings/environment.js';
import type { Ago } from './ago.js';

/** What answers a service's requests, for plugins and for answers that are no JSON. */
export type HttpServer = FastifyInstance;
export type HttpReply = FastifyReply;

/** Something that answers statements. Placeholders are `$1`, rows come back as objects. */
export interface Reader {
  query<Row = Record<string, unknown>>(sql: string, params?: readonly unknown[]): Promise<Row[]>;
}

/** A transaction of the service's own database. */
export interface Tx extends Reader {
  /**
   * Sends a statement whose answer nobody needs, without waiting for it: what is written last goes to the database together
   * with the commit. Where it fails, nothing is committed, and the transaction throws what it failed of.
   */
  write(sql: string, params?: readonly unknown[]): void;
}

/** An event with the place it was read from. */
export interface Received<T extends EventType = EventType> {
  readonly event: Event<T>;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  /** When the broker took it; absent where that is not known any more. */
  readonly takenAt?: string;
  readonly key: string | null;
  /** SHA-256 of the record's value, hexadecimal. */
  readonly sha256: string;
  /** The record's value as it was read. */
  readonly bytes: Buffer;
  /** The whole record as it stands on its topic; absent where a dead letter of it is handled again. */
  readonly raw?: Pick<SeenRecord, 'key' | 'headers' | 'value'>;
}

/** What an output or a job is caused by: ids, correlation and trace context are derived from it. */
export interface Cause {
  readonly source: string;
  readonly id: string;
  readonly correlationid?: string | undefined;
  /** The event to name as the cause where it is not `id` itself: a job names the event that scheduled it. */
  readonly causationid?: string | undefined;
  readonly traceparent?: string | undefined;
}

/** The types of the events of a topic. */
export type TypeOn<To extends TopicOf> = To['types'][number];

type IsUnion<T, U = T> = T extends unknown ? ([U] extends [T] ? false : true) : never;

/**
 * An event to publish after the commit on a topic whose events have the types `T`. Its id is UUIDv5 of (service, cause, index);
 * `time` is the batch's `at`. `type` may be left out where the topic has one type only.
 */
export type Output<T extends EventType = EventType> = {
  readonly key: string;
  readonly subject?: string;
} & (IsUnion<T> extends true
  ? { [K in T]: { readonly type: K; readonly data: DataOf<K> } }[T]
  : { readonly type?: T; readonly data: DataOf<T> });

/** A state event to publish: version and changedAt are filled in from the service's own table. */
export interface StateOutput<T extends EventType = EventType> {
  readonly key: string;
  readonly data: Omit<DataOf<T>, 'version' | 'changedAt'>;
}

/** The name of a kind of job, together with the shape of its payload. Whoever schedules and whoever works it share this value. */
export interface JobName<P> {
  readonly name: string;
  /** Never there: it only carries the type of the payload. */
  readonly takes?: (payload: P) => void;
}

/** Names a kind of job. Payloads are stored as JSON. */
export const jobName = <P>(name: string): JobName<P> => ({ name });

/** Work that waits: a model, a connector, a deadline. `kind` and `id` together are its key; a second `schedule` of a known key is ignored. */
export interface NewJob<P> {
  readonly kind: JobName<P>;
  readonly id: string;
  /** RFC 3339; not claimed before. */
  readonly dueAt: string;
  readonly payload: NoInfer<P>;
}

/**
 * One unit of work inside one transaction: read and write through `tx`; what is emitted, put or scheduled becomes
 * visible with the commit, and is published after it, in order, as often as a repeat asks for, always the same bytes.
 */
export interface Work {
  /** The one time of this unit, RFC 3339 UTC. */
  readonly at: string;
  readonly tx: Tx;
  /** Queues an event; returns its id. */
  emit<To extends TopicOf>(cause: Cause, topic: To, output: Output<TypeOn<To>>): string;
  /**
   * Reads and locks the service's own rows of a state topic, in key order, before they are changed: the map has an entry for
   * every key, version 0 and no data where there is none yet.
   */
  ownState<T extends EventType>(
    topic: TopicOf<T>,
    keys: readonly string[],
  ): Promise<Map<string, { version: number; data: DataOf<T> | null }>>;
  /**
   * Queues the next version of a key that `ownState` locked, to the table and to the topic; returns the version. Throws, naming key
   * and member, where the state breaks its contract: its readers would go on with the one before it, and nobody would know.
   */
  putState<To extends TopicOf>(cause: Cause, topic: To, output: StateOutput<TypeOn<To>>): number;
  /** Queues jobs, inserted with the commit. */
  schedule<P>(cause: Cause, job: NewJob<P>): void;
  /**
   * After a restore: what this service had published in the time that its tables do not know, by event id or subject, in the order
   * of its topics. It stands: an output under an id that is among it is not published again. Otherwise empty, and no statement.
   */
  published(by: 'id' | 'subject', values: readonly string[]): Promise<ReadonlyMap<string, readonly PublishedEvent[]>>;
}

/** An event that this service had published before its database was put back from a copy that does not know of it. */
export type PublishedEvent<T extends EventType = EventType> = {
  [K in T]: { readonly id: string; readonly topic: string; readonly type: K; readonly data: DataOf<K> };
}[T];

/** What a service does when its tables turn out to be older than what it has handled: a provider, named in the spec's `recovery`. */
export interface Recovery {
  /**
   * Takes over what was published since the tables end, all of it in order, before any work begins. May be called again with the
   * same, so it changes nothing that is there already.
   */
  recover(past: { readonly tx: Tx; readonly at: string; readonly published: readonly PublishedEvent[] }): Promise<void>;
}

/** A record that is no event to be handled: unreadable, or a duplicate. Only where the spec asks for them. */
export interface SetAside {
  readonly reason: 'unreadable' | 'duplicate';
  readonly fault: Fault;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly key: string | null;
  readonly sha256: string;
  /** Attributes, as far as each can be read by itself. */
  readonly source?: string;
  readonly id?: string;
  readonly type?: string;
  readonly time?: string;
  /** Pass this to `emit`. */
  readonly cause: Cause;
}

/** A record as it stands on its topic, whatever it holds. */
export interface SeenRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly key: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | string | readonly (Buffer | string)[] | undefined>>;
  readonly value: Buffer | null;
  /** The broker's id of the topic, where it was deleted and made again since this service first read it: its offsets begin anew. */
  readonly topicId?: string;
  /** Checked by its contract; absent where `fault` says why it cannot be read. */
  readonly event?: Envelope;
  readonly fault?: Fault;
  readonly cause: Cause;
}

/**
 * What a handler gets: fresh events of one topic, those of each partition in their order. A redelivery never reaches it.
 */
export interface Batch<T extends EventType = EventType> extends Work {
  readonly topic: string;
  readonly events: readonly Received<T>[];
  readonly setAside: readonly SetAside[];
}

/** What a record consumer gets: fresh records of any of its topics, those of each partition in their order. */
export interface Records extends Pick<Work, 'at' | 'tx' | 'schedule'> {
  readonly records: readonly SeenRecord[];
}

/** A service that keeps what was written, not what it means: a provider of the module, named in the spec's `recordConsumer`. */
export interface RecordConsumer {
  /** Keeps the records, in the transaction that says so. Whatever it throws makes the same records come again. */
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
  /** How often it was claimed, this time included. 1: nobody has held it before. */
  readonly claims: number;
  readonly cause: Cause;
}

/** How a kind of job is worked: a provider of the module, named in the spec's `jobs`. */
export interface JobKind<P = unknown> {
  readonly kind: JobName<P>;
  /**
   * How long a claim may last before another instance may take the row, in milliseconds. The lease is prolonged up to here while
   * the claim is worked; of an instance that died or stands still it runs out after `LEASE_MS`.
   */
  readonly leaseMs: number;
  /** How many rows are claimed at once. */
  readonly batch: number;
  /** How many claims of this kind are worked at the same time in one instance. Absent: 1. */
  readonly parallel?: number;
  /** Works the claimed jobs; each must be finished, put off or left (then it is claimed again after its lease). */
  work(jobs: readonly Job<P>[], context: JobContext): Promise<void>;
  /**
   * Ends a job that failed `JOB_TRIES` times, in the transaction that makes it a dead letter: emits, under the job's cause, what
   * must be told in place of its result. Such a job cannot be replayed. Absent: nothing is told, and a replay works it again.
   * Returns whether it ended the job; where it does not or throws, the job is a dead letter that can be replayed.
   */
  giveUp?(job: Job<P>, work: Work, fault: Fault): Promise<boolean>;
}

export interface JobContext {
  /**
   * What is left of this claim waits for somebody outside: it no longer counts among the `parallel` claims, so that others are
   * worked meanwhile. Its lease is prolonged as before. Whoever calls it bounds how many such claims there are.
   */
  aside(): void;
  /** The time at the call, RFC 3339 UTC: read again where a comparison must be of now. Throws what passes while it is not known. */
  now(): string;
  /** A transaction that is not the end of a job: an intent, a reservation. Commits when `fn` returns. */
  transaction<R>(fn: (work: Work) => Promise<R>): Promise<R>;
  /**
   * Ends jobs: locks their rows and calls `fn` with those that still exist and have no result; what `fn` emits is stored
   * on the rows, committed, published, and the rows are deleted after the broker's acknowledgement. For a row that has a result
   * already, the stored outputs are published instead: the first answer stands.
   */
  finish<P>(jobs: readonly Job<P>[], fn: (owned: readonly Job<P>[], work: Work) => Promise<void>): Promise<void>;
  /** Puts a job off to a later time, giving up the claim. */
  later(job: Job, dueAt: string): Promise<void>;
  /** Whether this claim still holds its lease, by the database. */
  holds(job: Job): Promise<boolean>;
}

/** State that other services own, as this service has read it. */
export interface StateRow<T extends EventType = EventType> {
  readonly version: number;
  readonly data: DataOf<T> | null;
}

/**
 * A log topic whose events a service looks up by an id of theirs. It is read as state is, by each instance for itself, into the same
 * table: a row an event, at version 1, and the first one of an id stands. The service deletes what it no longer needs, with
 * `Runtime.forgetLookedUp`.
 */
export interface LookedUp<T extends EventType = EventType> {
  readonly topic: TopicOf<T>;
  /** The id that it is looked up by: the key of its row. */
  readonly key: (data: DataOf<T>) => string;
  /** What is kept of it: a plain JSON value. */
  readonly value: (data: DataOf<T>) => unknown;
}

/** What one service needs beside its handlers. Checked against the topology at start-up. */
export interface ServiceSpec {
  readonly name: Service;
  /** TypeORM migration classes of the service's own tables, oldest first. Names end in a timestamp, as TypeORM asks. */
  // biome-ignore lint/complexity/noBannedTypes: TypeORM's own type for migration classes
  readonly migrations: readonly Function[];
  /** The provider class of the module that knows who asks over HTTP. Absent: nobody is let in but to public pages. */
  readonly access?: Type<Access>;
  /**
   * Gives Fastify plugins of the service's own, before its routes: headers, limits, files. The hooks of the runtime come before
   * theirs, so whoever is not let in never reaches them.
   */
  readonly http?: (server: HttpServer, env: Readonly<Record<string, string | undefined>>) => Promise<void>;
  /** The addresses of proxies whose word on where a request comes from counts. Absent: of none. */
  readonly trustedProxies?: (env: Readonly<Record<string, string | undefined>>) => readonly string[];
  /** Provider classes of the module that implement `JobKind`. */
  readonly jobs?: readonly Type<JobKind<never>>[];
  /**
   * Thumbprints of the keys that it signs or verifies permits with: the service does not start where its installation's key is not
   * among them. Throws where they cannot be read.
   */
  readonly permitKeys?: (env: Readonly<Record<string, string | undefined>>) => readonly string[];
  /** State topics of others that it keeps a table of. */
  readonly state?: readonly TopicOf[];
  /** Log topics of others that it keeps a table of, to look events up. */
  readonly lookedUp?: readonly { [T in EventType]: LookedUp<T> }[EventType][];
  /** State topics that it writes, and therefore reads back. */
  readonly ownState?: readonly TopicOf[];
  /**
   * For topics whose unreadable records are not dead letters but a fact of the service's own: called in the batch's
   * transaction with what could not be read. Return the topics by name; absent for all others.
   */
  readonly unreadable?: (topic: string) => boolean;
  /**
   * For a service that keeps what was written: it is given each record of every topic that it reads, once, by its Kafka
   * coordinates, and has no handlers beside.
   */
  readonly recordConsumer?: Type<RecordConsumer>;
  /** For a service whose tables have to know what it had published, before it handles again what they lack. */
  readonly recovery?: Type<Recovery>;
  /**
   * Nobody waits for what this service makes of an event: the broker may hold its fetches back for `GATHER_MS`, so that more
   * comes together.
   */
  readonly gathers?: boolean;
  /**
   * Whether an event is the service's affair, by what it says alone; absent: each is. Others are passed over before anything is
   * asked of the database, so nothing remembers them.
   */
  readonly concerns?: (received: Received) => boolean;
  /** Topics whose duplicates (the same bytes under the same id at another offset) are handed on too, rather than only counted. */
  readonly duplicates?: (topic: string) => boolean;
  /**
   * Nothing that it decides is undone by a wrong time, or it must not be held up: it works on while its clock is off the
   * database's. Absent: it pauses, since a deadline that passed early stays passed.
   */
  readonly anyClock?: true;
  /** Every variable that it reads, checked before anything starts; absent: those of the runtime. */
  readonly settings?: Environment;
  /** Port of its HTTP interface where `PORT` is not set; health is always served. */
  readonly port: number;
  /**
   * State that an event needs before it is handled: the runtime waits for these versions, and with the event those behind it in its
   * partition. Where nobody has them 5 s after the broker took the event it is handed on all the same; the handler sees what there is.
   */
  readonly needs?: (received: Received) => readonly { topic: TopicOf; key: string; version: number }[];
}

/** For how long it is known that an act was done. */
export type Known = 'for ever' | 'for a week';

/** The running service, injected by the token `RUNTIME`. */
export interface Runtime {
  readonly service: Service;
  /** The clock, RFC 3339 UTC with milliseconds. Throws what passes while it is known to be wrong, unless the spec has `anyClock`. */
  now(): string;
  /**
   * A transaction with outputs that is not caused by a Kafka event or job: a person's act over HTTP. A known cause id is a repeat:
   * `fn` is not called. The act begins a trace of its own, linked to `follows`, the trace context of what it answers. That it was done is
   * known for ever, or for a week: for what nobody repeats later, as often as they like.
   */
  transact<R>(
    cause: Cause,
    fn: (work: Work) => Promise<R>,
    follows?: string,
    known?: Known,
  ): Promise<{ repeated: false; result: R } | { repeated: true }>;
  /**
   * A transaction that publishes nothing and that nobody repeats by its id: it is no act, and no row says for ever that it was done. For
   * what happens by itself or for strangers, as often as they like.
   */
  write<R>(fn: (tx: Tx) => Promise<R>): Promise<R>;
  /**
   * Adds a member to the health page: shown, and the service degraded, while `look` returns anything. Called at each request; it
   * must not wait. What troubles only others, as `troubles` says, is no reason to take this service for unwell: the page's status
   * stays 200.
   */
  addHealth(name: string, look: () => Readonly<Record<string, string>>, troubles?: 'itself' | 'others'): void;
  /** A read-only look at the database, for work: a handler, a job, a person's act. */
  read<Row = Record<string, unknown>>(sql: string, params?: readonly unknown[]): Promise<Row[]>;
  /**
   * The same for a page. Pages have a fifth of the connections among them, in turn by the principals who ask, so that they never hold
   * up work; throws `TooManyReads`, which is answered 503, where too many wait.
   */
  readForPage<Row = Record<string, unknown>>(sql: string, params?: readonly unknown[]): Promise<Row[]>;
  /**
   * Begins an answer that goes on reading while it is given: each of its reads waits for its turn. It ends with the request. Throws
   * `TooManyReads` where the principal has another one under way (429), or all together have as many as there may be (503).
   */
  beginExport(): Reader;
  /** Publishes events as they are, after nothing: for the HTTP edge of ingestion. Resolves at the broker's acknowledgement (acks=all). */
  publish(
    topic: string,
    records: readonly { key: string; headers: Record<string, string>; value: string }[],
  ): Promise<void>;
  /** Rows of `state` topics as this service has read them; with `lock`, FOR SHARE, missing rows included, in one sorted statement. */
  state<T extends EventType>(
    tx: Reader,
    topic: TopicOf<T>,
    keys: readonly string[],
    lock?: 'share',
  ): Promise<Map<string, StateRow<T>>>;
  /**
   * Deletes events that were looked up and read before a time, with the commit. Throws where the topic is none of the spec's
   * `lookedUp`: state is never deleted.
   */
  forgetLookedUp(tx: Tx, topic: TopicOf, before: string): void;
  /**
   * How long ago each state topic was last compared with the end of its topic and found read to it; null where never since this
   * instance started, and where records of it were deleted unread and nobody has acknowledged that. Take it before the rows, ask it after them: so an age is never younger than what was read.
   */
  comparedAgo(): Readonly<Record<string, Ago | null>>;
  /**
   * How many members each of these consumer groups has, by the broker: the instances of the services that they are named after. An
   * instance that died is still counted until its session is over. Throws where the broker does not answer or refuses.
   */
  membersOf(groups: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** After a restore: whether a record was on its topic when that was noticed, so that it may have been handled before. */
  hadRead(place: { readonly topic: string; readonly partition: number; readonly offset: string }): boolean;
}

/** Injection token of `Runtime`. */
export const RUNTIME = Symbol('RUNTIME');
