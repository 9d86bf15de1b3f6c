import { useEffect, useState } from 'react';
import { time } from '../app/console-time.js';

type Hear = (now: number) => void;
interface Clock {
  readonly listeners: Set<Hear>;
  readonly end: () => void;
}
const clocks = new Map<number, Clock>();

/** One timer for all components with the same interval, so that a page with many times is rendered once for each tick. */
function hearTime(everyMs: number, hear: Hear): () => void {
  const clock = clocks.get(everyMs) ?? begin(everyMs);
  clock.listeners.add(hear);
  return () => {
    clock.listeners.delete(hear);
    if (clock.listeners.size > 0) return;
    clock.end();
    clocks.delete(everyMs);
  };
}

function begin(everyMs: number): Clock {
  const listeners = new Set<Hear>();
  const tick = () => {
    const now = time.now();
    for (const hear of listeners) hear(now);
  };
  const timer = setInterval(tick, everyMs);
  const endCorrections = time.onCorrected(tick);
  const end = () => {
    clearInterval(timer);
    endCorrections();
  };
  const clock = { listeners, end };
  clocks.set(everyMs, clock);
  return clock;
}

/** The console's time of day in milliseconds, updated at intervals. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(time.now);
  useEffect(() => hearTime(everyMs, setNow), [everyMs]);
  return now;
}
