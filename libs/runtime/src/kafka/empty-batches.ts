import { describe } from '../failures.js';
import type { ConsumerOptions } from './consumer-options.js';

/** What kafkajs reports at the end of a batch that held nothing for the handler: markers of transactions, or aborted records. */
export interface EmptyBatch {
  readonly topic: string;
  readonly partition: number;
  /** If compaction has removed every record, there is no first offset. */
  readonly from: string;
  readonly next: string;
  /** The offset that was due, if kafkajs went further than that. */
  readonly jumpedFrom: number | undefined;
}

/** Reports batches that held nothing for the handler to the reader, one after the other, in the order of their offsets. */
export class EmptyBatches {
  private last = Promise.resolve();

  constructor(private readonly deps: Pick<ConsumerOptions, 'onJump' | 'passed' | 'log'>) {}

  passed({ topic, partition, from, next, jumpedFrom }: EmptyBatch): void {
    const { onJump, passed, log } = this.deps;
    const place = `${topic}/${partition}`;
    if (jumpedFrom !== undefined)
      this.last = this.last
        .then(() => onJump?.(place, jumpedFrom, Number(from)))
        .catch((error: unknown) =>
          log.error(`${place}: whether records were lost is not known: ${describe(error).detail}`),
        );
    this.last = this.last
      .then(() => passed?.(topic, partition, from, next))
      .catch((error: unknown) => log.warn(`${place}: not noted as read to ${next}: ${describe(error).detail}`));
  }

  /** Resolves when all reported batches are noted. Never rejects. */
  settled(): Promise<void> {
    return this.last;
  }
}
