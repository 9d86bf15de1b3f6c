import { type Ago, ago } from '@countersign/runtime';

/** So many calls and questions in a row without any answer, and the system is paused. */
const silentInARow = 8;
const [firstPauseMs, longestPauseMs] = [1_000, 30_000];
/** Longer than this, and what is under way at a system waits for it. */
const slowMs = 250;
/** So many claims may wait for one system; what comes beyond them is put off. */
const slowClaims = 4;
/** What is put off gets its place in time after those before it, so that a long queue is looked at this often at most. */
const placeMs = 4;

/**
 * What one connected system may take of this executor, so that it holds up its own permits only. A system that answers nothing is
 * paused: its permits wait. When the pause is over one of them is let through as a try; an answer ends the pause, silence doubles it.
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

  /** For how many milliseconds its next permit has to wait; 0: it may go. After a pause, who is told 0 is the try. */
  waitMs(): number {
    const { pause } = this;
    if (pause) {
      // The try has its time: until then nobody knows what comes of it.
      const left = (pause.trying ? Math.max(pause.ms, this.connector.timeoutMs) : pause.ms) - pause.began();
      if (left > 0) return Math.ceil(left);
      pause.trying = true;
      pause.began = ago();
      return 0;
    }
    return this.waiting < slowClaims ? 0 : this.nextPlaceMs();
  }

  /** Whether it is paused, also while a try is out. */
  get paused(): boolean {
    return this.pause !== undefined;
  }

  /** What came of one call or question. An answer that settles nothing is an answer too. */
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

  /** Work of one claim begins. `slow` is called if it takes long; what is returned is called at its end. */
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

  /** What the health page says; undefined where it is not paused. */
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
