import { setTimeout as sleep } from 'node:timers/promises';
import type { LongRun } from '../arguments.js';
import { type Curve, curveOf, type Measured, withLargest } from '../curve.js';
import type { Bench, Figure } from '../figure.js';
import { now } from '../floors/event.js';
import { percentile } from '../percentile.js';
import { quantity } from '../report.js';
import { slopeOf } from '../slope.js';
import type { Build } from '../system/build.js';
import { type System, startSystem } from '../system/installation.js';
import { assertRoom } from '../system/tables.js';
import { timeLeft } from '../time-left.js';
import { auditOf, effectsIn } from './audited.js';
import { faultsOf } from './balance.js';
import { killOne, plannedKills, targetsOf } from './kills.js';
import { dueAt, recoveryMs } from './recovery.js';
import { samplerOf } from './sampler.js';
import { type Settlements, settlementsOf } from './settlements.js';
import { cutsOf, type Sample, thirdsOf } from './thirds.js';

/** What an action, and the person whom it concerns, add to topics and tables: about half as much again as was measured. */
const bytesOfAction = 250_000;
/** So many people become known together. */
const together = 5_000;
/** If nothing is settled for this time after the load, what is missing is lost. */
const patienceMs = 120_000;
/** The flow is back once signals were settled quickly for this time. */
const calmMs = 5_000;
/** Tables that are shown by themselves: those that grow most. */
const shownTables = 12;

/** A target that was killed, and when it was up again. */
interface Kill {
  readonly target: string;
  readonly at: number;
  readonly backAt: number;
}

/** A steady load, while services, broker and database are killed at random; then every invariant, and whether anything was lost or done twice. */
export async function measureLong(bench: Bench, build: Build, options: LongRun): Promise<Measured> {
  const { minutes, rate, killEveryS } = options;
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32);
  const count = minutes * 60 * rate;
  bench.log(`long: ${minutes} minutes at ${rate}/s, killing with --seed ${seed}`);
  const system = await startSystem(bench, build, { restarts: true });
  const samples: Sample[] = [];
  const kills: Kill[] = [];
  const figures: Figure[] = [];
  let settlements: Settlements | undefined;
  try {
    await assertRoom(system, count * bytesOfAction);
    await knowAll(bench, system, count);
    const meter = await system.meter([build.settledTopic]);
    const startAt = now() + 1_000;
    settlements = settlementsOf(meter, { count, startAt, perSecond: rate }, (id) =>
      Number(/^bench-b:(\d+)$/.exec(id)?.[1] ?? -1),
    );
    const plan = plannedKills({
      seed,
      targets: targetsOf(system),
      forMs: minutes * 60_000,
      everyMs: killEveryS * 1000,
    });
    await loaded(bench, system, { options, startAt, plan, settlements, samples, kills });
    await settledAll(bench, system, settlements, count);
    await meter.stop();
    figures.push(...(await audited(bench, system, count)));
  } catch (error) {
    // What was measured until then is worth as much as before. Ctrl-C is no fault.
    if (!bench.signal.aborted) bench.wrong(`long: ${(error as Error).message}`);
  } finally {
    await system.stop();
  }
  const flow = settlements ? figuresOf(settlements, kills, samples, seed) : [];
  return { figures: [...flow, ...figures], curves: thirdsCurve(samples) };
}

async function knowAll(bench: Bench, system: System, count: number): Promise<void> {
  bench.log(`${count} people become known`);
  const began = performance.now();
  for (let from = 0; from < count; from += together) {
    const to = Math.min(count, from + together);
    await system.build.knowPeople(system, from, to);
    if (to < count) bench.log(`${to} people are known, ${timeLeft(to, count, performance.now() - began)}`);
  }
}

