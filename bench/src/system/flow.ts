import { setTimeout as sleep } from 'node:timers/promises';
import type { Load } from '../arguments.js';
import type { Bench, Figure } from '../figure.js';
import { percentile } from '../percentile.js';
import { costsOf, memoryOf } from './costs.js';
import { eachOnce } from './ends.js';
import type { System } from './installation.js';
import type { BenchPlay } from './settings.js';
import { usage } from './usage.js';
import type { Meter } from './watching.js';

/** Signals a second, at an even pace. */
type Pace = 1 | 10 | 50 | 200;
const paceOf: Readonly<Partial<Record<Load, Pace>>> = { 1: 1, 10: 10, 50: 50, 200: 200 };

/** How much is done. Each person is used once, because a person who is enrolled is not enrolled again. */
export const sizesOf = (quick: boolean) =>
  quick
    ? { warm: 300, rate: 1_000, seconds: { 1: 10, 10: 8, 50: 4, 200: 3 }, inFlight: 500, restMs: 15_000 }
    : { warm: 1_500, rate: 12_000, seconds: { 1: 60, 10: 30, 50: 20, 200: 20 }, inFlight: 10_000, restMs: 60_000 };
/** Work that remains after a start: services compile what they use, and Postgres writes new data to disk. */
const settleMs = 10_000;

const signalsOf = (quick: boolean, load: Load): number => {
  const { rate, seconds } = sizesOf(quick);
  const pace = paceOf[load];
  if (pace !== undefined) return pace * seconds[pace];
  return load === 'full' ? rate : 0;
};

/** If only rest is measured, there are none. */
export function peopleForFlow(quick: boolean, loads: ReadonlySet<Load>): number {
  const signals = [...loads].reduce((sum, load) => sum + signalsOf(quick, load), 0);
  return signals === 0 ? 0 : Math.max(sizesOf(quick).warm, signals);
}

/** f: the use while nothing happens, directly after the start, when nobody is known yet. */
export async function measureRest(bench: Bench, system: System): Promise<Figure[]> {
  const { restMs } = sizesOf(bench.quick);
  await system.build.atRest(system);
  await sleep(settleMs);
  bench.log(`f: at rest for ${restMs / 1000} s`);
  const before = await usage(system);
  await system.listed('rest', () => system.profiled('rest', () => sleep(restMs)));
  bench.signal.throwIfAborted();
  const after = await usage(system);
  return [...costsOf({ load: 'rest', before, after }), ...memoryOf(after, 'rest', 'at rest, after its start')];
}

/** b and f: from a signal to the settlement of the one action that it leads to, under each load. */
export async function measureFlow(
  bench: Bench,
  system: System,
  { flow, uses, loads }: { readonly flow: boolean; readonly uses: boolean; readonly loads: ReadonlySet<Load> },
): Promise<Figure[]> {
  const { warm, inFlight, seconds } = sizesOf(bench.quick);
  const { atRest } = system.build;
  const meter = await system.meter([system.build.settledTopic]);
  const figures: Figure[] = [];
  let next = 0;
  try {
    bench.log(`b: ${warm} signals to warm up`);
    await saturated(bench, system, meter, { play: 'bench-warm', from: 0, to: warm, inFlight });
    await atRest(system);

    for (const load of loads) {
      const run = { play: 'bench-b', from: next, to: next + signalsOf(bench.quick, load) } as const;
      const actions = run.to - run.from;
      const pace = paceOf[load];
      const before = await usage(system);
      if (pace !== undefined) {
        bench.log(`b: ${pace} signals a second for ${seconds[pace]} s`);
        const times = await system.listed(load, () =>
          system.profiled(`b@${load}`, () => paced(bench, system, meter, { ...run, perSecond: pace })),
        );
        // At once, because what is used after the last event counts as rest and not for the actions.
        const after = await usage(system);
        if (flow) figures.push(...latencies(pace, times));
        if (uses) figures.push(...costsOf({ load, before, after, actions }), ...memoryOf(after, load, `at ${load}/s`));
      } else if (load === 'full') {
        bench.log(`b: ${actions} signals, ${inFlight} in flight`);
        const tookMs = await system.listed(load, () =>
          system.profiled('b', () => saturated(bench, system, meter, { ...run, inFlight })),
        );
        await atRest(system);
        const perSecond = (actions * 1000) / tookMs;
        bench.log(`b: ${perSecond.toFixed(0)} a second`);
        if (flow) figures.push(rateFigure(perSecond, actions, inFlight));
        if (uses) figures.push(...costsOf({ load, before, after: await usage(system), actions }));
      }
      next = run.to;
      await atRest(system);
    }
    if (uses && loads.has('full')) figures.push(...memoryOf(await usage(system), 'full', 'at the end'));
  } finally {
    await meter.stop();
  }
  return figures;
}

