/** How far the wall clock is ahead of the monotonic one, in milliseconds: a step of it changes this. */
const wallOffset = (): number => Date.now() - performance.now();

/** Whether a member is silent: the broker has answered no heartbeat for three sessions. */
export const isSilent = (sinceMs: number, sessionMs: number): boolean => sinceMs > 3 * sessionMs;

/** Whether the wall clock was set back so far that kafkajs misses heartbeats; a slow drift does not count. */
export const missesHeartbeats = (backMs: number, sessionMs: number): boolean => backMs >= sessionMs / 4;

/** When the broker last gave a sign of life, by both clocks: kafkajs measures its heartbeats by the wall clock. */
export class Liveness {
  private heard = performance.now();
  private wallAtHeard = wallOffset();

  constructor(private readonly sessionMs: number) {}

  /** The broker answers now. */
  alive(): void {
    this.heard = performance.now();
    this.wallAtHeard = wallOffset();
  }

  isSilent(): boolean {
    return isSilent(performance.now() - this.heard, this.sessionMs);
  }

  /** By how much the wall clock was set back since the last sign of life, in milliseconds; undefined where that does no harm. */
  setBackMs(): number | undefined {
    const back = this.wallAtHeard - wallOffset();
    return missesHeartbeats(back, this.sessionMs) ? back : undefined;
  }
}
