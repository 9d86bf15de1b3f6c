import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { workspaceRoot } from '@countersign/servers';
import type { Bench, Figure } from '../figure.js';
import { percentile } from '../percentile.js';
import { settledTopic } from './ends.js';
import type { System } from './installation.js';
import { atRest } from './people.js';
import { tooQuiet } from './too-quiet.js';
import type { Meter } from './watching.js';

const plays = ['bench-d', 'bench-d2'] as const;
const perSecond = 100;
const sizes = (quick: boolean) => (quick ? { trials: 4, byCommand: 1 } : { trials: 30, byCommand: 4 });
/** How long it is watched after a stop. Nothing may happen in the later part of this time. */
const watchedMs = 1_500;
const quietAfterMs = 1_000;

/** Twice as many signals as people: one of each play. */
export const peopleForStops = (quick: boolean): number => (quick ? 4_000 : 15_000);

/** A stop, by its times in milliseconds since 1970. */
interface Trial {
  readonly scope: string;
  readonly by: 'console' | 'command';
  /** When it was asked for, and when the answer was there. */
  readonly asked: number;
  readonly answered: number;
  /** When its end was asked for. */
  readonly resumed: number;
}

/** Everything that the load goes through, and three parts of it. */
const scopes = ['all', 'agent:sequencing-agent', 'channel:email', 'play:'] as const;

/** d: a stop under load, until the last effect in the connected system. */
export async function measureStops(bench: Bench, system: System): Promise<Figure[]> {
  const { trials: wanted, byCommand } = sizes(bench.quick);
  const people = peopleForStops(bench.quick);
  const meter = await system.meter([settledTopic]);
  const load = { current: 0, over: false };
  const running = (async () => {
    for (const [n, play] of plays.entries()) {
      load.current = n;
      if (!load.over) await system.generator.ask('pace', { play, from: 0, to: people, perSecond });
    }
    load.over = true;
  })();
  // It is awaited below, where its result is needed.
  running.catch(() => undefined);
  const trials: Trial[] = [];
  try {
    bench.log(`d: ${wanted} stops under ${perSecond} signals a second, and ${byCommand} by the command`);
    while (trials.length < wanted + byCommand) {
      bench.signal.throwIfAborted();
      await underWay(system, meter, load);
      // Stops come at any moment of a batch.
      await sleep(Math.random() * 200);
      const scope = scopes[trials.length % scopes.length] as string;
      const named = scope === 'play:' ? `play:${plays[load.current]}` : scope;
      const by = trials.length < wanted ? 'console' : 'command';
      const { asked, answered } = await (by === 'console' ? stop(system, named) : command(system, named));
      await sleep(watchedMs);
      const resume = await system.act('/v1/controls', {
        scope: named,
        state: 'running',
        reason: 'the benchmark goes on',
      });
      trials.push({ scope: named, by, asked, answered, resumed: resume.asked });
    }
  } finally {
    load.over = true;
    await system.generator.ask('halt', undefined);
    await running;
    await meter.stop();
  }
  await atRest(system);
  await eachPermitOnce(bench, system);
  return figuresOf(bench, trials, await effects(system));
}

const stop = (system: System, scope: string) =>
  system.act('/v1/controls', { scope, state: 'stopped', reason: 'the benchmark stops it' });

/** The real command: its answer is there when it has ended. */
async function command({ home }: System, scope: string): Promise<{ asked: number; answered: number }> {
  const [family = '', name] = scope.split(':');
  const words = name === undefined ? ['stop', '--all'] : ['stop', `--${family}`, name];
  const asked = Date.now();
  const code = await new Promise<number | null>((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [join(workspaceRoot, 'apps/cli/bin/countersign.mjs'), ...words, '--reason', 'the benchmark stops it'],
      { env: { ...process.env, COUNTERSIGN_HOME: home }, stdio: 'ignore' },
    );
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`countersign ${words.join(' ')} ended with ${code}`);
  return { asked, answered: Date.now() };
}

/** A stop is worth measuring if the rate of effects is at least half the rate of the signals. */
async function underWay({ until }: System, meter: Meter, load: { readonly over: boolean }): Promise<void> {
  const seen: { readonly at: number; readonly executed: number }[] = [];
  await until(
    `${perSecond / 2} effects a second under ${perSecond} signals a second`,
    async () => {
      if (load.over) throw new Error('the load ended before all stops were made: effects came too slowly');
      const now = { at: Date.now(), executed: meter.executed() };
      seen.push(now);
      const before = seen.findLast(({ at }) => at <= now.at - 1_000);
      return before && now.executed - before.executed >= perSecond / 2 ? true : undefined;
    },
    { everyMs: 20 },
  );
}

