import type { Batch, EachBatchPayload } from '@countersign/kafka';
import { describe, faultOf, pauseAfter } from '../failures.js';
import type { ConsumerOptions } from './consumer-options.js';
import { nextOf, type RawRecord, refusalOf } from './entries.js';
import type { GroupMembership } from './group-membership.js';
import type { Pace } from './pace.js';
import type { PartitionPauses } from './partition-pauses.js';
import type { PartitionProgress } from './partition-progress.js';
import type { SlicesInWork } from './slices-in-work.js';

/** A slice of a batch as records. After the last record of the batch, the partition goes on behind the end of the batch. */
export function recordsOf(
  batch: Pick<Batch, 'partition' | 'messages' | 'lastOffset'>,
  from: number,
  to: number,
): readonly RawRecord[] {
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

/** Whether the partition has more records than this batch. */
const hasMore = (batch: Batch): boolean => BigInt(batch.lastOffset()) + 1n < BigInt(batch.highWatermark);

/** One batch in work: its functions from kafkajs, and the assignment under which it was taken. */
interface Taken extends EachBatchPayload {
  readonly place: string;
  readonly assignment: number;
}

/**
 * Handles the batches of kafkajs, slice by slice. It never skips records: if a slice fails, its partition pauses and the slice
 * comes again.
 */
export class BatchWorker {
  private readonly working = new Set<Promise<void>>();

  constructor(
    private readonly deps: Pick<ConsumerOptions, 'limits' | 'handle' | 'onJump' | 'log'> & {
      readonly member: GroupMembership;
      readonly progress: PartitionProgress;
      readonly pauses: PartitionPauses;
      readonly slices: SlicesInWork;
      readonly pace: Pace | undefined;
      /** Whether the fetched records may be handled. */
      readonly placed: () => Promise<boolean>;
      /** A partition goes on at `next`. Everything before `next` is handled. */
      readonly reached: (topic: string, partition: number, next: string, end: string) => void;
    },
  ) {}

  /** kafkajs' `eachBatch`. */
  work(payload: EachBatchPayload): Promise<void> {
    const { topic, partition } = payload.batch;
    const { assignment } = this.deps.member;
    const slices = this.slicesOf({ ...payload, place: `${topic}/${partition}`, assignment });
    // kafkajs fetches again when all batches of a fetch are done.
    const paused = this.deps.pace?.pause(hasMore(payload.batch));
    const work = Promise.all([slices, paused]).then(() => undefined);
    this.working.add(work);
    return work.finally(() => this.working.delete(work));
  }

  /** Resolves when no batch is in work. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.working]);
  }

  private async slicesOf(taken: Taken): Promise<void> {
    const { batch, resolveOffset, heartbeat, isRunning, isStale, place } = taken;
    const { limits, member, progress } = this.deps;
    // A slow slice does not mean a silent instance. The timer is faster than the heartbeats of kafkajs, because kafkajs counts
    // from the last answer.
    const beating = setInterval(() => void heartbeat().catch(() => undefined), limits.sessionMs / 6);
    try {
      if (!(await this.deps.placed())) return;
      for (let from = 0; from < batch.messages.length; from += limits.batchEvents) {
        if (!isRunning() || isStale() || this.isPast(taken) || member.phase === 'stopped') return;
        const records = recordsOf(batch, from, from + limits.batchEvents);
        const [first] = records;
        if (!first) return;
        progress.behind(place, first.offset, batch.highWatermark);
        const handled = await this.deps.slices.during(place, () => this.take(taken, records));
        const last = records[handled - 1];
        if (!last) return;
        resolveOffset(last.offset);
        this.deps.reached(batch.topic, batch.partition, nextOf(last), batch.highWatermark);
        if (handled < records.length) return;
        await heartbeat();
      }
    } finally {
      clearInterval(beating);
    }
  }

  /** Returns how many records of the slice were handled. If not all were, the partition pauses. */
  private async take(taken: Taken, records: readonly RawRecord[]): Promise<number> {
    const { batch, pause, place } = taken;
    const { limits, handle, onJump, progress, pauses, log } = this.deps;
    try {
      // An undocumented member: the exact offset that kafkajs asked for. The first event may have a higher offset for good
      // reasons.
      const asked = Number((batch as unknown as { fetchedOffset: string }).fetchedOffset);
      const from = progress.jumpedFrom(place, asked);
      if (from !== undefined) await onJump?.(place, from, asked);
      const back = await handle(batch.topic, batch.partition, records);
      if (this.isPast(taken)) return 0;
      pauses.handled(place);
      if (!back) return records.length;
      pauses.hold(place, back.pauseMs, pause);
      return back.handled;
    } catch (error) {
      const { detail } = describe(error);
      if (this.isPast(taken)) {
        log.log(`${place}: failed, and comes again to whoever has it now: ${detail}`);
        return 0;
      }
      const wait = pauseAfter(error, pauses.failuresOf(place), limits);
      // An error that passes needs no person.
      log[faultOf(error) === 'world' ? 'warn' : 'error'](`${place}: paused for ${wait} ms: ${detail}`);
      pauses.failed(place, detail, wait, pause);
      return 0;
    }
  }

  /**
   * Whether the group was joined again since. Then the partition goes on by the tables, or belongs to another instance, and this
   * batch must note nothing.
   */
  private isPast({ assignment }: Taken): boolean {
    return assignment !== this.deps.member.assignment;
  }
}
