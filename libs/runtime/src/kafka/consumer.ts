import { setTimeout as sleep } from 'node:timers/promises';
import { type Batch, type Consumer, deniedBy, type Kafka } from '@countersign/kafka';
import type { Limits } from '../api/limits.js';
import { backoff, describe, faultOf, pauseAfter } from '../failures.js';
import { nextOf, type RawRecord, refusalOf } from './entries.js';

export interface ConsumerOptions {
  readonly kafka: Kafka;
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly limits: Limits;
  /** Longest hold of a fetch, where it differs from the limits: a reader that may lag gathers more. */
  readonly fetchWaitMs?: number;
  readonly minBytes?: number;
  /**
   * Where each partition goes on whenever the group is joined, for a reader that keeps its own positions: it commits none, so its
   * group leaves nothing behind. Undefined: the partition's beginning.
   */
  readonly positionOf?: (topic: string, partition: number) => string | undefined;
  /**
   * Where partitions go on by the tables' account, by `topic/partition`, asked whenever the group is joined; without an entry from
   * their beginning. For a reader whose tables may be older than what its group has committed, as after a restore.
   */
  readonly positions?: () => Promise<ReadonlyMap<string, number>>;
  /** Topics that are read from their beginning whenever the group is joined: they were made again, and what the group has committed is of the old one. */
  readonly fromBeginning?: () => ReadonlySet<string>;
  /** What may be read. Topics that may not are left out, and taken up again when they may; absent: all may be read. */
  readonly rights?: {
    /** Topics that could not be read at the last look; somebody looks about once a second. */
    unreadable(): ReadonlySet<string>;
    /** Looks now. */
    lookAtRights(): Promise<void>;
  };
  /**
   * Told, and waited for, before a partition goes on at `to` although `from` was due: kafkajs goes to the first offset by itself where
   * the one that it asks for was deleted, and passes over what holds no event.
   */
  readonly onJump?: (place: string, from: number, to: number) => Promise<void>;
  /** Called with offsets before they are committed; where it throws, they are not. For a reader that commits and has positions. */
  readonly remember?: (offsets: readonly { topic: string; partition: number; offset: string }[]) => Promise<void>;
  /**
   * Handles a slice of one partition. When it throws, the same records come again after a pause; where it holds some of them
   * back, those do, and nothing has failed.
   */
  readonly handle: (
    topic: string,
    partition: number,
    records: readonly RawRecord[],
  ) => Promise<Held | undefined> | Promise<void>;
  /**
   * Told when a partition goes on from `from` at `next` though nothing was handled: all that was fetched between them were
   * markers of transactions, or aborted. What comes before was handled. It is told again after the next join, unless the position
   * that the reader gives there is behind it.
   */
  readonly passed?: (topic: string, partition: number, from: string, next: string) => Promise<void> | void;
  readonly log: { log(message: string): void; warn(message: string): void; error(message: string): void };
}

/** The first so many records of a slice are handled; its partition pauses, and the others come again. */
export interface Held {
  readonly handled: number;
  readonly pauseMs: number;
}

/** Bytes that a reader which gathers waits for: less than one partition may hand out, or a single one would never bring them. */
export const enough = ({ fetchBytes }: Limits): number => Math.ceil(fetchBytes / 2);

export interface RunningConsumer {
  /**
   * `running`: member of its group. `silent`: it was, but the broker has answered no heartbeat for three sessions: the broker is
   * away, or others have its partitions by now. `rebuilding`: it crashed and is being made anew.
   */
  readonly state: () => 'starting' | 'running' | 'silent' | 'rebuilding' | 'stopped';
  /** Seconds for which slices have been in work, by partition, of those that take unusually long. */
  readonly slow: () => Readonly<Record<string, number>>;
  /** Partitions that are paused because handling failed, with the error. */
  readonly paused: () => Readonly<Record<string, string>>;
  /** The group, with the error that broke it off, while it is being built anew. */
  readonly crashed: () => Readonly<Record<string, string>>;
  /** Events of each partition that were on its topic at the last fetch and are not handled yet. */
  readonly lag: () => Readonly<Record<string, number>>;
  /** The next offset of each partition that this member has, as far as it is known, by `topic/partition`. */
  readonly positions: () => ReadonlyMap<string, number>;
  /** Whether records of a partition are in work. */
  readonly busy: (place: string) => boolean;
  /** A partition that is to be tried again has nothing to try any more: its records were deleted. */
  readonly deleted: (place: string) => void;
  /** Leaves the group and joins it again, so that every partition goes on where its positions say. Does not wait for it. */
  readonly restart: () => void;
  /** No new batch; waits for those in work, commits, leaves the group. */
  readonly stop: () => Promise<void>;
}

