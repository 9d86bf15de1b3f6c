import { type Topic, topology } from '@countersign/contracts';
import { boundFetches, committedOnly, idleFetches, quietQueue, reportDenials } from '@countersign/kafka';
import type { Ago } from '../api/ago.js';
import { type Limits, readLimits } from '../api/limits.js';
import type {
  Cause,
  JobKind,
  Known,
  Reader,
  RecordConsumer,
  Recovery,
  Runtime,
  ServiceSpec,
  Tx,
  Work,
} from '../api/runtime.js';
import { deployment, readSettings } from '../api/settings.js';
import { migrate } from '../database/database.js';
import { describe } from '../failures.js';
import { type Handle, Inbox } from '../inbox/inbox.js';
import { Past } from '../inbox/past.js';
import { RecordInbox } from '../inbox/record-inbox.js';
import { JobRunner, type Scheduled } from '../jobs/jobs.js';
import { GapReports } from '../kafka/gap-reports.js';
import { whenLed } from '../kafka/read-ends.js';
import { TopicSettings } from '../kafka/topic-settings.js';
import { TopicWatch } from '../kafka/topic-watch.js';
import { asking } from '../nest/asker.js';
import { type PageReads, pageReads } from '../nest/page-reads.js';
import { outgoing } from '../outbox/outgoing.js';
import { type Publish, publishWith } from '../outbox/publisher.js';
import { tidy } from '../outbox/tidy.js';
import type { Bounds } from '../outbox/unit-of-work.js';
import { forgetLookedUp, positionsWithin, readState, staleIn } from '../state/state.js';
import { StateWaits } from '../state/state-waits.js';
import { ActRunner } from './acts.js';
import { byHand } from './by-hand.js';
import { type Clients, openClients } from './clients.js';
import { Clock, compareClock, wallTime } from './clock.js';
import { askDatabase } from './database-health.js';
import { type Health, healthOf, type ProviderHealth } from './health.js';
import type { Log } from './log.js';
import { watch } from './measures.js';
import { withOrders } from './orders.js';
import { type ServiceTopics, serviceTopics } from './service-topics.js';
import { checkInstallation, checkTopics } from './start-checks.js';
import { StateTopics } from './state-topics.js';
import { Worker } from './worker.js';

quietQueue();
idleFetches();
committedOnly();
boundFetches();
reportDenials();

const tidyEveryMs = 600_000;

