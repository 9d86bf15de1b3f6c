import type { Kafka } from '@countersign/kafka';
import type { Limits } from '../api/limits.js';
import type { RawRecord } from './entries.js';

export interface ConsumerOptions {
  readonly kafka: Kafka;
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly limits: Limits;
  /** The shortest time between the records of one fetch and the next fetch, in milliseconds. Absent: the next fetch begins at once. */
  readonly paceMs?: number;
  /**
   * Where each partition goes on after each join, for a reader that stores its own positions. It commits none, so its group
   * leaves nothing behind. Undefined: at the partition's beginning.
   */
  readonly positionOf?: (topic: string, partition: number) => string | undefined;
  /**
   * Where partitions go on by the tables, by `topic/partition`, asked at each join. A partition without an entry goes on from its
   * beginning. For a reader whose tables may be older than the offsets that its group has committed, as after a restore.
   */
  readonly positions?: () => Promise<ReadonlyMap<string, number>>;
  /**
   * Topics that are read from their beginning after each join. They were made again, so the group's committed offsets belong to
   * the old topic.
   */
  readonly fromBeginning?: () => ReadonlySet<string>;
  /** The rights of the service. A topic that may not be read is left out until it may be read again. Absent: all may be read. */
  readonly rights?: {
    /** Topics that could not be read at the last check, which happens about once a second. */
    unreadable(): ReadonlySet<string>;
    /** Checks now. */
    lookAtRights(): Promise<void>;
  };
  /**
   * Called, and awaited, before a partition goes on at `to` although `from` was due. If the offset that kafkajs asks for was
   * deleted, kafkajs goes to the first remaining one by itself. It also skips offsets that hold no event.
   */
  readonly onJump?: (place: string, from: number, to: number) => Promise<void>;
  /**
   * Called with offsets before they are committed. If it throws, they are not committed. For a reader that commits and also has
   * positions.
   */
  readonly remember?: (offsets: readonly { topic: string; partition: number; offset: string }[]) => Promise<void>;
  /**
   * Handles a slice of one partition. If it throws, the same records come again after a pause. If it holds some of them back,
   * only those come again, and this is no failure.
   */
  readonly handle: (
    topic: string,
    partition: number,
    records: readonly RawRecord[],
  ) => Promise<Held | undefined> | Promise<void>;
  /**
   * Called when a partition goes on from `from` at `next` although nothing was handled: between them were only markers of
   * transactions or aborted records. Everything before `from` was handled. It is called again after the next join, unless the
   * reader's position is already past it.
   */
  readonly passed?: (topic: string, partition: number, from: string, next: string) => Promise<void> | void;
  readonly log: { log(message: string): void; warn(message: string): void; error(message: string): void };
}

/** The first `handled` records of a slice are handled. Its partition pauses, and the other records come again. */
export interface Held {
  readonly handled: number;
  readonly pauseMs: number;
}

export interface RunningConsumer {
  /**
   * `running`: a member of its group. `silent`: the broker has answered no heartbeat for three sessions, so the broker is away,
   * or other members have its partitions now. `rebuilding`: it crashed, and a new consumer is being made.
   */
  readonly state: () => 'starting' | 'running' | 'silent' | 'rebuilding' | 'stopped';
  /** For partitions whose slice takes unusually long: how many seconds it has been in work. */
  readonly slow: () => Readonly<Record<string, number>>;
  /** Partitions that are paused because handling failed, with the error. */
  readonly paused: () => Readonly<Record<string, string>>;
  /** The group, with the error that stopped it, while a new consumer is being built. */
  readonly crashed: () => Readonly<Record<string, string>>;
  /** Events of each partition that were on its topic at the last fetch and are not handled yet. */
  readonly lag: () => Readonly<Record<string, number>>;
  /** The next offset of each partition of this member, by `topic/partition`, if it is known. */
  readonly positions: () => ReadonlyMap<string, number>;
  /** Whether records of a partition are in work. */
  readonly busy: (place: string) => boolean;
  /** The records that a partition was to try again were deleted, so there is nothing left to try. */
  readonly deleted: (place: string) => void;
  /** Leaves the group and joins it again, so that every partition goes on at its stored position. Does not wait for this. */
  readonly restart: () => void;
  /** Takes no new batch, waits for the batches in work, commits, and leaves the group. */
  readonly stop: () => Promise<void>;
}
