import type { KafkaAccess } from '@countersign/testing';
import { kafkaOf, read } from '../kafka.js';
import { serve } from '../worker.js';
import { markOf, now } from './event.js';

/** What came out at the end of a chain. */
export interface Arrivals {
  /** When each event came for the first time, milliseconds on the shared clock. */
  readonly times: readonly number[];
  /** The delay from when it should have been sent. */
  readonly latencies: readonly number[];
  /** How many arrived again. */
  readonly repeats: number;
}

interface Phase {
  readonly seen: Set<number>;
  readonly times: number[];
  readonly latencies: number[];
  repeats: number;
}
const phases = new Map<string, Phase>();
let arrived = (): void => undefined;

const phaseOf = (name: string): Phase => {
  const phase = phases.get(name) ?? { seen: new Set(), times: [], latencies: [], repeats: 0 };
  phases.set(name, phase);
  return phase;
};

const calls = {
  async connect({ access, topic }: { readonly access: KafkaAccess; readonly topic: string }): Promise<void> {
    await read({
      kafka: kafkaOf(access),
      topic,
      group: 'meter',
      handle(messages) {
        const at = now();
        for (const message of messages) {
          const { phase: name, n, due } = markOf(message);
          const phase = phaseOf(name);
          if (phase.seen.has(n)) {
            phase.repeats++;
            continue;
          }
          phase.seen.add(n);
          phase.times.push(at);
          phase.latencies.push(at - due);
        }
        arrived();
      },
    });
  },

  /** Fulfilled when so many different events of the phase have arrived; rejected when none has arrived for half a minute. */
  arrivals({ phase: name, count }: { readonly phase: string; readonly count: number }): Promise<Arrivals> {
    const phase = phaseOf(name);
    return new Promise((resolve, reject) => {
      let patience: NodeJS.Timeout;
      arrived = () => {
        clearTimeout(patience);
        if (phase.seen.size >= count)
          resolve({ times: phase.times, latencies: phase.latencies, repeats: phase.repeats });
        else
          patience = setTimeout(
            () => reject(new Error(`of ${count} events of ${name} only ${phase.seen.size} arrived`)),
            30_000,
          );
      };
      arrived();
    });
  },
};

export type Meter = typeof calls;
serve(calls);
