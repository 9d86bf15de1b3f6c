import { type Ago, ago } from '@countersign/runtime';

/** After this many calls and questions in a row without any answer, the system is paused. */
const silentInARow = 8;
const [firstPauseMs, longestPauseMs] = [1_000, 30_000];
/** A claim whose work takes longer than this counts as waiting for the system. */
const slowMs = 250;
/** When this many claims wait for one system, further permits are put off. */
const slowClaims = 4;
/** A permit that is put off is due this much later than the one before it. This limits how often a long queue is looked at. */
const placeMs = 4;

/**
 * Limits what one connected system may take of this executor, so that the system holds up only its own permits. A system that does not
 * answer is paused, and its permits wait. When the pause is over, one permit is let through as a try. An answer ends the pause; silence
 * doubles it.
 */
export class Breaker {
  private silent = 0;
  private pause: { readonly ms: number; readonly since: string; began: Ago; trying: boolean } | undefined;
  private waiting = 0;
  private places: { readonly ago: Ago; ms: number } = { ago: ago(), ms: 0 };

  constructor(
    private readonly connector: { readonly name: string; readonly timeoutMs: number },
    private readonly warn: (message: string) => void,
  ) {}

  /**
   * How many milliseconds the system's next permit must wait; 0 means that it may go. After a pause, the caller that gets 0 makes the
   * try.
   */
  waitMs(): number {
    const { pause } = this;
    if (pause) {
      // The try has its own time limit. Its result is not known before.
      const left = (pause.trying ? Math.max(pause.ms, this.connector.timeoutMs) : pause.ms) - pause.began();
      if (left > 0) return Math.ceil(left);
      pause.trying = true;
      pause.began = ago();
      return 0;
    }
    return this.waiting < slowClaims ? 0 : this.nextPlaceMs();
  }

  /** Whether the system is paused, also while a try is under way. */
  get paused(): boolean {
    return this.pause !== undefined;
  }

  /** Records the result of one call or question. An answer that settles nothing still counts as an answer. */
  heard(answered: boolean): void {
    if (answered) {
      this.silent = 0;
      if (this.pause) this.warn(`connector ${this.connector.name}: it answers again and is no longer paused`);
      this.pause = undefined;
      return;
    }
    this.silent++;
    if (this.silent < silentInARow) return;
    if (this.pause && !this.pause.trying) return;
    const since = this.pause?.since ?? new Date().toISOString();
    if (!this.pause)
      this.warn(`connector ${this.connector.name}: paused, ${silentInARow} calls in a row had no answer`);
    const ms = this.pause ? Math.min(longestPauseMs, 2 * this.pause.ms) : firstPauseMs;
    this.pause = { ms, since, began: ago(), trying: false };
  }

  /** Begins the work of one claim. Calls `slow` if the work takes long. The caller calls the returned function when the work ends. */
  begin(slow: () => void): () => void {
    let counted = false;
    const timer = setTimeout(() => {
      counted = true;
      this.waiting++;
      slow();
    }, slowMs);
    return () => {
      clearTimeout(timer);
      if (counted) this.waiting--;
    };
  }

  /** The text for the health page; undefined if the system is not paused. */
  detail(): string | undefined {
    const { pause } = this;
    if (!pause) return undefined;
    return `paused since ${pause.since}, its permits wait; one is tried every ${Math.max(pause.ms, this.connector.timeoutMs) / 1000} s at most`;
  }

  private nextPlaceMs(): number {
    const now = this.places.ago();
    this.places.ms = Math.max(this.places.ms, now + slowMs) + placeMs;
    return Math.ceil(this.places.ms - now);
  }
}
