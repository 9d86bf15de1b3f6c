import type { Bench } from '../figure.js';
import { percentile } from '../percentile.js';
import { rateOf } from '../rate.js';
import { type Calls, startWorker, type Worker } from '../worker.js';
import type { Load } from './load.js';
import type { Arrivals, Meter } from './meter.js';

/** A hop that runs and can be paused. */
export type Held = Worker<{ readonly pause: (_: null) => void; readonly resume: (_: null) => void }>;

/** The setting of a measurement: load at one end, a meter at the other, and hops between them, each a process. */
export interface Chain {
  readonly load: Worker<Load>;
  readonly meter: Worker<Meter>;
  /** Holds the whole load back while it is made. */
  readonly first: Held;
}

/** Runs `measure` and ends all workers that it started, even if it fails. */
export async function withWorkers<T>(
  bench: Bench,
  measure: (start: <C extends Calls>(program: URL) => Worker<C>) => Promise<T>,
): Promise<T> {
  const workers: { end(): Promise<void> }[] = [];
  try {
    return await measure(<C extends Calls>(program: URL) => {
      const worker = startWorker<C>(program, bench.signal);
      workers.push(worker);
      return worker;
    });
  } finally {
    await Promise.all(workers.map((worker) => worker.end()));
  }
}

/** A backlog through the whole chain: events a second from the first that came out to the last. */
export async function rateThrough(bench: Bench, chain: Chain, phase: string, count: number): Promise<number> {
  await chain.first.ask('pause', null);
  await chain.load.ask('backlog', { phase, count });
  await chain.first.ask('resume', null);
  const arrivals = await chain.meter.ask('arrivals', { phase, count });
  checkRepeats(bench, phase, arrivals);
  return rateOf(arrivals.times);
}

/** Single events at a steady rate: how long each took from when it should have been sent, in milliseconds. */
export async function latenciesAt(
  bench: Bench,
  { load, meter }: Chain,
  { rate, seconds }: { readonly rate: number; readonly seconds: number },
): Promise<{ readonly p50: number; readonly p99: number }> {
  const phase = `at${rate}`;
  const late = await load.ask('paced', { phase, rate, seconds });
  if (late > 1_000)
    throw new Error(`a load of ${rate} events a second could not be made here: ${late} ms late at its end`);
  const arrivals = await meter.ask('arrivals', { phase, count: rate * seconds });
  checkRepeats(bench, phase, arrivals);
  return { p50: percentile(arrivals.latencies, 50), p99: percentile(arrivals.latencies, 99) };
}

function checkRepeats(bench: Bench, phase: string, { repeats }: Arrivals): void {
  // Plain hops may repeat an event after a failure. Without a failure, a repeat is a fault of the measurement.
  if (repeats > 0) bench.wrong(`${phase}: ${repeats} events arrived again`);
}
