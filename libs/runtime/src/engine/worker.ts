import { topicNamed } from '@countersign/contracts';
import type { Limits } from '../api/limits.js';
import type { JobKind, RecordConsumer, Recovery, ServiceSpec } from '../api/runtime.js';
import type { Handle, Inbox } from '../inbox/inbox.js';
import type { Past } from '../inbox/past.js';
import type { RecordInbox } from '../inbox/record-inbox.js';
import { recover } from '../inbox/recovery.js';
import { PutBack, WorkPositions } from '../inbox/work-positions.js';
import { actKind, type JobRunner } from '../jobs/jobs.js';
import { consume } from '../kafka/consumer.js';
import type { ConsumerOptions, RunningConsumer } from '../kafka/consumer-options.js';
import { gapEventKind } from '../kafka/gap-reports.js';
import type { TopicWatch } from '../kafka/topic-watch.js';
import { readPositions } from '../state/state.js';
import type { StateWaits } from '../state/state-waits.js';
import type { Clients } from './clients.js';
import { wallTime } from './clock.js';
import type { Log } from './log.js';
import { withOrders } from './orders.js';
import type { ServiceTopics } from './service-topics.js';
import { type Take, takesToHandle, takesToStore } from './takes.js';

/** What a service works with: its handlers and jobs, or its record consumer in place of handlers. */
export interface WorkOf {
  readonly handlers: ReadonlyMap<string, Handle>;
  readonly kinds: readonly JobKind<never>[];
  readonly recordConsumer?: RecordConsumer | undefined;
  readonly recovery?: Recovery | undefined;
}

/** Where the partitions go on after a join, and the functions that note positions. */
type Positions = Pick<ConsumerOptions, 'positions' | 'passed' | 'remember' | 'fromBeginning'>;

/** Throws if the handlers do not fit the topology and the spec. */
export function checkHandlers(
  service: string,
  handled: readonly string[],
  recordConsumer: boolean,
  topics: ServiceTopics,
): void {
  if (recordConsumer && handled.length > 0) throw new Error(`${service} keeps every record and has handlers too`);
  for (const name of handled)
    if (!topics.readable.includes(topicNamed(name, topics.all)))
      throw new Error(`${service} handles ${name}, but the topology does not let it read that topic`);
}

/** The work loop of one service: consumes for its handlers or its record consumer, and runs its jobs. */
export class Worker {
  private consumer: RunningConsumer | undefined;
  private readonly workPositions: WorkPositions;
  /** Set if the database was restored while this instance runs: then the instance does nothing more. */
  private putBack: PutBack | undefined;

  constructor(
    private readonly deps: Pick<Clients, 'db' | 'kafka' | 'admin'> & {
      readonly spec: Pick<ServiceSpec, 'name' | 'gathers' | 'sharesBatches'>;
      readonly topics: ServiceTopics;
      readonly limits: Limits;
      readonly watch: TopicWatch;
      readonly inbox: Inbox;
      readonly waits: StateWaits | undefined;
      readonly jobs: JobRunner;
      readonly past: Past;
      readonly recordInbox: (recordConsumer: RecordConsumer) => RecordInbox;
      readonly log: Log;
    },
  ) {
    this.workPositions = new WorkPositions(deps.db);
  }

  async begin({ handlers, kinds, recordConsumer, recovery }: WorkOf): Promise<void> {
    const { spec, topics, kafka, limits, jobs, watch, log } = this.deps;
    checkHandlers(spec.name, [...handlers.keys()], recordConsumer !== undefined, topics);
    const recordInbox = recordConsumer && this.deps.recordInbox(recordConsumer);
    const takes = recordInbox ? takesToStore(recordInbox, topics.readable, limits) : this.takesOf(handlers);
    const names = [...takes.keys()];
    if (!recordInbox) await this.recover(names, recovery);
    jobs.start([...kinds, actKind, gapEventKind(spec.name)]);
    this.consumer = await consume({
      ...{ kafka, groupId: spec.name, topics: names, limits, rights: watch, log },
      ...(recordInbox ? this.positionsOfRecords(recordInbox) : this.positionsOfHandlers(names)),
      onJump: (place, from, to) => watch.jumped(place, from, to),
      ...(spec.gathers && { paceMs: spec.gathers === 'record' ? limits.gatherMs : limits.pageGatherMs }),
      handle: async (name, _partition, records) => {
        if (this.putBack) throw this.putBack;
        return takes.get(name)?.(records);
      },
    });
    this.watchTopics(this.consumer, names, recordInbox !== undefined);
  }

