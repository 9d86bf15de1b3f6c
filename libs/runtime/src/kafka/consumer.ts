import type {
  Consumer,
  ConsumerCrashEvent,
  ConsumerEndBatchProcessEvent,
  ConsumerGroupJoinEvent,
} from '@countersign/kafka';
import { describe } from '../failures.js';
import { BatchWorker } from './batch-worker.js';
import type { ConsumerOptions, RunningConsumer } from './consumer-options.js';
import { EmptyBatches } from './empty-batches.js';
import { GroupMembership, ownedIn } from './group-membership.js';
import { Liveness } from './liveness.js';
import { OffsetCommits } from './offset-commits.js';
import { Pace } from './pace.js';
import { PartitionPauses } from './partition-pauses.js';
import { PartitionProgress } from './partition-progress.js';
import { Placement } from './placement.js';
import { crashCount, leave, Rebuilding } from './rebuilding.js';
import { SlicesInWork } from './slices-in-work.js';

/**
 * A kafkajs consumer that never skips records. If a slice fails, its partition pauses and the slice comes again, with back-off.
 * Handled offsets are committed late, because the inbox makes a repeat harmless. After a crash that kafkajs does not repair, a
 * new consumer is built.
 */
export async function consume(options: ConsumerOptions): Promise<RunningConsumer> {
  const consumer = new GroupConsumer(options);
  await consumer.start();
  return consumer;
}

/** One membership of a consumer group for the life of the service, over any number of kafkajs consumers. */
class GroupConsumer implements RunningConsumer {
  private readonly member = new GroupMembership();
  private readonly liveness: Liveness;
  private readonly progress = new PartitionProgress();
  private readonly pauses = new PartitionPauses();
  private readonly slices: SlicesInWork;
  private readonly commits: OffsetCommits;
  private readonly placement: Placement;
  private readonly emptyBatches: EmptyBatches;
  private readonly pace: Pace | undefined;
  private readonly batches: BatchWorker;
  private readonly rebuilding: Rebuilding;
  /** Topics that the current consumer does not read because it has no right to. */
  private leftOut: ReadonlySet<string> = new Set();
  /** When the current consumer first became a member of its group. */
  private joined: number | undefined;
  private crash: { readonly error: unknown; readonly count: number } | undefined;
  private timers: readonly NodeJS.Timeout[] = [];

  constructor(private readonly options: ConsumerOptions) {
    const { member, progress, pauses } = this;
    this.liveness = new Liveness(options.limits.sessionMs);
    this.slices = new SlicesInWork(options.log);
    this.commits = new OffsetCommits({ ...options, member });
    const { commits, slices } = this;
    this.placement = new Placement({ ...options, member, progress, commits });
    this.emptyBatches = new EmptyBatches(options);
    this.pace = options.paceMs === undefined ? undefined : new Pace(options.paceMs);
    this.batches = new BatchWorker({
      ...{ ...options, member, progress, pauses, slices, pace: this.pace },
      placed: () => this.placement.placed(),
      reached: (...place) => this.reached(...place),
    });
    const [build, leftOut] = [() => this.build(), () => this.leftOut];
    this.rebuilding = new Rebuilding({ ...options, member, build, leftOut });
  }

  async start(): Promise<void> {
    await this.build();
    this.timers = [
      setInterval(() => {
        this.watchClock();
        this.watchRights();
      }, 1_000),
      setInterval(() => void this.commits.commit(), this.options.limits.commitEveryMs),
    ];
  }

  readonly state = () =>
    this.member.phase === 'running' && this.liveness.isSilent() ? ('silent' as const) : this.member.phase;
  readonly slow = () => this.slices.slow();
  readonly paused = () => this.pauses.paused();
  readonly crashed = (): Readonly<Record<string, string>> =>
    this.member.phase === 'rebuilding' && this.crash
      ? { [this.options.groupId]: describe(this.crash.error).detail }
      : {};
  readonly lag = () => this.progress.lag();
  readonly positions = () => this.progress.positions();
  readonly busy = (place: string) => this.slices.busy(place);
  readonly deleted = (place: string) => this.pauses.deleted(place);
  readonly restart = () => {
    const { phase } = this.member;
    if (phase !== 'stopped' && phase !== 'rebuilding') this.rebuild();
  };

  readonly stop = async (): Promise<void> => {
    const { member, rebuilding, options } = this;
    member.phase = 'stopped';
    rebuilding.abort();
    for (const timer of this.timers) clearInterval(timer);
    this.pauses.stop();
    this.pace?.end();
    await Promise.all([this.batches.settled(), this.emptyBatches.settled()]);
    await this.commits.commit();
    // A consumer that is being made meanwhile must not remain after this.
    await rebuilding.ended();
    await leave(member.consumer, options.groupId).catch((error: unknown) =>
      options.log.warn(`${options.groupId}: did not leave cleanly: ${describe(error).detail}`),
    );
  };