/** The load, the kills and a sample every minute. */
async function loaded(
  bench: Bench,
  system: System,
  run: {
    readonly options: LongRun;
    readonly startAt: number;
    readonly plan: ReturnType<typeof plannedKills>;
    readonly settlements: Settlements;
    readonly samples: Sample[];
    readonly kills: Kill[];
  },
): Promise<void> {
  const { options, startAt, plan, settlements, samples, kills } = run;
  const { minutes, rate } = options;
  const over = new AbortController();
  const signal = AbortSignal.any([bench.signal, over.signal]);
  const until = (at: number): Promise<void> => sleep(Math.max(0, at - now()), undefined, { signal });
  const sending = system.generator.ask('pace', {
    play: 'bench-b',
    from: 0,
    to: minutes * 60 * rate,
    perSecond: rate,
    startAt,
    brokerMayFail: true,
  });
  const killing = (async () => {
    for (const { atMs, target } of plan) {
      await until(startAt + atMs);
      const at = now();
      bench.log(`${target} is killed`);
      await killOne(system, target);
      kills.push({ target, at, backAt: now() });
    }
  })();
  const sampling = (async () => {
    const sample = samplerOf(system, settlements);
    const cuts: readonly number[] = cutsOf(minutes);
    for (let minute = 0; minute <= minutes; minute++) {
      await until(startAt + minute * 60_000);
      samples.push(await sample(cuts.includes(minute)));
      if (minute > 0) bench.log(progress(samples, kills, minute, minutes));
    }
  })();
  try {
    await Promise.all([sending, killing, sampling]);
  } finally {
    // If one of them failed, the others begin nothing more.
    over.abort();
  }
}

function progress(samples: readonly Sample[], kills: readonly Kill[], minute: number, minutes: number): string {
  const [before, after] = samples.slice(-2);
  if (!before || !after) return '';
  const settled = after.settled - before.settled;
  const value = (sample: Sample, id: string): number =>
    sample.readings.find((reading) => reading.id === id)?.value ?? 0;
  const perSecond = (settled * 1000) / (after.at - before.at);
  const cpu = settled === 0 ? 0 : (value(after, 'cpu') - value(before, 'cpu')) / settled;
  return [
    `minute ${minute} of ${minutes}: ${quantity(perSecond)}/s settled`,
    `median ${quantity(value(after, 'p50'))} ms`,
    `p99 ${quantity(value(after, 'p99'))} ms`,
    `${quantity(cpu)} CPU-ms an action`,
    `services ${quantity(value(after, 'memory'))} MB`,
    `${kills.length} kills`,
    `${timeLeft(minute, minutes, minute * 60_000)} and the audit`,
  ].join(', ');
}

/** Waits until every signal is settled and nothing runs. Reports those that came to no end, or to another one. */
async function settledAll(bench: Bench, system: System, settlements: Settlements, count: number): Promise<void> {
  bench.log(`${count - settlements.settled()} signals are under way`);
  let moved = now();
  await system.until(
    'the last settlements',
    async () => {
      if ((await settlements.collect()) > 0) moved = now();
      return settlements.settled() === count || now() - moved > patienceMs ? true : undefined;
    },
    { everyMs: 500, forMs: Number.POSITIVE_INFINITY },
  );
  await system.build.atRest(system);
  const missing = count - settlements.settled();
  const first = settlements.flow.settledAt.indexOf(undefined);
  if (missing > 0) bench.wrong(`long: ${missing} of ${count} signals came to no end, number ${first} first`);
  for (const [end, times] of settlements.otherEnds) bench.wrong(`long: ${times} actions ended ${end}`);
}

/** Nothing may be lost or done twice, and every invariant must hold. */
async function audited(bench: Bench, system: System, count: number): Promise<Figure[]> {
  bench.log('countersign audit invariants');
  const { audit, seconds, memoryBytes } = await auditOf(bench, system);
  const faults = faultsOf(count, audit, await effectsIn(system));
  for (const fault of faults) bench.wrong(`long: ${fault}`);
  const checked = audit.invariants.map(({ invariant, checked }) => `${invariant} ${checked}`).join(', ');
  return [
    {
      id: 'long.faults',
      what: 'invariants broken, steps lost, and counts that differ',
      value: faults.length,
      unit: '',
      aim: { text: '0', met: (value) => value === 0 },
      note: `checked: ${checked}`,
    },
    { id: 'long.audit.time', what: 'the audit', value: seconds, unit: 's' },
    { id: 'long.audit.memory', what: 'memory of the audit, at most', value: memoryBytes / 2 ** 20, unit: 'MB' },
  ];
}

