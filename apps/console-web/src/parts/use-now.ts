import { useEffect, useState } from 'react';

type Hear = (now: number) => void;
interface Clock {
  readonly listeners: Set<Hear>;
  readonly timer: ReturnType<typeof setInterval>;
}
const clocks = new Map<number, Clock>();

/** One timer for all components with the same interval, so that a page with many times is rendered once for each tick. */
function hearTime(everyMs: number, hear: Hear): () => void {
  const clock = clocks.get(everyMs) ?? begin(everyMs);
  clock.listeners.add(hear);
  return () => {
    clock.listeners.delete(hear);
    if (clock.listeners.size > 0) return;
    clearInterval(clock.timer);
    clocks.delete(everyMs);
  };
}

function begin(everyMs: number): Clock {
  const listeners = new Set<Hear>();
  const tick = () => {
    const now = Date.now();
    for (const hear of listeners) hear(now);
  };
  const clock = { listeners, timer: setInterval(tick, everyMs) };
  clocks.set(everyMs, clock);
  return clock;
}

/** The time of day in milliseconds, updated at intervals. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => hearTime(everyMs, setNow), [everyMs]);
  return now;
}