  /** Makes a kafkajs consumer and runs it. */
  private async build(): Promise<void> {
    const { kafka, groupId, topics, limits } = this.options;
    this.leftOut = this.unreadable();
    this.joined = undefined;
    const readable = topics.filter((topic) => !this.leftOut.has(topic));
    if (readable.length === 0) throw new Error(`no right to read ${topics.join(' or ')}`);
    const made = kafka.consumer({
      groupId,
      sessionTimeout: limits.sessionMs,
      heartbeatInterval: Math.max(500, Math.floor(limits.sessionMs / 4)),
      rebalanceTimeout: limits.sessionMs * 2,
      maxBytesPerPartition: limits.fetchBytes,
      minBytes: 1,
      // kafkajs sends a heartbeat only between two fetches.
      maxWaitTimeInMs: Math.min(limits.fetchWaitMs, Math.floor(limits.sessionMs / 3)),
      allowAutoTopicCreation: false,
      retry: { retries: 6, initialRetryTime: 200, maxRetryTime: 2_000, restartOnFailure: async () => true },
    });
    this.member.consumer = made;
    made.on(made.events.GROUP_JOIN, (event) => this.onJoin(made, event));
    made.on(made.events.HEARTBEAT, () => {
      if (made === this.member.consumer) this.liveness.alive();
    });
    made.on(made.events.END_BATCH_PROCESS, (event) => this.onEndOfBatch(made, event));
    made.on(made.events.CRASH, (event) => this.onCrash(made, event));
    await made.connect();
    await made.subscribe({ topics: readable, fromBeginning: true });
    await made.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: limits.partitionsAtOnce,
      eachBatch: (payload) => this.batches.work(payload),
    });
  }

  private onJoin(made: Consumer, { payload: { memberAssignment } }: ConsumerGroupJoinEvent): void {
    const { member } = this;
    if (!member.counts(made)) return;
    member.phase = 'running';
    this.joined ??= performance.now();
    this.liveness.alive();
    member.assignment++;
    const owned = ownedIn(memberAssignment);
    this.commits.retain(owned);
    this.pauses.rejoined(owned);
    this.progress.rejoined(owned);
    this.placement.joined(made, memberAssignment);
  }

  private onEndOfBatch(made: Consumer, { payload }: ConsumerEndBatchProcessEvent): void {
    // For a batch with nothing for the handler, kafkajs calls only this listener.
    if (payload.batchSize > 0 || !this.member.counts(made)) return;
    const { topic, partition, firstOffset, lastOffset, highWatermark } = payload;
    const next = String(BigInt(lastOffset) + 1n);
    // If compaction has removed every record, there is no first offset.
    const from = firstOffset ?? lastOffset;
    const jumpedFrom = this.progress.jumpedFrom(`${topic}/${partition}`, Number(from));
    this.reached(topic, partition, next, highWatermark);
    this.emptyBatches.passed({ topic, partition, from, next, jumpedFrom });
  }

  private onCrash(made: Consumer, { payload: { error, restart } }: ConsumerCrashEvent): void {
    const { groupId, limits, log } = this.options;
    // A crash that kafkajs repairs itself needs no person.
    log[restart ? 'warn' : 'error'](`${groupId}: consumer crashed: ${describe(error).detail}`);
    if (!this.member.counts(made)) return;
    const memberMs = this.joined === undefined ? undefined : performance.now() - this.joined;
    const count = crashCount(this.crash?.count, memberMs, limits);
    this.member.phase = 'rebuilding';
    this.crash = { error, count };
    if (!restart) this.rebuilding.begin(error, count);
  }

  /** A partition goes on at `next`. Everything before `next` is handled. The last fetch saw the partition's end at `end`. */
  private reached(topic: string, partition: number, next: string, end: string): void {
    this.progress.reached(`${topic}/${partition}`, next, end);
    if (!this.options.positionOf) this.commits.note({ topic, partition, offset: next });
  }

  private rebuild(): void {
    this.member.phase = 'rebuilding';
    this.rebuilding.begin();
  }

  private unreadable(): ReadonlySet<string> {
    const all = this.options.rights?.unreadable();
    return new Set(this.options.topics.filter((topic) => all?.has(topic)));
  }

  private watchRights(): void {
    if (this.member.phase === 'running' && !sameTopics(this.unreadable(), this.leftOut)) this.rebuild();
  }

  /**
   * After a step back of the wall clock, kafkajs sends no heartbeat until the clock has reached its old time. A new consumer has
   * sent no heartbeat yet, so it counts from now.
   */
  private watchClock(): void {
    const back = this.liveness.setBackMs();
    if (this.member.phase !== 'running' || back === undefined) return;
    const { groupId, log } = this.options;
    log.warn(`${groupId}: the clock was set back by ${Math.round(back / 1000)} s; the consumer is built anew`);
    this.rebuild();
  }
}

const sameTopics = (topics: ReadonlySet<string>, other: ReadonlySet<string>): boolean =>
  topics.size === other.size && [...topics].every((topic) => other.has(topic));