function figuresOf(
  settlements: Settlements,
  kills: readonly Kill[],
  samples: readonly Sample[],
  seed: number,
): Figure[] {
  const { flow } = settlements;
  const took = flow.settledAt.flatMap((at, n) => (at === undefined ? [] : [at - dueAt(flow, n)]));
  const figures: Figure[] = [
    {
      id: 'long.settled',
      what: 'signals settled',
      value: took.length,
      unit: '',
      note: `repeat its kills with --seed ${seed}`,
    },
  ];
  if (took.length > 0) {
    const median = percentile(took, 50);
    figures.push(
      { id: 'long.p50', what: 'signal to settlement, median', value: median, unit: 'ms' },
      { id: 'long.p99', what: 'signal to settlement, 99th percentile', value: percentile(took, 99), unit: 'ms' },
      ...killFigures(kills, flow, Math.max(1_000, 3 * median)),
    );
  }
  return [...figures, ...trends(samples)];
}

/** How many kills, and how long after them signals were late or the process was not up again. */
function killFigures(kills: readonly Kill[], flow: Settlements['flow'], quickMs: number): Figure[] {
  const recoveries = kills
    .map(({ target, at, backAt }) => {
      const upMs = backAt - at;
      return { target, upMs, ms: Math.max(upMs, recoveryMs(at, flow, { quickMs, calmMs })) };
    })
    .sort((a, b) => b.ms - a.ms);
  const byTarget = Map.groupBy(recoveries, ({ target }) => target);
  const counts = [...byTarget].map(([target, times]) => `${target} ${times.length}`).sort();
  const figures: Figure[] = [
    {
      id: 'long.kills',
      what: 'kills',
      value: kills.length,
      unit: '',
      ...(counts.length > 0 && { note: counts.join(', ') }),
    },
  ];
  const [longest] = recoveries;
  if (!longest) return figures;
  const each = [...byTarget].map(
    ([target, [slowest]]) => `${target} ${quantity(slowest?.ms ?? 0)} (up after ${quantity(slowest?.upMs ?? 0)})`,
  );
  return [
    ...figures,
    {
      id: 'long.recovery',
      what: 'longest recovery from a kill',
      value: longest.ms,
      unit: 'ms',
      note: `until it is up again and signals are settled within ${quantity(quickMs)} ms for ${calmMs / 1000} s; longest of each: ${each.join(', ')}`,
    },
    {
      id: 'long.recovery.p50',
      what: 'recovery from a kill, median',
      value: percentile(
        recoveries.map(({ ms }) => ms),
        50,
      ),
      unit: 'ms',
    },
  ];
}

/** How memory rises or falls, by a straight line through all samples. */
function trends(samples: readonly Sample[]): Figure[] {
  const trend = (id: string): number | undefined =>
    slopeOf(
      samples.flatMap(({ at, readings }) =>
        readings.filter((reading) => reading.id === id).map(({ value }) => ({ x: at / 3_600_000, y: value })),
      ),
    );
  const all = trend('memory');
  if (all === undefined) return [];
  const ids = (samples.at(-1)?.readings ?? []).map(({ id }) => id).filter((id) => id.startsWith('memory.'));
  const each = ids.map((id) => `${id.slice('memory.'.length)} ${quantity(trend(id) ?? 0)}`).join(', ');
  return [
    { id: 'long.memory.trend', what: 'memory of all services, straight line', value: all, unit: 'MB/h', note: each },
  ];
}

/** First third, second third, last third. Of the tables, only those that grow most. */
function thirdsCurve(samples: readonly Sample[]): Curve[] {
  const thirds = thirdsOf(samples);
  if (thirds.length === 0) return [];
  const curve = curveOf('The thirds of the long run; processor time, bytes and rows are per action', thirds);
  return [withLargest(curve, ({ id }) => /^bytes\.\w+\.\w+$/.test(id), shownTables)];
}