/** A partition is not fetched until its time is over, or until `end`. */
interface Pause {
  readonly timer: NodeJS.Timeout;
  readonly end: () => void;
}

/** Why a partition is paused; `over` once it may go on. */
interface Failure {
  readonly count: number;
  readonly detail: string;
  readonly pause: Pause;
  over?: true;
}

const seconds = (began: number): number => Math.round((performance.now() - began) / 1000);

/** A slice of a batch as records; the last record of the batch goes on behind all that the batch had. */
function recordsOf(batch: Batch, from: number, to: number): readonly RawRecord[] {
  const { partition, messages } = batch;
  return messages.slice(from, to).map((message, n) => ({
    partition,
    offset: message.offset,
    key: message.key,
    value: message.value,
    headers: message.headers,
    timestamp: message.timestamp,
    ...refusalOf(message),
    ...(from + n === messages.length - 1 && { next: String(BigInt(batch.lastOffset()) + 1n) }),
  }));
}

/** How far the wall clock is ahead of the monotonic one, in milliseconds: a step of it changes this. */
const wallOffset = (): number => Date.now() - performance.now();

/** From when on a slice takes unusually long. */
const slowMs = 30_000;

/**
 * A kafkajs consumer that never skips: a slice that fails pauses its partition and comes again with back-off; handled
 * offsets are committed lazily, since the inbox makes a repeat harmless; after a crash that kafkajs does not mend, a new one is built.
 */
