import type { Kafka } from '@countersign/kafka';
import type { Limits } from '../api/limits.js';
import type { RawRecord } from './entries.js';

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