/** The engine of one service: connects the parts of the runtime, starts them and ends them. Nest knows it as `RUNTIME`. */
export class Engine implements Runtime {
  readonly service: ServiceSpec['name'];
  readonly topics: readonly Topic[];
  readonly limits: Limits;
  private readonly its: ServiceTopics;
  private readonly clients: Clients;
  private readonly bounds: Bounds;
  private readonly pages: PageReads;
  private readonly settings: TopicSettings;
  private readonly watch: TopicWatch;
  private readonly publishMessages: Publish;
  private readonly jobs: JobRunner;
  private readonly acts: ActRunner;
  private readonly gapReports: GapReports;
  private readonly inbox: Inbox;
  private readonly stateTopics: StateTopics;
  private readonly past: Past;
  private readonly waits: StateWaits | undefined;
  private readonly worker: Worker;
  private readonly clock = new Clock();
  /** The time for all decisions. Throws a transient error while the time is not known; see `anyClock` of the spec. */
  readonly now: () => string;
  /** Functions that end what runs beside the work, in this order. */
  private readonly endings: (() => void)[] = [];
  private readonly providers = new Map<
    string,
    Pick<ProviderHealth, 'whom'> & { readonly look: () => ProviderHealth['found'] }
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
    /** Replaces the broker in tests of a handler with a real database. */
    publish?: Publish,
  ) {
    const service = spec.name;
    this.service = service;
    this.now = now ?? (spec.anyClock ? wallTime : this.clock.now);
    this.limits = readLimits(env);
    this.topics = topology(deployment(env));
    this.its = serviceTopics(spec, this.topics);
    this.clients = openClients(service, readSettings(env, spec.port), this.limits, (message) => log.warn(message));
    const { clients, clock, limits, its: topics } = this;
    const { db } = clients;
    this.pages = pageReads(limits.connections);
    const hear = (time: number, asked: number) => clock.heard('broker', time, asked);
    const send = publish ?? publishWith(clients.producer, limits.produceBytes, hear);
    this.publishMessages = async (messages) => {
      this.stateTopics.published(messages);
      await send(messages);
    };
    this.settings = new TopicSettings(clients.admin, topics.used, log);
    this.watch = new TopicWatch({
      ...{ db, facts: clients.facts, topics: topics.watched, writes: [...topics.writable], now: wallTime, log },
      settings: async () => (await this.settings.look()).found,
      republish: (topic) => this.stateTopics.publishAll(topic),
    });
    this.past = new Past(db);
    this.bounds = { writable: topics.writable, eventBytes: limits.eventBytes, past: this.past };
    const { bounds, past, watch: topicWatch } = this;
    const shared = { service, db, publish: this.publishMessages, limits, now: this.now, bounds, log };
    this.jobs = new JobRunner({ ...shared, buries: spec.recordConsumer === undefined });
    const { jobs } = this;
    this.acts = new ActRunner({ ...shared, jobs });
    const onScheduled = (scheduled: readonly Scheduled[]) => jobs.note(scheduled);
    this.gapReports = new GapReports({ ...shared, due: () => topicWatch.hasUnreported(), onScheduled });
    this.stateTopics = new StateTopics({ ...clients, ...shared, topics, watch: topicWatch });
    const reader = () => this.stateTopics.reader();
    this.waits = spec.needs && new StateWaits({ needs: spec.needs, db, limits, clock, reader, log });
    this.inbox = new Inbox({ spec, ...shared, onScheduled });
    const { inbox, waits } = this;
    const recordInbox = (recordConsumer: RecordConsumer) => this.recordInbox(recordConsumer);
    this.worker = new Worker({
      ...{ ...clients, spec, topics, limits, watch: topicWatch, inbox, waits, jobs, past, recordInbox, log },
    });
  }

  /**
   * Checks that the database and the broker belong to this installation, migrates, checks the topics, connects, and reads state
   * to its end. Throws if the installation differs from the topology. If it is another installation, it throws before it changes
   * anything.
   */
  async prepare(): Promise<void> {
    const { spec, env, clients, limits, log } = this;
    const { migrationUrl } = readSettings(env, spec.port);
    await clients.admin.connect();
    await checkInstallation({ ...clients, spec, env });
    await migrate(migrationUrl, spec.migrations, limits, (message) => log.warn(message));
    await this.connect();
  }

  private async connect(): Promise<void> {
    const { clients, its: topics, limits, log } = this;
    await clients.producer.connect();
    await checkTopics(this.service, clients.admin, topics);
    await this.settings.look();
    const consequence = this.spec.anyClock ? 'what is written has a wrong time' : 'nothing is decided until they agree';
    this.endings.push(await compareClock(this.clock, clients.db, consequence, log));
    await whenLed(limits, () => this.watch.begin());
    this.every(limits.topicsEveryMs, () => this.watch.check());
    if (this.spec.recordConsumer)
      await positionsWithin({ ...clients, limits, topics: topics.readable }, 'record_positions');
    await this.stateTopics.start();
  }

  /**
   * Begins work: consumes the handlers' topics (with a record consumer, all topics that the service reads), and runs the jobs.
   */
  async begin(
    handlers: ReadonlyMap<string, Handle>,
    kinds: readonly JobKind<never>[],
    {
      recordConsumer,
      recovery,
    }: { readonly recordConsumer?: RecordConsumer | undefined; readonly recovery?: Recovery | undefined } = {},
  ): Promise<void> {
    await this.worker.begin({ handlers, kinds, recordConsumer, recovery });
    this.every(tidyEveryMs, () => this.tidy());
    // Not earlier: work of this start would hide that the database was restored.
    this.every(this.limits.compareEveryMs, () => this.gapReports.check());
    this.endings.push(
      watch({
        expiring: () => this.watch.expiring(),
        db: this.clients.db,
        now: wallTime,
        clock: this.clock,
        lag: () => this.worker.running()?.lag() ?? {},
        comparedAgo: () => this.comparedAgo(),
      }),
    );
    this.phase = 'ok';
  }

  /** Repeats `what` until the service ends. `what` must not throw. */
  private every(ms: number, what: () => Promise<void>): void {
    const timer = setInterval(() => void what(), ms);
    this.endings.push(() => clearInterval(timer));
  }

  private recordInbox(recordConsumer: RecordConsumer, byBroker = true): RecordInbox {
    const { service, clients, limits, now, bounds, log } = this;
    const confirm = (topics: readonly string[]) => this.watch.confirm(topics);
    const onScheduled = (scheduled: readonly Scheduled[]) => this.jobs.note(scheduled);
    const deps = { service, db: clients.db, limits, now, bounds, log, onScheduled };
    return new RecordInbox({ ...deps, ...(byBroker && { confirm }) }, recordConsumer);
  }

  /** The engine without consumers and timers, for tests: a test calls the batch protocol and the jobs itself. */
  byHand(handlers: ReadonlyMap<string, Handle>, recordConsumer?: RecordConsumer) {
    const { service, topics, clients, its: ownTopics, inbox, stateTopics: state, jobs, past, log } = this;
    const all = withOrders(handlers, { service, topics, log });
    const recordInbox = recordConsumer && this.recordInbox(recordConsumer, false);
    const now = () => this.now();
    return byHand({
      db: clients.db,
      topics: ownTopics,
      inbox,
      handlers: all,
      recordInbox,
      state,
      jobs,
      past,
      now,
      log,
    });
  }

  /** Finishes the work that has begun, publishes, commits, leaves the groups. A second call waits for the same end. */
  drain(): Promise<void> {
    this.draining ??= this.drainOnce();
    return this.draining;
  }

  private async drainOnce(): Promise<void> {
    const { producer, admin, facts, db } = this.clients;
    this.phase = 'stopping';
    for (const end of this.endings) end();
    await this.worker.stop();
    await this.stateTopics.stop();
    await this.watch.ended();
    await this.gapReports.ended();
    await Promise.allSettled([producer.disconnect(), admin.disconnect(), facts.close()]);
    await db.close();
  }

  addHealth(
    name: string,
    look: () => Readonly<Record<string, string>>,
    troubles: 'itself' | 'others' = 'itself',
  ): void {
    this.providers.set(name, { look, whom: troubles });
  }

  /** Callers at the same time share one answer: the page needs no credential, and each answer asks the database. */
  health(): Promise<Health> {
    this.asked ??= this.look().finally(() => {
      this.asked = undefined;
    });
    return this.asked;
  }

  private async look(): Promise<Health> {
    const { service, clients, past, worker, watch: topics, stateTopics: state } = this;
    const database = await askDatabase({ ...clients, past, putBack: () => worker.putBackMessage() });
    const working = worker.running();
    const consumers = [...(working ? [working] : []), ...state.consumers()];
    const ofAll = <Value>(look: (consumer: (typeof consumers)[number]) => Readonly<Record<string, Value>>) =>
      Object.assign({}, ...consumers.map(look)) as Readonly<Record<string, Value>>;
    const ages = state.reader() && Object.entries(state.reader()?.comparedAgo() ?? {});
    return healthOf({
      ...{ service, phase: this.phase, database },
      consumers: working ? consumers.map((consumer) => consumer.state()) : ['starting'],
      expiring: topics.expiring(),
      topicsMissing: topics.missing(),
      rightsMissing: topics.rightsMissing(),
      crashed: ofAll((consumer) => consumer.crashed()),
      paused: { ...this.waits?.late(), ...ofAll((consumer) => consumer.paused()) },
      slow: ofAll((consumer) => consumer.slow()),
      stale: staleIn(this.comparedAgo()),
      providers: [...this.providers].map(([name, { look, whom: troubles }]) => ({
        name,
        found: look(),
        whom: troubles,
      })),
      misset: this.settings.wrong(),
      clockOff: this.clock.detail(),
      knowsTime: this.knowsTime(),
      stateAgeMs: ages && Object.fromEntries(ages.map(([topic, since]) => [topic, since && Math.round(since())])),
      stateIgnored: state.reader()?.ignored() ?? {},
      stateTakenOver: state.own?.takenOver() ?? {},
      stateOvertaken: state.own?.overtaken() ?? {},
    });
  }

  private knowsTime(): boolean {
    try {
      this.now();
      return true;
    } catch {
      return false;
    }
  }

  transact<R>(cause: Cause, fn: (work: Work) => Promise<R>, follows?: string, known?: Known) {
    return this.acts.transact(cause, fn, follows, known);
  }

  write<R>(fn: (tx: Tx) => Promise<R>): Promise<R> {
    return this.clients.db.transaction(fn);
  }

  read<Row>(sql: string, params?: readonly unknown[]): Promise<Row[]> {
    return this.clients.db.read<Row>(sql, params);
  }

  readForPage<Row>(sql: string, params?: readonly unknown[]): Promise<Row[]> {
    return this.pages.run(asking.getStore()?.name ?? '', () => this.clients.db.look<Row>(sql, params));
  }

  beginExport(): Reader {
    const asker = asking.getStore();
    if (!asker) throw new Error('an export is begun for a request');
    const reads = this.pages.begin(asker.name);
    asker.whenClosed(() => reads.end());
    return { query: (sql, params) => reads.run(() => this.clients.db.look(sql, params)) };
  }

  async publish(
    topic: string,
    records: readonly { key: string; headers: Record<string, string>; value: string }[],
  ): Promise<void> {
    if (!this.bounds.writable.has(topic)) throw new Error(`${this.service} may not write ${topic}`);
    await this.publishMessages(records.map((record) => outgoing({ topic, ...record })));
  }

  state: Runtime['state'] = (tx, topic, keys, lock) => readState(tx, topic.name, keys, lock, this.now());

  forgetLookedUp: Runtime['forgetLookedUp'] = (tx, topic, before) =>
    forgetLookedUp(tx, this.its.lookedUp, topic.name, before);

  hadRead(place: { readonly topic: string; readonly partition: number; readonly offset: string }): boolean {
    return this.past.hadRead(place.topic, place);
  }

  async membersOf(groups: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const found = await this.clients.admin.describeGroups([...groups]);
    return new Map(found.groups.map(({ groupId, members }) => [groupId, members.length]));
  }

  comparedAgo(): Readonly<Record<string, Ago | null>> {
    return this.stateTopics.comparedAgo();
  }

  private async tidy(): Promise<void> {
    const { db, admin } = this.clients;
    try {
      await tidy(db, admin, this.service, this.topics, this.limits, this.now());
    } catch (error) {
      this.log.warn(`not tidied: ${describe(error).detail}`);
    }
  }
}
