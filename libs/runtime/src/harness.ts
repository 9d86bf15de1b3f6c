import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  contractFault,
  type Envelope,
  type EventType,
  fromKafka,
  schemaOf,
  sourceOf,
  type Topic,
  toBinary,
  topicNamed,
} from '@countersign/contracts';
import { Logger, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type JobKind, type RecordConsumer, type Recovery, RUNTIME, type ServiceSpec, type Tx } from './api/runtime.js';
import { migrate } from './database/database.js';
import { runtimeMigrations } from './database/migrations.js';
import { ClockUnsure } from './engine/clock.js';
import { Engine } from './engine/engine.js';
import type { Handle } from './inbox/inbox.js';
import type { RawRecord } from './kafka/entries.js';
import { BatchTransport } from './nest/batch-transport.js';
import { AnswersAsDocumented } from './nest/documented.js';
import { httpAdapter } from './nest/http-adapter.js';
import { attach, useEngine } from './nest/serve.js';
import type { Outgoing } from './outbox/outgoing.js';

/** An event to deliver. Members that are left out are filled in as the topic's writer would do it. */
export interface Given {
  readonly type: string;
  readonly data: unknown;
  readonly id?: string;
  readonly source?: string;
  readonly time?: string;
  readonly correlationid?: string;
  readonly causationid?: string;
  readonly key?: string;
}

export interface Published extends Envelope<EventType, never> {
  readonly topic: string;
  readonly key: string;
}

/**
 * A service with a real database and no broker, for integration tests: its Nest application, its handlers under the real batch
 * protocol, its jobs, its HTTP pages. `databaseUrl` must be a database that belongs to the test.
 */
export interface Harness {
  readonly app: NestFastifyApplication;
  readonly engine: Engine;
  /** Everything published so far, in order. */
  readonly published: Published[];
  /** Every route of the HTTP side, whoever declared it. */
  readonly routes: readonly Route[];
  /** Delivers events as one batch. Resolves to the events that it published. */
  deliver(topic: string, events: readonly Given[]): Promise<Published[]>;
  /** Delivers raw records as one batch, for example the same ones again. */
  deliverRecords(topic: string, records: readonly RawRecord[]): Promise<Published[]>;
  /** Delivers events of several topics that one handler takes as one batch. */
  deliverTogether(
    slices: readonly { readonly topic: string; readonly events: readonly Given[] }[],
  ): Promise<Published[]>;
  records(topic: string, events: readonly Given[]): RawRecord[];
  /** Puts state of other services into this service's table, as if it had been read from its topic. */
  putState(topic: string, key: string, data: unknown): Promise<void>;
  /** Reads this service's own state topic to its end, as a start does. These are all its records, in order. */
  readOwn(topic: string, records: readonly RawRecord[]): Promise<void>;
  /** Runs the due jobs of every kind until none is left. Resolves to the events that they published. */
  runJobs(): Promise<Published[]>;
  /**
   * Runs jobs of every kind as a started service does, until the returned function is called. That function waits for jobs that
   * have begun.
   */
  startJobs(): () => Promise<void>;
  /**
   * Does what a start does that notices a restore: all records made so far were on their topics, and these events had been
   * published. The tables stay as the test left them.
   */
  afterRestore(published: readonly Published[]): Promise<void>;
  query<Row = Record<string, unknown>>(sql: string, params?: readonly unknown[]): Promise<Row[]>;
  transaction<R>(fn: (tx: Tx) => Promise<R>): Promise<R>;
  /** Sets the clock. Null: the clock counts as wrong, so `now` throws. */
  setNow(at: string | null): void;
  close(): Promise<void>;
}

/** A route that a service answers. */
export interface Route {
  readonly method: string;
  /** As it was declared, with `:name` for each variable part. */
  readonly url: string;
}

/** Writes the file that `READ_TOKEN_FILE` names from then on. With the returned headers a request may read the closed pages. */
export function readingToken(): { readonly headers: { readonly authorization: string }; remove(): void } {
  const token = randomUUID();
  const folder = mkdtempSync(join(tmpdir(), 'reading-'));
  const file = join(folder, 'token.json');
  writeFileSync(file, JSON.stringify({ sha256: createHash('sha256').update(token).digest('hex') }), { mode: 0o600 });
  process.env.READ_TOKEN_FILE = file;
  return {
    headers: { authorization: `Bearer ${token}` },
    remove: () => {
      delete process.env.READ_TOKEN_FILE;
      rmSync(folder, { recursive: true });
    },
  };
}

/** How `copyTestDatabase` makes a database with the tables of a service. */
export const tablesOf = (spec: ServiceSpec): { readonly name: string; prepare(url: string): Promise<void> } => ({
  name: [spec.name, ...runtimeMigrations, ...spec.migrations].join('\n'),
  prepare: (url) => migrate(url, spec.migrations),
});

