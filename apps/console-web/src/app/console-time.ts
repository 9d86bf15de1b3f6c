/** A message is on its way for a moment, so the difference varies a little from message to message. */
const nearMs = 1_000;

/**
 * The console's time of day. The clock of a computer or a phone can be minutes off, so no deadline is compared with it. The stream of
 * changes carries the console's time in each message; the difference is noted, and the browser's clock goes on from there.
 */
export function consoleClock(browser = (): number => Date.now()) {
  let ahead: number | undefined;
  const listeners = new Set<() => void>();
  /** In milliseconds. Until the console's time is known, the browser's time. */
  const now = (): number => browser() + (ahead ?? 0);
  return {
    now,
    /** Takes the console's time, an ISO instant, from a message that has just arrived. */
    set: (at: string): void => {
      const before = ahead ?? 0;
      ahead = Date.parse(at) - browser();
      if (Math.abs(ahead - before) > nearMs) for (const listener of listeners) listener();
    },
    /** Calls `listener` when the clock was corrected. Returns a function that ends this. */
    onCorrected: (listener: () => void): (() => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    /** Whether an instant has passed at the console. Until the console's time is known, none has: the console's own answers count. */
    isPast: (at: string): boolean => ahead !== undefined && Date.parse(at) <= now(),
  };
}

export const time = consoleClock();