export async function consume(options: ConsumerOptions): Promise<RunningConsumer> {
  const { kafka, groupId, topics, limits, handle, log } = options;
  let state: 'starting' | 'running' | 'rebuilding' | 'stopped' = 'starting';
  let consumer: Consumer;
  /** Counts the assignments: what was taken under an older one is not put back, and pauses nothing. */
  let assignment = 0;
  let committed = Promise.resolve();
  let rebuilt = Promise.resolve();
  let rebuildings = 0;
  /** One after the other, in the order of the offsets. */
  let passing = Promise.resolve();
  const handled = new Map<string, { topic: string; partition: number; offset: string }>();
  const failures = new Map<string, Failure>();
  /** Partitions of which records are held back. */
  const held = new Map<string, Pause>();
  const lags = new Map<string, number>();
  /** The next offset that is due of each partition, as far as it is known. */
  const due = new Map<string, number>();
  const inWork = new Set<Promise<void>>();
  /** The slices in work, by partition, and when each was taken up. */
  const since = new Set<{ readonly name: string; readonly began: number }>();
  /** Topics that the consumer of the moment does not read, since it may not. */
  let leftOut: ReadonlySet<string> = new Set();
  /** When the consumer of the moment first was a member of its group. */
  let joined: number | undefined;
  let crash: { readonly error: unknown; readonly count: number } | undefined;
  const ending = new AbortController();
  let heard = performance.now();
  /** The wall clock less the monotonic one at the last sign of life: kafkajs measures its heartbeats by the former. */
  let wallAtHeard = wallOffset();
  const alive = (): void => {
    heard = performance.now();
    wallAtHeard = wallOffset();
  };

  /** A partition goes on at `next`, of which everything before is handled; the last fetch saw it end at `end`. */
  const reached = (topic: string, partition: number, next: string, end: string): void => {
    const name = `${topic}/${partition}`;
    lags.set(name, Number(BigInt(end) - BigInt(next)));
    due.set(name, Number(next));
    if (!options.positionOf) handled.set(name, { topic, partition, offset: next });
  };
  const commitOnce = async (): Promise<void> => {
    const offsets = [...handled];
    const under = assignment;
    handled.clear();
    if (offsets.length === 0) return;
    try {
      await options.remember?.(offsets.map(([, offset]) => offset));
      await consumer.commitOffsets(offsets.map(([, offset]) => offset));
    } catch (error) {
      // They are tried again with the next; after a rebalance they come again instead, and the inbox drops the repeat.
      log.log(`${groupId}: offsets not committed (${describe(error).detail})`);
      for (const [name, offset] of offsets) if (under === assignment && !handled.has(name)) handled.set(name, offset);
    }
  };
  /** One after the other, so that no older offset lands after a newer one. */
  const commit = (): Promise<void> => {
    committed = committed.then(commitOnce);
    return committed;
  };

  /**
   * Whether what was fetched may be handled: with positions of its own, a partition has to stand where they end before anything
   * of it is handled, or the position would move over what is missing. What may not be handled is fetched again.
   */
  let placed = Promise.resolve(true);
  const place = async (
    made: Consumer,
    owned: Readonly<Record<string, readonly number[]>>,
    positions: NonNullable<ConsumerOptions['positions']>,
  ): Promise<boolean> => {
    const under = assignment;
    // Whoever joins next is placed by itself.
    const past = (): boolean => state !== 'running' || under !== assignment || made !== consumer;
    for (let attempt = 0; ; attempt++) {
      try {
        const own = await positions();
        if (past()) return false;
        for (const [topic, partitions] of Object.entries(owned))
          for (const partition of partitions) {
            const name = `${topic}/${partition}`;
            const again = options.fromBeginning?.().has(topic);
            const at = again ? 0 : (own.get(name) ?? 0);
            made.seek({ topic, partition, offset: String(at) });
            // What the group has committed is of the topic that was there before.
            if (again && options.remember) handled.set(name, { topic, partition, offset: '0' });
            due.set(name, at);
          }
        return true;
      } catch (error) {
        if (attempt === 0) log.warn(`${groupId}: positions not read yet: ${describe(error).detail}`);
        if (past()) return false;
      }
      await new Promise((resolve) => setTimeout(resolve, backoff(attempt, limits.backoffMs, limits.backoffMaxMs)));
    }
  };

  const unreadable = (): ReadonlySet<string> => {
    const all = options.rights?.unreadable();
    return new Set(topics.filter((topic) => all?.has(topic)));
  };

  const build = async (): Promise<void> => {
    leftOut = unreadable();
    joined = undefined;
    const readable = topics.filter((topic) => !leftOut.has(topic));
    if (readable.length === 0) throw new Error(`no right to read ${topics.join(' or ')}`);
    const made = kafka.consumer({
      groupId,
      sessionTimeout: limits.sessionMs,
      heartbeatInterval: Math.max(500, Math.floor(limits.sessionMs / 4)),
      rebalanceTimeout: limits.sessionMs * 2,
      maxBytesPerPartition: limits.fetchBytes,
      minBytes: options.minBytes ?? 1,
      maxWaitTimeInMs: options.fetchWaitMs ?? limits.fetchWaitMs,
      allowAutoTopicCreation: false,
      retry: { retries: 6, initialRetryTime: 200, maxRetryTime: 2_000, restartOnFailure: async () => true },
    });
    consumer = made;
    made.on(made.events.GROUP_JOIN, ({ payload }) => {
      if (state === 'stopped' || made !== consumer) return;
      state = 'running';
      joined ??= performance.now();
      alive();
      assignment++;
      // Partitions that went to another instance are not ours to commit or to speak of any more.
      const owned = (name: string) => {
        const at = name.lastIndexOf('/');
        return payload.memberAssignment[name.slice(0, at)]?.includes(Number(name.slice(at + 1)));
      };
      for (const name of handled.keys()) if (!owned(name)) handled.delete(name);
      // One whose pause is over may have been handled elsewhere since; if not, it fails again.
      for (const [name, { over, pause }] of failures) {
        if (!over && owned(name)) continue;
        pause.end();
        failures.delete(name);
      }
      for (const { end } of held.values()) end();
      for (const name of lags.keys()) if (!owned(name)) lags.delete(name);
      due.clear();
      if (options.positions) placed = place(made, payload.memberAssignment, options.positions);
      if (!options.positionOf) return;
      for (const [topic, partitions] of Object.entries(payload.memberAssignment)) {
        for (const partition of partitions) {
          const offset = options.positionOf(topic, partition);
          if (offset === undefined) continue;
          made.seek({ topic, partition, offset });
          due.set(`${topic}/${partition}`, Number(offset));
        }
      }
    });
    made.on(made.events.HEARTBEAT, () => {
      if (made === consumer) alive();
    });
    made.on(made.events.END_BATCH_PROCESS, ({ payload }) => {
      // Of a batch with nothing for the handler kafkajs tells here only.
      if (payload.batchSize > 0 || state === 'stopped' || made !== consumer) return;
      const { topic, partition, firstOffset, lastOffset, highWatermark } = payload;
      const next = String(BigInt(lastOffset) + 1n);
      const name = `${topic}/${partition}`;
      const from = due.get(name);
      const asked = Number(firstOffset ?? lastOffset);
      if (from !== undefined && asked > from)
        passing = passing
          .then(() => options.onJump?.(name, from, asked))
          .catch((error: unknown) =>
            log.error(`${name}: whether records were lost is not known: ${describe(error).detail}`),
          );
      reached(topic, partition, next, highWatermark);
      // Where compaction has removed everything there is no first one.
      passing = passing
        .then(() => options.passed?.(topic, partition, firstOffset ?? lastOffset, next))
        .catch((error: unknown) =>
          log.warn(`${topic}/${partition}: not noted as read to ${next}: ${describe(error).detail}`),
        );
    });
    made.on(made.events.CRASH, ({ payload }) => {
      // What kafkajs mends itself needs nobody.
      const level = payload.restart ? 'warn' : 'error';
      const { error } = payload;
      log[level](`${groupId}: consumer crashed: ${describe(error).detail}`);
      if (state === 'stopped' || made !== consumer) return;
      state = 'rebuilding';
      // One that was a member for a while begins to count anew; one that crashes as soon as it has joined waits longer each time.
      const worked = joined !== undefined && performance.now() - joined > limits.sessionMs;
      crash = { error, count: worked ? 0 : (crash?.count ?? -1) + 1 };
      if (!payload.restart) rebuild(error, crash.count);
    });
    await made.connect();
    await made.subscribe({ topics: readable, fromBeginning: true });
    await made.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: limits.partitionsAtOnce,
      eachBatch: ({ batch, resolveOffset, heartbeat, pause, isRunning, isStale }) => {
        const name = `${batch.topic}/${batch.partition}`;
        // Undocumented, and exact: where kafkajs asked from. The first event may stand further on for good reasons.
        const asked = Number((batch as unknown as { fetchedOffset: string }).fetchedOffset);
        const pauseFor = (ms: number, before: () => void): Pause => {
          const resume = pause();
          const end = (): void => {
            clearTimeout(timer);
            before();
            try {
              resume();
            } catch {
              // The partition went to another instance meanwhile.
            }
          };
          const timer = setTimeout(end, ms);
          return { timer, end };
        };
        const under = assignment;
        /** Whoever joined since goes on by the tables, and the partition may be another instance's: nothing of it is ours to note. */
        const past = (): boolean => under !== assignment;
        /** How many of the slice were handled; if not all, its partition pauses. */
        const take = async (records: readonly RawRecord[]): Promise<number> => {
          const mine = { name, began: performance.now() };
          const long = setInterval(() => log.warn(`${name}: in work for ${seconds(mine.began)} s`), slowMs);
          since.add(mine);
          try {
            const from = due.get(name);
            if (from !== undefined && asked > from) await options.onJump?.(name, from, asked);
            const back = await handle(batch.topic, batch.partition, records);
            if (past()) return 0;
            failures.delete(name);
            if (!back) return records.length;
            held.set(
              name,
              pauseFor(back.pauseMs, () => held.delete(name)),
            );
            return back.handled;
          } catch (error) {
            if (past()) {
              log.log(`${name}: failed, and comes again to whoever has it now: ${describe(error).detail}`);
              return 0;
            }
            const count = (failures.get(name)?.count ?? 0) + 1;
            const wait = pauseAfter(error, count - 1, limits);
            const detail = describe(error).detail;
            // What passes by itself needs nobody.
            log[faultOf(error) === 'world' ? 'warn' : 'error'](`${name}: paused for ${wait} ms: ${detail}`);
            const pause = pauseFor(wait, () => {
              failure.over = true;
            });
            const failure: Failure = { count, detail, pause };
            failures.set(name, failure);
            return 0;
          } finally {
            clearInterval(long);
            since.delete(mine);
          }
        };
        const work = (async () => {
          // A slow slice is no silent instance. Oftener than kafkajs sends them, since it counts from the last answer.
          const beating = setInterval(() => void heartbeat().catch(() => undefined), limits.sessionMs / 6);
          try {
            if (!(await placed)) return;
            for (let from = 0; from < batch.messages.length; from += limits.batchEvents) {
              if (!isRunning() || isStale() || past() || state === 'stopped') return;
              const records = recordsOf(batch, from, from + limits.batchEvents);
              const [first] = records;
              if (!first) return;
              lags.set(name, Number(BigInt(batch.highWatermark) - BigInt(first.offset)));
              const handled = await take(records);
              const last = records[handled - 1];
              if (!last) return;
              resolveOffset(last.offset);
              reached(batch.topic, batch.partition, nextOf(last), batch.highWatermark);
              if (handled < records.length) return;
              await heartbeat();
            }
          } finally {
            clearInterval(beating);
          }
        })();
        inWork.add(work);
        return work.finally(() => inWork.delete(work));
      },
    });
  };

  /** Builds the consumer anew; takes the place of a rebuilding that is under way. */
  const rebuild = (reason?: unknown, attempt = 0): void => {
    rebuilt = Promise.all([rebuilt, rebuildOnce(reason, attempt)]).then(() => undefined);
  };
  const rebuildOnce = async (reason: unknown, from: number): Promise<void> => {
    const mine = ++rebuildings;
    let failed = reason;
    for (let attempt = from; ; attempt++) {
      await consumer.disconnect().catch(() => undefined);
      const wait = pauseAfter(failed, attempt, limits);
      log.log(`${groupId}: the consumer is built anew in ${wait} ms`);
      await sleep(wait, undefined, { signal: ending.signal }).catch(() => undefined);
      if (state === 'stopped' || mine !== rebuildings) return;
      try {
        if (deniedBy(failed) === 'topic') await options.rights?.lookAtRights();
        await build();
        const without = leftOut.size > 0 ? ` without ${[...leftOut].join(', ')}, which it may not read` : '';
        log.log(`${groupId}: consumer rebuilt${without}`);
        return;
      } catch (error) {
        // It crashed meanwhile, which has begun another rebuilding.
        if (mine !== rebuildings) return;
        failed = error;
        log.warn(`${groupId}: cannot rebuild the consumer yet: ${describe(error).detail}`);
      }
    }
  };

  const watchRights = (): void => {
    const now = unreadable();
    if (state !== 'running' || (now.size === leftOut.size && [...now].every((topic) => leftOut.has(topic)))) return;
    state = 'rebuilding';
    rebuild();
  };

  /**
   * After a step back of the wall clock kafkajs sends no heartbeat until it has come to where it was. A new consumer has sent
   * none yet, and counts from now.
   */
  const watchClock = (): void => {
    const back = wallAtHeard - wallOffset();
    if (state !== 'running' || back < limits.sessionMs / 4) return;
    state = 'rebuilding';
    log.warn(`${groupId}: the clock was set back by ${Math.round(back / 1000)} s; the consumer is built anew`);
    rebuild();
  };

  await build();
  const watching = setInterval(() => {
    watchClock();
    watchRights();
  }, 1_000);
  const committing = setInterval(() => void commit(), limits.commitEveryMs);
  return {
    state: () => (state === 'running' && performance.now() - heard > 3 * limits.sessionMs ? 'silent' : state),
    slow: () =>
      Object.fromEntries(
        [...since]
          .filter(({ began }) => performance.now() - began > slowMs)
          .map(({ name, began }) => [name, seconds(began)]),
      ),
    paused: () => Object.fromEntries([...failures].map(([name, { detail }]) => [name, detail])),
    crashed: () => (state === 'rebuilding' && crash ? { [groupId]: describe(crash.error).detail } : {}),
    lag: () => Object.fromEntries(lags),
    positions: () => new Map(due),
    busy: (place) => [...since].some(({ name }) => name === place),
    deleted: (place) => {
      if (failures.get(place)?.over) failures.delete(place);
    },
    restart: () => {
      if (state === 'stopped' || state === 'rebuilding') return;
      state = 'rebuilding';
      rebuild();
    },
    stop: async () => {
      state = 'stopped';
      ending.abort();
      clearInterval(committing);
      clearInterval(watching);
      for (const { pause } of failures.values()) clearTimeout(pause.timer);
      for (const { timer } of held.values()) clearTimeout(timer);
      await Promise.allSettled([...inWork, passing]);
      await commit();
      // One that is being made meanwhile must not outlive this.
      await rebuilt;
      await consumer
        .disconnect()
        .catch((error: unknown) => log.warn(`${groupId}: did not leave cleanly: ${describe(error).detail}`));
    },
  };
}
