import type { Load, Measurement } from '../arguments.js';
import type { Bench, Figure } from '../figure.js';
import type { Build } from './build.js';
import { measureFlow, measureRest, peopleForFlow } from './flow.js';
import { startSystem } from './installation.js';
import { measureRecord, peopleForRecord } from './record.js';
import { measureStops, peopleForStops } from './stops.js';
import { measureVerdicts, peopleForVerdicts } from './verdicts.js';
import { measureWithdrawals, peopleForWithdrawals } from './withdrawals.js';

/** Measures a build's running system: those of `a` to `f` that `which` holds. One that fails is named, and the others go on. */
export async function measureSystem(
  bench: Bench,
  build: Build,
  which: ReadonlySet<Measurement>,
  loads: ReadonlySet<Load>,
): Promise<Figure[]> {
  const figures: Figure[] = [];
  const { quick } = bench;
  const uses = which.has('f');
  const flow = which.has('b');
  const count = Math.max(
    flow || uses ? peopleForFlow(quick, loads) : 0,
    which.has('a') ? peopleForVerdicts(quick) : 0,
    which.has('c') ? peopleForRecord(quick) : 0,
    which.has('d') ? peopleForStops(quick) : 0,
    which.has('e') ? peopleForWithdrawals(quick) : 0,
  );
  bench.log('starting everything');
  const system = await startSystem(bench, build);
  const attempt = async (id: Measurement, measure: () => Promise<readonly Figure[]>): Promise<void> => {
    bench.signal.throwIfAborted();
    try {
      figures.push(...(await measure()));
    } catch (error) {
      bench.signal.throwIfAborted();
      bench.wrong(`${id} could not be measured: ${(error as Error).message}`);
    }
  };
  try {
    if (uses && loads.has('rest')) await attempt('f', () => measureRest(bench, system));
    if (count > 0) bench.log(`${count} people become known`);
    // What they leave on the topics is the backlog that the record is measured with.
    if (which.has('c'))
      await attempt('c', () => measureRecord(bench, system, () => build.knowPeople(system, 0, count)));
    else if (count > 0) await build.knowPeople(system, 0, count);
    if ((flow || uses) && peopleForFlow(quick, loads) > 0)
      await attempt('b', () => measureFlow(bench, system, { flow, uses, loads }));
    if (which.has('d')) await attempt('d', () => measureStops(bench, system));
    if (which.has('e')) await attempt('e', () => measureWithdrawals(bench, system));
    // Last, since in the end it stops every service but one.
    if (which.has('a')) await attempt('a', () => measureVerdicts(bench, system));
  } finally {
    await system.stop();
  }
  return figures.sort((a, b) => a.id.charCodeAt(0) - b.id.charCodeAt(0));
}
