import type { KafkaAccess } from '@countersign/testing';
import { startWorker } from '../worker.js';
import type { MeterCalls, Progress } from './meter.js';

/** What notes when chains end, in a process of its own. Stop it when it is not needed: reading costs time as well. */
export type Meter = Awaited<ReturnType<typeof startMeter>>;

/** Starts a meter that reads topics from their beginning. It is asked how far it is about forty times a second. */
export async function startMeter(access: KafkaAccess, group: string, topics: readonly string[], signal: AbortSignal) {
  const worker = startWorker<MeterCalls>(new URL('./meter.js', import.meta.url), signal);
  const listeners = new Set<(ends: number) => void>();
  let seen: Progress = { ends: 0, executed: 0 };
  let asking = true;
  const look = async (): Promise<void> => {
    const before = seen.ends;
    seen = await worker.ask('progress', undefined);
    if (seen.ends !== before) for (const listener of listeners) listener(seen.ends);
    // Unanswered by a meter that has ended: whoever waits for it is told by the next question.
    if (asking) setTimeout(() => void look().catch(() => undefined), 25).unref();
  };
  const stop = (): Promise<void> => {
    asking = false;
    return worker.end();
  };
  try {
    await worker.ask('watch', { access, group, topics: [...topics] });
    await look();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    stop,
    /** How many ends it has seen in all, and how many of them were actions carried out. */
    ends: () => seen.ends,
    executed: () => seen.executed,
    onEnds: (listener: (ends: number) => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    report: (prefix: string) => worker.ask('report', prefix),
  };
}
