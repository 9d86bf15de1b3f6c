import {
  type InstallationMark,
  markQuery,
  markThere,
  misplaced,
  type Topic,
  topicNamed,
  topics,
  topology,
} from '@countersign/contracts';
import {
  type Admin,
  boundFetches,
  committedOnly,
  type Kafka,
  kafkajs,
  type Producer,
  quietQueue,
  type TopicFacts,
  tellRights,
  topicFacts,
} from '@countersign/kafka';
import { startAct } from '@countersign/telemetry';
import type { Ago } from '../api/ago.js';
import { type Limits, readLimits } from '../api/limits.js';
import type {
  Batch,
  Cause,
  JobKind,
  LookedUp,
  Reader,
  RecordConsumer,
  Recovery,
  Runtime,
  ServiceSpec,
  Tx,
  Work,
} from '../api/runtime.js';
import { deployment, readSettings } from '../api/settings.js';
import { type Database, migrate, openDatabase } from '../database/database.js';
import { describe } from '../failures.js';
import { type Handle, Inbox } from '../inbox/inbox.js';
import { Past } from '../inbox/past.js';
import { type PlacedRecord, RecordInbox } from '../inbox/record-inbox.js';
import { recover, takeOver } from '../inbox/recovery.js';
import { replay } from '../inbox/replays.js';
import { together } from '../inbox/together.js';
import { PutBack, WorkPositions } from '../inbox/work-positions.js';
import { actKind, JobRunner } from '../jobs/jobs.js';
import { consume, enough, type Held, type RunningConsumer } from '../kafka/consumer.js';
import type { Entry, RawRecord } from '../kafka/entries.js';
import { acknowledge, gapsAcknowledged, openGaps } from '../kafka/gaps.js';
import { whenLed } from '../kafka/read-ends.js';
import { type Checked, checkSettings } from '../kafka/topic-settings.js';
import { TopicWatch } from '../kafka/topic-watch.js';
import { asking } from '../nest/asker.js';
import { type PageReads, pageReads } from '../nest/page-reads.js';
import { requests } from '../nest/request-log.js';
import { outgoing, toStore } from '../outbox/outgoing.js';
import { type Publish, publishWith } from '../outbox/publisher.js';
import { tidy } from '../outbox/tidy.js';
import { type Bounds, causeKey, UnitOfWork } from '../outbox/unit-of-work.js';
import { Confirmations } from '../state/confirmations.js';
import { OwnState } from '../state/own-state.js';
import {
  applyState,
  followState,
  positionsWithin,
  readPositions,
  readState,
  type StateReader,
  staleIn,
} from '../state/state.js';
import { StateWaits } from '../state/state-waits.js';
import { Clock, compareClock, wallTime } from './clock.js';
import { messagesMeasured, watch } from './measures.js';

quietQueue();
committedOnly();
boundFetches();
tellRights();