/** Makes a harness. `at` is the first time of the clock. The clock stands still until `setNow`. */
export async function createHarness(
  module: Type,
  spec: ServiceSpec,
  {
    databaseUrl,
    at,
    env = {},
    stateAgeMs,
  }: {
    databaseUrl: string;
    at: string;
    env?: Record<string, string>;
    /** Age of each state topic in milliseconds; null: it was never compared. */
    stateAgeMs?: () => Record<string, number | null>;
  },
): Promise<Harness> {
  let clock: string | null = at;
  const now = (): string => {
    if (clock === null) throw new ClockUnsure('clock 183 s ahead of the database; nothing is decided');
    return clock;
  };
  const published: Published[] = [];
  let offset = 0;
  const publish = async (messages: readonly Outgoing[]): Promise<void> => {
    for (const { topic, key, headers, value } of messages) {
      const read = fromKafka({ key, value, headers });
      if (!read.ok) throw new Error(`published what cannot be read: ${read.fault.detail}`);
      const broken = schemaOf(read.event.type)?.safeParse(read.event.data).error;
      if (broken) throw new Error(`${topic}: ${read.event.type} breaks its contract: ${contractFault(broken).detail}`);
      published.push({ ...(read.event as Envelope<EventType, never>), topic, key });
    }
  };
  const settings = { KAFKA_BROKERS: '127.0.0.1:1', DATABASE_URL: databaseUrl, ...env };
  useEngine((s) => new Engine(s, new Logger(s.name), { ...process.env, ...settings }, now, publish));
  await migrate(databaseUrl, spec.migrations);
  const adapter = httpAdapter(undefined, undefined, spec.trustedProxies?.(process.env));
  const routes: Route[] = [];
  adapter.getInstance().addHook('onRoute', ({ method, url }) => {
    for (const verb of [method].flat()) routes.push({ method: verb, url });
  });
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    logger: ['error', 'warn'],
    abortOnError: false,
  });
  await spec.http?.(adapter.getInstance(), process.env);
  // The answer to each request of a test is compared with the OpenAPI document.
  app.useGlobalInterceptors(new AnswersAsDocumented());
  const engine = app.get<Engine>(RUNTIME);
  // Nothing is followed here. State that a test put in counts as compared now, unless the test says otherwise.
  engine.comparedAgo = () => {
    const ages = stateAgeMs?.();
    const age = (topic: string): number | null => (ages ? (ages[topic] ?? null) : 0);
    return Object.fromEntries(
      (spec.state ?? []).map(({ name: topic }) => [topic, age(topic) === null ? null : () => age(topic) ?? Infinity]),
    );
  };
  let handlers: ReadonlyMap<string, Handle> = new Map();
  const transport = new BatchTransport(
    async (found) => {
      handlers = found;
    },
    async () => undefined,
  );
  attach(app, transport);
  await app.startAllMicroservices();
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  const hand = engine.byHand(handlers, spec.recordConsumer && app.get<RecordConsumer>(spec.recordConsumer));
  const since = async (fn: () => Promise<unknown>): Promise<Published[]> => {
    const from = published.length;
    await fn();
    return published.slice(from);
  };
  const kinds = (spec.jobs ?? []).map((type) => app.get<JobKind<never>>(type));
  const records = (name: string, events: readonly Given[]): RawRecord[] => {
    const topic: Topic = topicNamed(name, engine.topics);
    return events.map((given) => {
      offset++;
      const { headers, value } = toBinary({
        id: given.id ?? `given-${offset}`,
        source: given.source ?? topic.source ?? sourceOf(topic.writer),
        type: given.type,
        time: given.time ?? now(),
        ...(given.correlationid !== undefined && { correlationid: given.correlationid }),
        ...(given.causationid !== undefined && { causationid: given.causationid }),
        data: given.data,
      });
      return {
        partition: 0,
        offset: String(offset),
        key: Buffer.from(given.key ?? 'key'),
        value: Buffer.from(value),
        headers,
      };
    });
  };
  return {
    app,
    engine,
    published,
    routes,
    records,
    deliver: (topic, events) => since(() => hand.inbox(topic, records(topic, events))),
    deliverRecords: (topic, given) => since(() => hand.inbox(topic, given)),
    deliverTogether: (slices) =>
      since(() =>
        hand.inboxTogether(slices.map(({ topic, events }) => ({ name: topic, records: records(topic, events) }))),
      ),
    putState: async (topic, key, data) => {
      const [record] = records(topic, [{ type: topicNamed(topic, engine.topics).types[0] as string, data }]);
      await hand.readState(topic, [{ ...(record as RawRecord), key: Buffer.from(key) }]);
    },
    readOwn: (topic, given) => hand.readOwn(topic, given),
    runJobs: () =>
      since(async () => {
        for (let ran = 1, rounds = 0; ran > 0 && rounds < 100; rounds++) {
          ran = 0;
          for (const kind of kinds) ran += await hand.runDue(kind);
        }
      }),
    startJobs: () => hand.startJobs(kinds),
    afterRestore: async (published) => {
      await hand.db.read(
        `INSERT INTO work_positions (topic, partition, next_offset, again_until) SELECT name, 0, 0, $2 FROM unnest($1::text[]) AS name
         ON CONFLICT (topic, partition) DO UPDATE SET again_until = excluded.again_until`,
        [engine.topics.map(({ name }) => name), offset + 1],
      );
      const own = published.filter(({ topic }) => topicNamed(topic, engine.topics).kind === 'log');
      for (const [n, { id, topic, type, subject, data, time }] of own.entries())
        await hand.db.read(
          'INSERT INTO own_events (id, topic, partition, "offset", type, subject, data, at, read_at) VALUES ($1, $2, 0, $3, $4, $5, $6, $7, $7)',
          [id, topic, n, type, subject ?? null, JSON.stringify(data), time],
        );
      await hand.takeOver(spec.recovery && app.get<Recovery>(spec.recovery));
    },
    query: (sql, params) => hand.db.read(sql, params),
    transaction: (fn) => hand.db.transaction(fn),
    setNow: (next) => {
      clock = next;
    },
    close: async () => {
      await app.close();
      await hand.db.close();
    },
  };
}
