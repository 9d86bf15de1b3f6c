import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, Figure } from '../figure.js';
import { percentile } from '../percentile.js';
import { canLook } from '../processes.js';
import { eachOnce, settledTopic } from './ends.js';
import type { System } from './installation.js';
import { atRest } from './people.js';
import type { BenchPlay } from './settings.js';
import { engagementId } from './signals.js';
import { type Usage, usage } from './usage.js';
import type { Meter } from './watching.js';

/** How much is done: people are used once each, since one who is enrolled is not enrolled again. */
export const sizesOf = (quick: boolean) =>
  quick
    ? { warm: 300, rate: 1_000, seconds: { 50: 4, 200: 3 }, inFlight: 500 }
    : { warm: 1_500, rate: 12_000, seconds: { 50: 20, 200: 20 }, inFlight: 10_000 };
const paces = [50, 200] as const;

export const peopleForFlow = (quick: boolean): number => {
  const { rate, seconds } = sizesOf(quick);
  return paces.reduce((sum, pace) => sum + pace * seconds[pace], rate);
};

/** b and f: from a signal to the settlement of the one action that it leads to. */
export async function measureFlow(
  bench: Bench,
  system: System,
  { flow, uses }: { readonly flow: boolean; readonly uses: boolean },
): Promise<Figure[]> {
  const { warm, rate, seconds, inFlight } = sizesOf(bench.quick);
  const meter = await system.meter([settledTopic]);
  const figures: Figure[] = [];
  try {
    bench.say(`b: ${warm} signals to warm up`);
    await saturated(bench, system, meter, { play: 'bench-warm', from: 0, to: warm, inFlight });
    await atRest(system);

    bench.say(`b: ${rate} signals, ${inFlight} in flight`);
    const before = await usage(system);
    const run = { play: 'bench-b', from: 0, to: rate, inFlight } as const;
    const tookMs = await system.profiled('b', () => saturated(bench, system, meter, run));
    await atRest(system);
    const after = await usage(system);
    const perSecond = (rate * 1000) / tookMs;
    bench.say(`b: ${perSecond.toFixed(0)} a second`);
    if (flow) {
      figures.push({
        id: 'b.rate',
        what: 'signals settled, each with one executed action',
        value: perSecond,
        unit: '/s',
        floor: 'f1.rate',
        aim: { text: '800/s', met: (value) => value >= 800 },
        note: `${rate} signals, ${inFlight} in flight, from the first signal to the last settlement`,
      });
      let next = rate;
      for (const pace of paces) {
        const to = next + pace * seconds[pace];
        bench.say(`b: ${pace} signals a second for ${seconds[pace]} s`);
        const times = await system.profiled(`b@${pace}`, () =>
          paced(bench, system, meter, { play: 'bench-b', from: next, to, perSecond: pace }),
        );
        next = to;
        figures.push(...latencies(pace, times));
        await atRest(system);
      }
    }
    if (uses) figures.push(...usageFigures(rate, before, after, await usage(system)));
  } finally {
    await meter.stop();
  }
  return figures;
}

/** Keeps as many signals in flight; answers how long it took from the first signal to the last settlement. */
async function saturated(
  bench: Bench,
  { generator, until }: System,
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
    const ids = Array.from({ length: count }, (_, n) => engagementId(run.play, run.from + n));
    const found = eachOnce(bench, 'b', ids, chains, 'executed');
    return ids.reduce((last, id) => Math.max(last, found.get(id)?.at ?? 0), 0) - startedAt;
  } finally {
    leave();
  }
}

/** Signals at a fixed pace; answers with the time of each from when it was meant to be sent to the arrival of its settlement. */
async function paced(
  bench: Bench,
  { generator, until }: System,
  meter: Meter,
  run: { readonly play: BenchPlay; readonly from: number; readonly to: number; readonly perSecond: number },
): Promise<number[]> {
  const base = meter.ends();
  const { startedAt } = await generator.ask('pace', run);
  const chains = await ended(bench, { until }, meter, run.play, base + run.to - run.from);
  const ids = Array.from({ length: run.to - run.from }, (_, n) => engagementId(run.play, run.from + n));
  const found = eachOnce(bench, `b@${run.perSecond}`, ids, chains, 'executed');
  return ids.flatMap((id, n) => {
    const at = found.get(id)?.at;
    return at === undefined ? [] : [at - (startedAt + (n * 1000) / run.perSecond)];
  });
}

/** Waits for that many ends, and a moment for more than there should be. What has not come when nothing moves is lost. */
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

function latencies(pace: 50 | 200, times: readonly number[]): Figure[] {
  return [50, 99].map((percent): Figure => {
    const id = `p${percent}@${pace}`;
    return {
      id: `b.${id}`,
      what: `signal to settlement at ${pace}/s, ${percent === 50 ? 'median' : '99th percentile'}`,
      value: percentile(times, percent),
      unit: 'ms',
      floor: `f1.${id}`,
      ...(id === 'p99@200' && {
        aim: {
          text: 'under 3 × F1',
          met: (value: number, floor: number | undefined) => (floor === undefined ? undefined : value < 3 * floor),
        },
      }),
    };
  });
}

const mega = 1024 * 1024;

function usageFigures(actions: number, before: Usage, after: Usage, end: Usage): Figure[] {
  const figures: Figure[] = [];
  const cpu = [...after.processes].map(([name, { cpuMs }]) => ({
    name,
    ms: (cpuMs - (before.processes.get(name)?.cpuMs ?? 0)) / actions,
  }));
  const servers = ['kafka', 'postgres'];
  if (canLook) {
    const ofServices = cpu.filter(({ name }) => !servers.includes(name));
    figures.push({
      id: 'f.cpu',
      what: 'processor time of all services per executed action',
      value: ofServices.reduce((sum, { ms }) => sum + ms, 0),
      unit: 'CPU-ms',
      floor: 'f1.cpu',
      note: 'over the run of b.rate, everything that follows a settlement included',
    });
  }
  const floorOfCpu: Readonly<Record<string, string>> = { kafka: 'f1.cpu.kafka', postgres: 'f2.cpu.postgres' };
  for (const { name, ms } of cpu) {
    const floor = floorOfCpu[name];
    const what = `processor time of ${name} per action`;
    figures.push({ id: `f.cpu.${name}`, what, value: ms, unit: 'CPU-ms', ...(floor && { floor }) });
  }
  const bytes: readonly (readonly [string, string, string, number | undefined, number | undefined])[] = [
    ['topics', 'f1', 'bytes on topics per executed action', before.topicBytes, after.topicBytes],
    ['database', 'f2', 'bytes of the database per executed action', before.databaseBytes, after.databaseBytes],
    ['wal', 'f2', "bytes of the database's log per executed action", before.walBytes, after.walBytes],
  ];
  for (const [id, floor, what, from, to] of bytes) {
    if (from !== undefined && to !== undefined)
      figures.push({
        id: `f.bytes.${id}`,
        what,
        value: (to - from) / actions,
        unit: 'B',
        floor: `${floor}.bytes.${id}`,
      });
  }
  const floorOfMemory: Readonly<Record<string, string>> = { kafka: 'f1.memory.kafka', postgres: 'f2.memory.postgres' };
  for (const [name, { rssBytes }] of end.processes)
    figures.push({
      id: `f.memory.${name}`,
      what: `memory of ${name} at the end`,
      value: rssBytes / mega,
      unit: 'MB',
      floor: floorOfMemory[name] ?? 'f1.memory',
    });
  return figures;
}
