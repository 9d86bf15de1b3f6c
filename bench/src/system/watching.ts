import type { KafkaAccess } from '@countersign/testing';
import { startWorker } from '../worker.js';
import type { MeterCalls, Progress } from './meter.js';

/** Records when chains end, in a process of its own. Stop it when it is not needed, because reading also uses time. */
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
    // A meter that has ended does not answer this. The next question reports it to the caller.
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
    take: () => worker.ask('take', undefined),
  };
}