async function effects({ query }: System): Promise<number[]> {
  const rows = await query<{ at: number }>(
    `SELECT extract(epoch FROM changed_at)::float8 * 1000 AS at FROM sandbox_systems.enrolments
     WHERE sequence_id = ANY($1) ORDER BY 1`,
    [plays],
  );
  return rows.map(({ at }) => at);
}

/** Whatever was stopped: each permit has one end, and the connected system has exactly the actions that were carried out. */
async function eachPermitOnce(bench: Bench, { query }: System): Promise<void> {
  const [row] = await query<{ open: number; executed: number; held: number }>(
    `SELECT count(*) FILTER (WHERE p.outcome IS NULL)::int AS open,
            count(*) FILTER (WHERE p.outcome = 'executed')::int AS executed,
            (SELECT count(*)::int FROM sandbox_systems.answers WHERE outcome = 'done') AS held
     FROM guardrail_validator.permits v LEFT JOIN action_executor.permits p USING (permit_id)`,
  );
  if (row?.open !== 0) bench.wrong(`d: ${row?.open} permits came to no end`);
  if (row?.executed !== row?.held) {
    bench.wrong(`d: ${row?.executed} permits were executed, the connected system holds ${row?.held} effects`);
  }
}

function figuresOf(bench: Bench, trials: readonly Trial[], at: readonly number[]): Figure[] {
  const all = trials.map((trial) => {
    const before = at.filter((time) => time > trial.asked - 1_000 && time <= trial.asked).length;
    const last = at.findLast((time) => time < trial.resumed) ?? 0;
    const [sinceAnswer, sinceAsked] = [Math.max(0, last - trial.answered), Math.max(0, last - trial.asked)];
    return { ...trial, before, sinceAnswer, sinceAsked };
  });
  // If there are hardly any effects, the time of the last one says nothing about a stop.
  const timed = all.filter(({ before }) => before >= 20);
  const leftOut = tooQuiet(all.length, timed.length, 'stops came while fewer than 20 effects a second came');
  if (leftOut.many) bench.wrong(`d: ${leftOut.detail}`);
  // A late effect is a fault, however little happened before.
  for (const { scope, sinceAnswer } of all) {
    if (sinceAnswer > quietAfterMs)
      bench.wrong(`d: an effect ${sinceAnswer.toFixed(0)} ms after the stop of ${scope} was answered`);
  }
  const ofConsole = timed.filter(({ by }) => by === 'console');
  const ofCommand = timed.filter(({ by }) => by === 'command');
  if (ofConsole.length === 0 || ofCommand.length === 0) return [];
  const aim = { text: '< 500 ms', met: (value: number) => value < 500 };
  const times = (stops: readonly (typeof timed)[number][], key: 'sinceAnswer' | 'sinceAsked') =>
    stops.map((timedStop) => timedStop[key]);
  const spread = (id: string, what: string, times: readonly number[]): [Figure, Figure] => [
    {
      id: `${id}.p50`,
      what: `${what} to last effect, median`,
      value: percentile(times, 50),
      unit: 'ms',
      floor: 'f1.p50@200',
    },
    {
      id: `${id}.p99`,
      what: `${what} to last effect, 99th percentile`,
      value: percentile(times, 99),
      unit: 'ms',
      floor: 'f1.p99@200',
      aim,
    },
  ];
  const [median, longest] = spread('d', 'stop answered', times(ofConsole, 'sinceAnswer'));
  const note = `${ofConsole.length} stops of everything, an agent, a channel and a play in turn under ${perSecond}/s, so that the 99th percentile is the longest; nothing after it while ${watchedMs} ms were watched${leftOut.note}`;
  return [
    median,
    { ...longest, note },
    ...spread('d.asked', 'stop asked for', times(ofConsole, 'sinceAsked')),
    {
      id: 'd.command.max',
      what: 'end of `countersign stop` to last effect, longest',
      value: percentile(times(ofCommand, 'sinceAnswer'), 100),
      unit: 'ms',
      floor: 'f1.p99@200',
      aim,
      note: `${ofCommand.length} runs of the real command`,
    },
  ];
}
