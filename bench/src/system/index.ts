import type { Measurement } from '../arguments.js';
import type { Bench, Figure } from '../figure.js';

/** Measures the running system: those of `a` to `f` that `which` holds. */
export async function measureSystem(bench: Bench, which: ReadonlySet<Measurement>): Promise<Figure[]> {
  if (which.size === 0) return [];
  bench.say(`of the system nothing is measured: ${[...which].join(', ')}`);
  return [];
}
