import { workspaceRoot } from '@countersign/servers';
import { type Arguments, help, type Measurement, measurements, onRequest, readArguments } from './arguments.js';
import { type Curve, curveLines, type Measured } from './curve.js';
import type { Bench, Figure } from './figure.js';
import { floors } from './floors/index.js';
import { thisMachine } from './machine.js';
import { rowsOf, table } from './report.js';
import type { Build } from './system/build.js';

/** Runs `npm run bench`; resolves to the exit status. */
export async function main(argv: readonly string[]): Promise<number> {
  let options: Arguments | 'help';
  try {
    options = readArguments(argv);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\nnpm run bench -- --help lists what there is.\n`);
    return 2;
  }
  if (options === 'help') {
    process.stdout.write(help);
    return 0;
  }
  return run(options);
}

async function run(options: Arguments): Promise<number> {
  const { json, quick, only, loads, against } = options;
  const began = performance.now();
  const seconds = (): number => (performance.now() - began) / 1000;
  const log = (line: string): void => void process.stderr.write(`${seconds().toFixed(0).padStart(4)} s  ${line}\n`);
  const machine = thisMachine(options.build);
  if (machine.loadBefore > 0.5) log(`the machine is not quiet (load ${machine.loadBefore}): figures will be too low`);

  const problems: string[] = [];
  const wrong = (line: string): void => {
    problems.push(line);
    log(`WRONG: ${line}`);
  };
  const interrupted = interruption(log);
  const bench: Bench = { log, wrong, quick, signal: interrupted };
  const figures: Figure[] = [];
  const curves: Curve[] = [];
  const attempt = async (what: string, measure: () => Promise<readonly Figure[]>): Promise<void> => {
    if (interrupted.aborted) return;
    try {
      figures.push(...(await measure()));
    } catch (error) {
      if (!interrupted.aborted) wrong(`${what} could not be measured: ${(error as Error).message}`);
    }
  };

  if (against) {
    const { measureAgainst } = await import('./against.js');
    const { comparisonTable } = await import('./compared.js');
    try {
      const measured = await measureAgainst(bench, options, against);
      const comparison = { ...measured, quick, seconds: seconds(), problems };
      process.stdout.write(json ? `${JSON.stringify(comparison, null, 2)}\n` : `\n${comparisonTable(comparison)}`);
    } catch (error) {
      if (!interrupted.aborted) wrong(`the builds could not be compared: ${(error as Error).message}`);
    }
    if (interrupted.aborted) return gone(log);
    return problems.length > 0 ? 1 : 0;
  }

  for (const [id, measure] of Object.entries(floors)) {
    if (only.has(id as Measurement)) {
      log(`${id}: ${measurements[id as keyof typeof measurements]}`);
      await attempt(id, () => measure(bench));
    }
  }
  const alone: readonly Measurement[] = ['g', 'long', 'growth'];
  const ofSystem = new Set([...only].filter((id) => !Object.hasOwn(floors, id) && !alone.includes(id)));
  if (ofSystem.size > 0) {
    // Loaded only when it is needed: a measurement of floors alone does not need it.
    const { loadBuild } = await import('./system/build.js');
    const { measureSystem } = await import('./system/index.js');
    await attempt([...ofSystem].join(', '), async () =>
      measureSystem(bench, await loadBuild(options.build ?? workspaceRoot), ofSystem, loads),
    );
  }

  // In an installation of its own, because its console has other rows.
  if (only.has('g')) {
    log(`g: ${measurements.g}`);
    const { measurePages } = await import('./pages/index.js');
    await attempt('g', () => measurePages(bench));
  }

  const { long, growth } = options;
  const attemptCurves = (id: keyof typeof onRequest, measure: (build: Build) => Promise<Measured>): Promise<void> =>
    attempt(id, async () => {
      log(`${id}: ${onRequest[id]}`);
      const { loadBuild } = await import('./system/build.js');
      const measured = await measure(await loadBuild(workspaceRoot));
      curves.push(...measured.curves);
      return measured.figures;
    });
  if (long)
    await attemptCurves('long', async (build) => (await import('./long/index.js')).measureLong(bench, build, long));
  if (growth)
    await attemptCurves('growth', async (build) =>
      (await import('./growth/index.js')).measureGrowth(bench, build, growth),
    );

  if (!interrupted.aborted || figures.length > 0 || curves.length > 0) {
    const report = { machine, quick, seconds: seconds(), figures: rowsOf(figures), problems };
    const text = [...curves.flatMap((curve) => ['', ...curveLines(curve)]), '', table(report)].join('\n');
    process.stdout.write(
      json ? `${JSON.stringify({ ...report, ...(curves.length > 0 && { curves }) }, null, 2)}\n` : text,
    );
  }
  if (interrupted.aborted) return gone(log);
  return problems.length > 0 ? 1 : 0;
}

function gone(log: (line: string) => void): number {
  log('interrupted; everything that was started is removed');
  return 130;
}

/** Aborted by the first Ctrl-C or request to end. A second one ends the process at once. */
function interruption(log: (line: string) => void): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      // The started programs watch for the end of this process, and do not outlive it.
      if (controller.signal.aborted) process.exit(130);
      log('stopping');
      controller.abort(new Error('interrupted'));
    });
  }
  // If another process started this run as one of several, this run does not outlive that process.
  process.on('disconnect', () => controller.abort(new Error('interrupted')));
  return controller.signal;
}