  /** Takes no new batch, and waits for the batches and jobs that have begun. */
  async stop(): Promise<void> {
    await this.consumer?.stop();
    await this.deps.jobs.stop();
  }

  /** The consumer; undefined before work has begun. */
  running(): RunningConsumer | undefined {
    return this.consumer;
  }

  /** The message to show if the database was restored from a copy while this instance runs. */
  putBackMessage(): string | undefined {
    return this.putBack?.message;
  }

  private takesOf(handlers: ReadonlyMap<string, Handle>): ReadonlyMap<string, Take> {
    const { spec, topics, inbox, waits, limits, log } = this.deps;
    const all = withOrders(handlers, { service: spec.name, topics: topics.all, log });
    // What people order of every service is handled before the service's own handler, so such a topic keeps to itself.
    const shares = new Set(spec.sharesBatches?.filter((name) => all.get(name) === handlers.get(name)));
    return takesToHandle(all, { topics: topics.all, inbox, waits, limits, shares });
  }

  private watchTopics(consumer: RunningConsumer, names: readonly string[], isRecorder: boolean): void {
    const { db, watch, waits } = this.deps;
    watch.add({
      topics: names,
      ...(isRecorder && { whole: true }),
      positions: async () => (isRecorder ? readPositions(db, 'record_positions') : consumer.positions()),
      busy: consumer.busy,
      deleted: (place) => {
        consumer.deleted(place);
        waits?.forget(place);
      },
      again: async () => consumer.restart(),
    });
  }

  private positionsOfRecords(recordInbox: RecordInbox): Positions {
    return {
      positions: () => readPositions(this.deps.db, 'record_positions'),
      passed: (...place) => recordInbox.pass(...place),
    };
  }

  private positionsOfHandlers(names: readonly string[]): Positions {
    const { waits, watch } = this.deps;
    return {
      positions: () => {
        waits?.forget();
        return this.unlessPutBack(() => this.startsAndPositions(names));
      },
      remember: (offsets) => this.unlessPutBack(() => this.workPositions.write(offsets)),
      fromBeginning: () => watch.madeAgainLately(),
    };
  }

  /**
   * Runs before any work: finds out whether the tables know all handled events, and reads what was published since if they do
   * not.
   */
  private async recover(names: readonly string[], recovery: Recovery | undefined): Promise<void> {
    const { kafka, admin, db, spec, topics, limits, watch, past, log } = this.deps;
    const again = watch.madeAgainLately();
    const toRead = names.filter((name) => !again.has(name)).map((name) => topicNamed(name, topics.all));
    const startOf = (topic: string, partition: number) => watch.of(topic)?.starts[partition] ?? 0;
    await recover({
      ...{ kafka, admin, db, service: spec.name, topics: toRead, own: topics.worksOn },
      ...{ startOf, limits, now: wallTime, recovery, log },
    });
    await past.load();
  }

  /** Where partitions go on by the tables; else where the topic began when it was first seen. */
  private async startsAndPositions(topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const starts = topics.flatMap((topic) =>
      Object.entries(this.deps.watch.of(topic)?.starts ?? {}).map(
        ([partition, at]) => [`${topic}/${partition}`, at] as const,
      ),
    );
    return new Map([...starts, ...(await this.workPositions.read())]);
  }

  /**
   * If the database was restored while this instance runs, the instance does nothing more: its memory does not fit the database.
   */
  private async unlessPutBack<R>(look: () => Promise<R>): Promise<R> {
    try {
      return await look();
    } catch (error) {
      if (error instanceof PutBack && !this.putBack) {
        this.putBack = error;
        this.deps.log.error(error.message);
        void this.deps.jobs.stop();
      }
      throw error;
    }
  }
}
