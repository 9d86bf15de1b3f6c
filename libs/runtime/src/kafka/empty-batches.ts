import { describe } from '../failures.js';
import type { ConsumerOptions } from './consumer-options.js';

/** What kafkajs tells at the end of a batch that held nothing for the handler: markers of transactions, or aborted records. */
export interface EmptyBatch {
  readonly topic: string;
  readonly partition: number;
  /** Where compaction has removed everything there is no first one. */
  readonly from: string;
  readonly next: string;
  /** What was due where kafkajs went on further than that. */
  readonly jumpedFrom: number | undefined;
}

/** Tells the reader of batches with nothing for its handler, one after the other, in the order of the offsets. */
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

  /** Resolves when all that was told is noted. Never rejects. */
  settled(): Promise<void> {
    return this.last;
  }
}