export interface Log {
  log(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** How the service is doing, as `GET /health` says it to whoever may know. */
export interface Health {
  readonly status: 'starting' | 'ok' | 'degraded' | 'stopping';
  readonly service: string;
  /** Whether it takes work: it has begun, its database and its broker answer, and it knows the time. */
  readonly ready: boolean;
  /** Whether the service itself is well: it may be degraded by what troubles others only, and a restart would not mend that. */
  readonly well: boolean;
  readonly checks: Readonly<Record<string, unknown>>;
}

/** How long the health page waits for the database, and from when on it tells of a statement without an answer. */
const healthMs = 2_000;

/** What is done with records of one partition. Throws: they come again. */
type Take = (records: readonly RawRecord[]) => Promise<Held | undefined>;

/** The engine of one service: its database, consumers, jobs and state. Nest knows it by `RUNTIME`. */
export class Engine implements Runtime {
  readonly service: ServiceSpec['name'];
  readonly topics: readonly Topic[];
  readonly limits: Limits;
  private readonly bounds: Bounds;
  private readonly db: Database;
  private readonly pages: PageReads;
  private readonly kafka: Kafka;
  private readonly producer: Producer;
  private readonly admin: Admin;
  private readonly facts: TopicFacts;
  private readonly watch: TopicWatch;
  private readonly publishMessages: Publish;
  private readonly jobs: JobRunner;
  private readonly inbox: Inbox;
  private readonly own: OwnState | undefined;
  private readonly confirmations: Confirmations | undefined;
  private readonly past: Past;
  private readonly positions: WorkPositions;
  private putBack?: PutBack;
  private reader?: StateReader;
  private readonly waits: StateWaits | undefined;
  private backReader?: RunningConsumer;
  private worker?: RunningConsumer;
  /** Settings of topics that differ from what the topology asks for, as they were at the start. */
  private settings?: Checked;
  private tidying?: NodeJS.Timeout;
  private readonly clock = new Clock();
  /** The time, for whatever is decided by it. Throws what passes while it is not known; see `anyClock` of the spec. */
  readonly now: () => string;
  private forgetClock?: () => void;
  private watching?: NodeJS.Timeout;
  private unwatch?: () => void;
  private readonly told = new Map<
    string,
    { readonly look: () => Readonly<Record<string, string>>; readonly whom: 'itself' | 'others' }
  >();
  private draining?: Promise<void>;
  private asked: Promise<Health> | undefined;
  private phase: Health['status'] = 'starting';

  constructor(
    readonly spec: ServiceSpec,
    private readonly log: Log,
    private readonly env: Readonly<Record<string, string | undefined>> = process.env,
    /** Another clock, for tests. */
    now?: () => string,
    /** Stands in for the broker in tests of a handler with a real database. */
    publish?: Publish,
  ) {
    this.service = spec.name;
    this.now = now ?? (spec.anyClock ? wallTime : this.clock.now);
    this.limits = readLimits(env);
    this.topics = topology(deployment(env));
    const settings = readSettings(env, spec.port);
    this.db = openDatabase(settings.databaseUrl, spec.name, this.limits, (message) => log.warn(message));
    this.pages = pageReads(this.limits.connections);
    this.kafka = new kafkajs.Kafka({
      clientId: spec.name,
      ...settings.kafka,
      logLevel: kafkajs.logLevel.NOTHING,
      connectionTimeout: 3_000,
      authenticationTimeout: 5_000,
      requestTimeout: 15_000,
      retry: { retries: 5, initialRetryTime: 100, maxRetryTime: 2_000 },
    });
    // Idempotence off: kafkajs 2.2.4 gives sequence numbers back before a retry and can lose an acknowledged event.
    this.producer = this.kafka.producer({ allowAutoTopicCreation: false, idempotent: false, maxInFlightRequests: 5 });
    this.admin = this.kafka.admin();
    const heard = (time: number, asked: number) => this.clock.heard('broker', time, asked);
    const send = publish ?? publishWith(this.producer, this.limits.produceBytes, heard);
    this.publishMessages = async (messages) => {
      this.own?.published(messages);
      await send(messages);
    };
    this.facts = topicFacts(this.kafka);
    const mine = this.topics.filter(({ name }) => this.readsOf().has(name));
    this.watch = new TopicWatch({
      ...{ db: this.db, facts: this.facts, topics: mine, writes: this.writes(), now: wallTime, log },
      settings: async () => (await this.checkSettings()).found,
      republish: async (topic) => {
        await this.own?.publishAll(topic);
      },
    });
    const writable = new Set(this.writes());
    this.past = new Past(this.db);
    this.positions = new WorkPositions(this.db);
    this.bounds = { writable, eventBytes: this.limits.eventBytes, past: this.past };
    const shared = {
      db: this.db,
      publish: (messages: Parameters<Publish>[0]) => this.publishMessages(messages),
      limits: this.limits,
      now: this.now,
      bounds: this.bounds,
      log,
    };
    this.jobs = new JobRunner({ service: spec.name, buries: spec.recordConsumer === undefined, ...shared });
    const owned = (spec.ownState ?? []).map(({ name }) => topicNamed(name, this.topics));
    const { kafka, admin } = this;
    if (owned.length > 0)
      this.own = new OwnState({ ...shared, kafka, admin, service: spec.name, topics: owned, watch: this.watch });
    const confirms = topics.controlsConfirmed(spec.name).name;
    if (writable.has(confirms) && spec.state?.includes(topics.controls))
      this.confirmations = new Confirmations({ ...shared, service: spec.name, topic: confirms, now: wallTime });
    const { db, clock, limits } = this;
    const reader = () => this.reader;
    this.waits = spec.needs && new StateWaits({ needs: spec.needs, db, limits, clock, reader, log });
    this.inbox = new Inbox({ spec, ...shared, onScheduled: (kinds) => this.jobs.wake(kinds) });
  }

  /**
   * Checks whose database and broker these are, migrates, checks the topics, connects, reads state to its end. Throws where the
   * installation is not as the topology says, and before anything is changed where it is another's.
   */
  async prepare(): Promise<void> {
    const { migrationUrl } = readSettings(this.env, this.spec.port);
    await this.checkInstallation();
    await migrate(migrationUrl, this.spec.migrations, this.limits, (message) => this.log.warn(message));
    await this.connect();
  }

  private async connect(): Promise<void> {
    await this.producer.connect();
    await this.checkTopics();
    const consequence = this.spec.anyClock ? 'what is written has a wrong time' : 'nothing is decided until they agree';
    this.forgetClock = await compareClock(this.clock, this.db, consequence, this.log);
    await whenLed(this.limits, () => this.watch.begin());
    this.watching = setInterval(() => void this.watch.check(), this.limits.compareEveryMs);
    const lookedUp = this.lookedUp();
    const followed = [...(this.spec.state ?? []).map(({ name }) => name), ...lookedUp.keys()].map((name) =>
      topicNamed(name, this.topics),
    );
    if (this.spec.recordConsumer) {
      const { admin, db, limits } = this;
      await positionsWithin({ admin, db, limits, topics: this.topicsRead() }, 'record_positions');
    }
    const { kafka, db, service, limits, log, watch } = this;
    const common = { kafka, db, service, limits, log, watch };
    // First of all: what is written before would be written below versions that the world has seen.
    if (this.own) this.backReader = await this.own.follow(await this.own.catchUp());
    if (followed.length > 0) {
      const applied = (topic: string, keys: readonly string[]): void => {
        if (topic === topics.controls.name) this.confirmations?.tell(keys);
      };
      this.reader = await followState({
        ...common,
        admin: this.admin,
        topics: followed,
        lookedUp,
        now: wallTime,
        applied,
      });
      await this.reader.caughtUp();
      await this.confirmations?.tellAll();
    }
  }

  /** Begins work: consumes the handlers' topics, or with a record consumer all that the service reads, and runs the jobs. */
  async begin(
    handlers: ReadonlyMap<string, Handle>,
    kinds: readonly JobKind<never>[],
    {
      recordConsumer,
      recovery,
    }: { readonly recordConsumer?: RecordConsumer | undefined; readonly recovery?: Recovery | undefined } = {},
  ): Promise<void> {
    if (recordConsumer && handlers.size > 0) throw new Error(`${this.service} keeps every record and has handlers too`);
    for (const name of handlers.keys()) {
      const topic = topicNamed(name, this.topics);
      if (!topic.readers.includes(this.service))
        throw new Error(`${this.service} handles ${name}, but the topology does not let it read that topic`);
    }
    const recordInbox = recordConsumer && this.recordInbox(recordConsumer);
    const work = recordInbox ? this.toKeep(recordInbox) : this.toHandle(handlers);
    if (!recordConsumer) await this.recover([...work.keys()], recovery);
    this.jobs.start([...kinds, actKind]);
    this.worker = await consume({
      kafka: this.kafka,
      groupId: this.service,
      topics: [...work.keys()],
      limits: this.limits,
      ...(recordInbox
        ? {
            positions: () => readPositions(this.db, 'record_positions'),
            passed: (...place) => recordInbox.pass(...place),
          }
        : {
            positions: () => {
              this.waits?.forget();
              return this.notPutBack(() => this.workPositions([...work.keys()]));
            },
            remember: (offsets) => this.notPutBack(() => this.positions.write(offsets)),
            fromBeginning: () => this.watch.madeAgainLately(),
          }),
      onJump: (place, from, to) => this.watch.jumped(place, from, to),
      rights: this.watch,
      ...(this.spec.gathers && { fetchWaitMs: this.limits.gatherMs, minBytes: enough(this.limits) }),
      log: this.log,
      handle: async (name, _partition, records) => {
        if (this.putBack) throw this.putBack;
        return work.get(name)?.(records);
      },
    });
    const worker = this.worker;
    this.watch.add({
      topics: [...work.keys()],
      ...(recordConsumer && { whole: true }),
      positions: async () => (recordConsumer ? readPositions(this.db, 'record_positions') : worker.positions()),
      busy: worker.busy,
      deleted: (place) => {
        worker.deleted(place);
        this.waits?.forget(place);
      },
      again: async () => worker.restart(),
    });
    this.tidying = setInterval(() => void this.tidy(), 600_000);
    this.unwatch = watch({
      expiring: () => this.watch.expiring(),
      db: this.db,
      now: wallTime,
      clock: this.clock,
      lag: () => this.worker?.lag() ?? {},
      comparedAgo: () => this.comparedAgo(),
    });
    this.phase = 'ok';
  }

  /** What is done with the records of each topic: events of one topic share a transaction, whatever their partitions. */
  private toHandle(handlers: ReadonlyMap<string, Handle>): ReadonlyMap<string, Take> {
    const { waits } = this;
    return new Map<string, Take>(
      [...this.withOrders(handlers)].map(([name, handle]) => {
        const topic = topicNamed(name, this.topics);
        const read = (records: readonly RawRecord[]) => this.inbox.entries(topic, records);
        const process = together(
          (entries: readonly Entry[]) => this.inbox.process(topic, entries, handle),
          this.limits.batchEvents,
        );
        const take: Take = async (records) => {
          if (waits) return waits.handle(name, records, read, process);
          await process(read(records));
          return undefined;
        };
        return [name, take];
      }),
    );
  }

  /** The same for a record consumer: records of all topics share a transaction. */
  private toKeep(recordInbox: RecordInbox): ReadonlyMap<string, Take> {
    const keep = together((records: readonly PlacedRecord[]) => recordInbox.process(records), this.limits.batchEvents);
    const placed =
      (topic: Topic): Take =>
      async (records) => {
        await keep(records.map((record) => ({ topic, record })));
        return undefined;
      };
    return new Map(this.topicsRead().map((topic) => [topic.name, placed(topic)]));
  }

  /** Before any work: whether the tables know of all that was handled, and what was said since where they do not. */
  private async recover(names: readonly string[], recovery: Recovery | undefined): Promise<void> {
    const { kafka, admin, db, service, limits, log } = this;
    const again = this.watch.madeAgainLately();
    const toRead = names.filter((name) => !again.has(name)).map((name) => topicNamed(name, this.topics));
    // A confirmation is no work: it tells of a table as it is, and a start says it once more.
    const confirms = topics.controlsConfirmed(service).name;
    const own = this.topics.filter(
      (t) => t.writer === service && t.kind === 'log' && t.types.length > 0 && t.name !== confirms,
    );
    const startOf = (topic: string, partition: number) => this.watch.of(topic)?.starts[partition] ?? 0;
    await recover({ kafka, admin, db, service, topics: toRead, own, startOf, limits, now: wallTime, recovery, log });
    await this.past.load();
  }

  /** Where partitions go on by the tables' account, else where the topic began when it was first seen. */
  private async workPositions(topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const starts = topics.flatMap((topic) =>
      Object.entries(this.watch.of(topic)?.starts ?? {}).map(
        ([partition, at]) => [`${topic}/${partition}`, at] as const,
      ),
    );
    return new Map([...starts, ...(await this.positions.read())]);
  }

  /** Where the database was put back beneath this instance, it does nothing more: what it knows is of another past. */
  private async notPutBack<R>(look: () => Promise<R>): Promise<R> {
    try {
      return await look();
    } catch (error) {
      if (error instanceof PutBack && !this.putBack) {
        this.putBack = error;
        this.log.error(error.message);
        void this.jobs.stop();
      }
      throw error;
    }
  }

  /** Every topic that this service reads in one way or another. */
  private readsOf(): ReadonlySet<string> {
    return new Set([
      ...this.topicsRead().map(({ name }) => name),
      ...[...(this.spec.state ?? []), ...(this.spec.ownState ?? [])].map(({ name }) => name),
    ]);
  }

  private lookedUp(): ReadonlyMap<string, LookedUp> {
    return new Map((this.spec.lookedUp ?? []).map((one) => [one.topic.name, one as unknown as LookedUp]));
  }

  private writes(): readonly string[] {
    return this.topics.filter(({ writer }) => writer === this.service).map(({ name }) => name);
  }

  private topicsRead(): readonly Topic[] {
    return this.topics.filter(({ readers }) => readers.includes(this.service));
  }

  private recordInbox(recordConsumer: RecordConsumer, byBroker = true): RecordInbox {
    const { db, limits, now, bounds, service, log } = this;
    const confirm = (topics: readonly string[]) => this.watch.confirm(topics);
    const onScheduled = (kinds: ReadonlySet<string>) => this.jobs.wake(kinds);
    return new RecordInbox(
      { service, db, limits, now, bounds, log, onScheduled, ...(byBroker && { confirm }) },
      recordConsumer,
    );
  }

  /** The handlers with the engine's own for what people order of every service: a replay, the end of a gap. */
  private withOrders(handlers: ReadonlyMap<string, Handle>): Map<string, Handle> {
    const orders: Record<string, Handle> = {
      'dead-letters.replayed.v1': (batch) => replay(batch, this.service, this.topics, handlers, this.log),
      [gapsAcknowledged]: async (batch) => {
        const { events } = batch as Batch<'GapAcknowledged'>;
        await acknowledge(
          batch.tx,
          this.service,
          events.map(({ event }) => event.data),
          this.log,
        );
      },
    };
    const all = new Map(handlers);
    for (const [topic, order] of Object.entries(orders))
      all.set(topic, async (batch) => {
        await order(batch);
        await handlers.get(topic)?.(batch);
      });
    return all;
  }

  /** The engine without consumers and timers, for tests: the batch protocol and the jobs, called by hand. */
  byHand(handlers: ReadonlyMap<string, Handle>, recordConsumer?: RecordConsumer) {
    const all = this.withOrders(handlers);
    const recordInbox = recordConsumer && this.recordInbox(recordConsumer, false);
    return {
      db: this.db,
      inbox: async (name: string, records: readonly RawRecord[]): Promise<void> => {
        const topic = topicNamed(name, this.topics);
        if (recordInbox) await recordInbox.process(records.map((record) => ({ topic, record })));
        else await this.inbox.process(topic, this.inbox.entries(topic, records), all.get(name) ?? missing(name));
      },
      readState: async (topic: string, records: readonly RawRecord[]): Promise<void> => {
        await applyState(this.db, topicNamed(topic, this.topics), records, this.now(), this.log, {
          lookedUp: this.lookedUp().get(topic),
        });
      },
      readOwn: async (topic: string, records: readonly RawRecord[]) => this.own?.catchUpWith(topic, records),
      runDue: (kind: JobKind<never>) => this.jobs.runDue(kind),
      startJobs: (kinds: readonly JobKind<never>[]) => {
        this.jobs.start(kinds);
        return () => this.jobs.stop();
      },
      takeOver: async (recovery?: Recovery): Promise<void> => {
        await this.db.transaction((tx) => takeOver(tx, recovery, this.now()));
        await this.past.load();
      },
    };
  }

  /** Finishes what is in work, publishes, commits, leaves the groups. Called again, it waits for the same end. */
  drain(): Promise<void> {
    this.draining ??= this.drainOnce();
    return this.draining;
  }

  private async drainOnce(): Promise<void> {
    this.phase = 'stopping';
    clearInterval(this.tidying);
    this.forgetClock?.();
    clearInterval(this.watching);
    this.unwatch?.();
    await this.worker?.stop();
    await this.jobs.stop();
    await Promise.all([this.reader?.stop(), this.backReader?.stop()]);
    await this.confirmations?.ended();
    await this.watch.ended();
    await Promise.allSettled([this.producer.disconnect(), this.admin.disconnect(), this.facts.close()]);
    await this.db.close();
  }

  healthTells(name: string, look: () => Readonly<Record<string, string>>, whom: 'itself' | 'others' = 'itself'): void {
    this.told.set(name, { look, whom });
  }

  /** 'ok', or what is wrong; waits no longer than a person who looks at the page. */
  private async databaseSays(): Promise<{
    detail: string;
    gaps: Awaited<ReturnType<typeof openGaps>>;
    restored: Awaited<ReturnType<Past['left']>>;
  }> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, healthMs);
    });
    const answer = Promise.all([openGaps(this.db), this.past.left()]).then(
      ([gaps, restored]) => ({ detail: this.putBack?.message ?? 'ok', gaps, restored }),
      (error: unknown) => ({ detail: describe(error).detail, gaps: [], restored: {} }),
    );
    const answered = await Promise.race([answer, late]);
    clearTimeout(timer);
    const { detail, gaps, restored } = answered ?? { detail: '', gaps: [], restored: {} };
    const silentMs = Math.max(this.db.unansweredMs(), answered ? 0 : healthMs);
    return { detail: silentMs >= healthMs ? `no answer for ${Math.floor(silentMs / 1000)} s` : detail, gaps, restored };
  }

  /** Whoever asks while it is asked already gets that answer: the page needs no credential, and each asks the database. */
  health(): Promise<Health> {
    this.asked ??= this.look().finally(() => {
      this.asked = undefined;
    });
    return this.asked;
  }

  private async look(): Promise<Health> {
    const checks: Record<string, unknown> = {};
    let ok = this.phase === 'ok';
    const { detail, gaps, restored } = await this.databaseSays();
    checks.database = detail;
    if (gaps.length > 0) checks.gaps = gaps;
    if (Object.keys(restored).length > 0) checks.restored = restored;
    if (detail !== 'ok' || gaps.length > 0) ok = false;
    const consumers = [this.worker, this.reader?.consumer, this.backReader].filter((c) => c !== undefined);
    const states = this.worker ? consumers.map((consumer) => consumer.state()) : ['starting'];
    checks.consumer = states.find((state) => state !== 'running') ?? 'running';
    if (checks.consumer !== 'running') ok = false;
    const missing = this.watch.missing();
    const expiring = this.watch.expiring();
    if (expiring.length > 0) {
      checks.expiring = expiring;
      ok = false;
    }
    if (missing.length > 0) {
      checks.topicsMissing = missing;
      ok = false;
    }
    const waits = this.waits?.late() ?? {};
    const paused = Object.assign({}, waits, ...consumers.map((c) => c.paused())) as Record<string, string>;
    const slow = Object.assign({}, ...consumers.map((consumer) => consumer.slow())) as Record<string, number>;
    const crashed = Object.assign({}, ...consumers.map((consumer) => consumer.crashed())) as Record<string, string>;
    const rightsMissing = this.watch.rightsMissing();
    const stale = staleIn(this.comparedAgo());
    const told = Object.fromEntries([...this.told].map(([name, { look }]) => [name, look()]));
    let othersOk = true;
    for (const [name, of] of Object.entries({ rightsMissing, crashed, paused, slow, stale, ...told })) {
      if (Object.keys(of).length === 0) continue;
      checks[name] = of;
      if (this.told.get(name)?.whom === 'others') othersOk = false;
      else ok = false;
    }
    // They are told, and are no reason to turn anybody away.
    const misset = this.settings?.wrong ?? [];
    if (misset.length > 0)
      checks.topicSettings = Object.fromEntries(
        misset.map(({ topic, setting, is, wanted }) => [`${topic} ${setting}`, `${is ?? 'unknown'}, not ${wanted}`]),
      );
    const off = this.clock.detail();
    checks.clock = off ?? 'ok';
    // What waits for a person, such as a gap, or holds up one partition, turns nobody away.
    const ready = this.phase === 'ok' && detail === 'ok' && checks.consumer === 'running' && this.knowsTime();
    if (off !== undefined) ok = false;
    if (this.reader) {
      const ages = Object.entries(this.reader.comparedAgo());
      checks.stateAgeMs = Object.fromEntries(ages.map(([topic, since]) => [topic, since && Math.round(since())]));
    }
    const ignored = Object.entries(this.reader?.ignored() ?? {});
    if (ignored.length > 0)
      checks.stateIgnored = Object.fromEntries(
        ignored.map(([topic, { records, last }]) => [topic, `${records} records, the last at ${last}`]),
      );
    const takenOver = this.own?.takenOver() ?? {};
    if (Object.keys(takenOver).length > 0) checks.stateTakenOver = takenOver;
    const overtaken = this.own?.overtaken() ?? {};
    if (Object.keys(overtaken).length > 0) {
      checks.stateOvertaken = overtaken;
      ok = false;
    }
    const well = ok && othersOk ? 'ok' : 'degraded';
    return { status: this.phase === 'ok' ? well : this.phase, service: this.service, ready, well: ok, checks };
  }

  private knowsTime(): boolean {
    try {
      this.now();
      return true;
    } catch {
      return false;
    }
  }

  async transact<R>(
    cause: Cause,
    fn: (work: Work) => Promise<R>,
    follows?: string,
  ): Promise<{ repeated: false; result: R } | { repeated: true }> {
    const request = requests.getStore();
    if (request) request.act = cause.id;
    const act = startAct({ id: cause.id, follows });
    try {
      const done = await this.act(cause, fn, act.traceparent);
      act.end();
      return done;
    } catch (error) {
      act.end(describe(error).code);
      throw error;
    }
  }

  private async act<R>(
    cause: Cause,
    fn: (work: Work) => Promise<R>,
    traceparent: string | undefined,
  ): Promise<{ repeated: false; result: R } | { repeated: true }> {
    const work = async (tx: Tx) => {
      const at = this.now();
      const fresh = await tx.query(
        `INSERT INTO inbox (topic, source, id, sha256, partition, "offset", at) VALUES ('~act', $1, $2, '', 0, 0, $3) ON CONFLICT DO NOTHING RETURNING id`,
        [cause.source, cause.id, at],
      );
      if (fresh.length === 0) return { repeated: true } as const;
      const unit = new UnitOfWork(this.service, at, tx, this.bounds, traceparent);
      const result = await fn(unit);
      unit.causesAmong([causeKey(cause)]);
      await unit.withhold();
      unit.flush();
      const id = `${cause.source} ${cause.id}`;
      tx.write(
        `INSERT INTO jobs (kind, id, due_at, lease_until, claims, payload, cause, result_at, messages, created_at) VALUES ($1, $2, $3, clock_timestamp() + interval '10 seconds', 1, '{}', $4, $3, $5, $3)`,
        [actKind.kind.name, id, at, JSON.stringify(cause), JSON.stringify(unit.messagesOf(cause).map(toStore))],
      );
      return {
        repeated: false,
        result,
        id,
        messages: unit.messagesOf(cause),
        kinds: new Set(unit.scheduled.map((job) => job.kind)),
      } as const;
    };
    const done = await this.db.transaction(work, () => [traceparent]);
    if (done.repeated) return { repeated: true };
    messagesMeasured(done.messages);
    try {
      await this.publishMessages(done.messages);
      await this.db.read('DELETE FROM jobs WHERE kind = $1 AND id = $2', [actKind.kind.name, done.id]);
    } catch (error) {
      // The act is committed; its job publishes it when the broker is back.
      this.log.warn(`act ${done.id}: committed, not published yet: ${describe(error).detail}`);
    }
    this.jobs.wake(done.kinds);
    return { repeated: false, result: done.result };
  }

  read<Row>(sql: string, params?: readonly unknown[]): Promise<Row[]> {
    return this.db.read<Row>(sql, params);
  }

  readForPage<Row>(sql: string, params?: readonly unknown[]): Promise<Row[]> {
    return this.pages.run(asking.getStore()?.name ?? '', () => this.db.read<Row>(sql, params));
  }

  beginExport(): Reader {
    const asker = asking.getStore();
    if (!asker) throw new Error('an export is begun for a request');
    const reads = this.pages.begin(asker.name);
    asker.whenClosed(() => reads.end());
    return { query: (sql, params) => reads.run(() => this.db.read(sql, params)) };
  }

  async publish(
    topic: string,
    records: readonly { key: string; headers: Record<string, string>; value: string }[],
  ): Promise<void> {
    if (!this.bounds.writable.has(topic)) throw new Error(`${this.service} may not write ${topic}`);
    await this.publishMessages(records.map((record) => outgoing({ topic, ...record })));
  }

  state: Runtime['state'] = (tx, topic, keys, lock) => readState(tx, topic.name, keys, lock, this.now());

  hadRead(place: { readonly topic: string; readonly partition: number; readonly offset: string }): boolean {
    return this.past.hadRead(place.topic, place);
  }

  comparedAgo(): Readonly<Record<string, Ago | null>> {
    const compared = this.reader?.comparedAgo() ?? {};
    const lacks = this.watch.lacks();
    if (lacks.size === 0) return compared;
    // A table that has all its topic has now may still lack a stop that was deleted unread.
    return Object.fromEntries(
      Object.entries(compared).map(([topic, since]) => [topic, lacks.has(topic) ? null : since]),
    );
  }

  private async checkInstallation(): Promise<void> {
    await this.admin.connect();
    const { clusterId } = await this.admin.describeCluster();
    const [{ there } = { there: false }] = await this.db.read<{ there: boolean }>(markThere);
    const [mark] = there ? await this.db.read<InstallationMark>(markQuery) : [];
    const permitKeys = this.spec.permitKeys?.(this.env);
    const reason = misplaced(mark, { installation: this.env.INSTALLATION_ID || undefined, clusterId, permitKeys });
    if (reason !== undefined) throw new Misplaced(reason);
  }

  private async checkTopics(): Promise<void> {
    const mine = this.ownTopics();
    const existing = new Set(await this.admin.listTopics());
    const missing = mine.filter((t) => !existing.has(t.name)).map((t) => t.name);
    if (missing.length > 0)
      throw new Error(`topics missing, or not permitted to ${this.service}: ${missing.join(', ')}`);
    await this.checkSettings();
  }

  /** Looks at what the service's topics are set to now. */
  private async checkSettings(): Promise<Checked> {
    this.settings = await checkSettings(this.admin, this.ownTopics(), this.log, this.settings);
    return this.settings;
  }

  /** The topics that it writes or reads. */
  private ownTopics(): readonly Topic[] {
    return this.topics.filter((t) => t.writer === this.service || t.readers.includes(this.service));
  }

  private async tidy(): Promise<void> {
    try {
      await tidy(this.db, this.admin, this.service, this.topics, this.limits, this.now());
    } catch (error) {
      this.log.warn(`not tidied: ${describe(error).detail}`);
    }
  }
}

/** The service was put where another installation is. */
class Misplaced extends Error {
  override readonly name = 'Misplaced';
}

const missing =
  (topic: string): Handle =>
  async () => {
    throw new Error(`no handler for ${topic}`);
  };