const rateFigure = (perSecond: number, signals: number, inFlight: number): Figure => ({
  id: 'b.rate',
  what: 'signals settled, each with one executed action',
  value: perSecond,
  unit: '/s',
  floor: 'f1.rate',
  aim: { text: '800/s', met: (value) => value >= 800 },
  note: `${signals} signals, ${inFlight} in flight, from the first signal to the last settlement`,
});

/** Maintains this many signals in flight. Returns the time from the first signal to the last settlement. */
export async function saturated(
  bench: Bench,
  { generator, until, build }: System,
  meter: Meter,
  run: { readonly play: BenchPlay; readonly from: number; readonly to: number; readonly inFlight: number },
): Promise<number> {
  const count = run.to - run.from;
  const base = meter.ends();
  await generator.ask('credit', base);
  const leave = meter.onEnds((count) => void generator.ask('credit', count).catch(() => undefined));
  try {
    const { startedAt } = await generator.ask('saturate', run);
    const chains = await ended(bench, { until }, meter, run.play, base + count);
    const ids = Array.from({ length: count }, (_, n) => build.engagementId(run.play, run.from + n));
    const found = eachOnce(bench, 'b', ids, chains, 'executed');
    return ids.reduce((last, id) => Math.max(last, found.get(id)?.at ?? 0), 0) - startedAt;
  } finally {
    leave();
  }
}

/** Signals at a fixed pace. Returns the time of each, from when it should have been sent to the arrival of its settlement. */
export async function paced(
  bench: Bench,
  { generator, until, build }: System,
  meter: Meter,
  run: { readonly play: BenchPlay; readonly from: number; readonly to: number; readonly perSecond: number },
): Promise<number[]> {
  const base = meter.ends();
  const { startedAt } = await generator.ask('pace', run);
  const chains = await ended(bench, { until }, meter, run.play, base + run.to - run.from);
  const ids = Array.from({ length: run.to - run.from }, (_, n) => build.engagementId(run.play, run.from + n));
  const found = eachOnce(bench, `b@${run.perSecond}`, ids, chains, 'executed');
  return ids.flatMap((id, n) => {
    const at = found.get(id)?.at;
    return at === undefined ? [] : [at - (startedAt + (n * 1000) / run.perSecond)];
  });
}

/** Waits for this number of ends, and a moment longer in case there are too many. If nothing moves any more, missing ends are lost. */
async function ended(bench: Bench, { until }: Pick<System, 'until'>, meter: Meter, play: BenchPlay, count: number) {
  let [seen, since] = [meter.ends(), Date.now()];
  await until(
    'settlements',
    async () => {
      if (meter.ends() !== seen) [seen, since] = [meter.ends(), Date.now()];
      return seen >= count || Date.now() - since > 30_000 ? true : undefined;
    },
    { everyMs: 20, forMs: 600_000 },
  );
  bench.signal.throwIfAborted();
  await sleep(500);
  return meter.report(`${play}:`);
}

function latencies(pace: Pace, times: readonly number[]): Figure[] {
  return [50, 99].map((percent): Figure => {
    const id = `p${percent}@${pace}`;
    return {
      id: `b.${id}`,
      what: `signal to settlement at ${pace}/s, ${percent === 50 ? 'median' : '99th percentile'}`,
      value: percentile(times, percent),
      unit: 'ms',
      // F1 is not run at one event a second: it would take a minute for a figure of one event.
      ...(pace !== 1 && { floor: `f1.${id}` }),
      ...(id === 'p99@200' && {
        aim: {
          text: 'under 3 × F1',
          met: (value: number, floor: number | undefined) => (floor === undefined ? undefined : value < 3 * floor),
        },
      }),
    };
  });
}
