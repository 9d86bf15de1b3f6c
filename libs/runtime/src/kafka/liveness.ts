/** How far the wall clock is ahead of the monotonic clock, in milliseconds. A step of the wall clock changes this. */
const wallOffset = (): number => Date.now() - performance.now();

/** Whether a member is silent: the broker has answered no heartbeat for three sessions. */
export const isSilent = (sinceMs: number, sessionMs: number): boolean => sinceMs > 3 * sessionMs;

/** Whether the wall clock was set back so far that kafkajs misses heartbeats. A slow drift does not count. */
export const missesHeartbeats = (backMs: number, sessionMs: number): boolean => backMs >= sessionMs / 4;

/** When the broker last answered, by both clocks: kafkajs measures its heartbeats by the wall clock. */
export class Liveness {
  private heard = performance.now();
  private wallAtHeard = wallOffset();

  constructor(private readonly sessionMs: number) {}

  /** Notes that the broker answers now. */
  alive(): void {
    this.heard = performance.now();
    this.wallAtHeard = wallOffset();
  }

  isSilent(): boolean {
    return isSilent(performance.now() - this.heard, this.sessionMs);
  }

  /** How far the wall clock was set back since the broker's last answer, in milliseconds; undefined if that does no harm. */
  setBackMs(): number | undefined {
    const back = this.wallAtHeard - wallOffset();
    return missesHeartbeats(back, this.sessionMs) ? back : undefined;
  }
}
