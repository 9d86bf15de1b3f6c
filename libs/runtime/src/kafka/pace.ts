import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Keeps a time between the fetches of a consumer, so that more records come together. The first record after a pause is not delayed.
 * A consumer that is behind does not wait: its fetches are full.
 */
export class Pace {
  private behindAt = Number.NEGATIVE_INFINITY;
  private waiting = new AbortController();
  private ended = false;

  /** `ms`: the shortest time between the records of one fetch and the next fetch. */
  constructor(private readonly ms: number) {}

  /** Resolves when the consumer may fetch again. `behind`: the partition has more records than were fetched. */
  async pause(behind: boolean): Promise<void> {
    if (behind) {
      this.behindAt = performance.now();
      this.hurry();
    }
    if (this.ended || performance.now() - this.behindAt < this.ms) return;
    await sleep(this.ms, undefined, { signal: this.waiting.signal }).catch(() => undefined);
  }

  /** Ends all pauses, for ever. */
  end(): void {
    this.ended = true;
    this.hurry();
  }

  private hurry(): void {
    this.waiting.abort();
    this.waiting = new AbortController();
  }
}
