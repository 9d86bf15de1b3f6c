import { fork } from 'node:child_process';
import { resolve } from 'node:path';
import type { Arguments } from './arguments.js';
import { type Comparison, compared, orderOf, type Pair } from './compared.js';
import type { Bench } from './figure.js';
import { thisMachine } from './machine.js';
import type { Report } from './report.js';
import { loadBuild } from './system/build.js';

/** Measures this build and another one in turn, each run a process of its own with the same load, clock and counters. */
export async function measureAgainst(
  bench: Bench,
  { only, loads }: Arguments,
  { folder, pairs: count }: { readonly folder: string; readonly pairs: number },
): Promise<Omit<Comparison, 'seconds' | 'problems' | 'quick'>> {
  // Before anything is measured: whether the other build can be.
  await loadBuild(folder);
  const machine = thisMachine();
  const against = thisMachine(folder).commit;
  const options = [...(bench.quick ? ['--quick'] : []), '--only', [...only].join(), '--loads', [...loads].join()];
  const pairs: Pair[] = [];
  for (let pair = 0; pair < count; pair++) {
    const rows = { current: [], other: [] } as { current: Report['figures']; other: Report['figures'] };
    for (const side of orderOf(pair)) {
      bench.signal.throwIfAborted();
      const name = side === 'current' ? machine.commit : against;
      bench.log(`pair ${pair + 1} of ${count}: ${name}`);
      const report = await runAlone([...options, ...(side === 'other' ? ['--build', resolve(folder)] : [])], bench);
      for (const problem of report.problems) bench.wrong(`pair ${pair + 1}, ${name}: ${problem}`);
      rows[side] = report.figures;
    }
    pairs.push(rows);
  }
  return { machine, against, figures: compared(pairs), pairs };
}

/** A run of this benchmark in a process of its own, with its progress on our standard error. */
async function runAlone(options: readonly string[], { signal }: Bench): Promise<Report> {
  // In a process group of its own: a Ctrl-C reaches it once, from here. It ends when this process is gone.
  const child = fork(new URL('./main.js', import.meta.url), [...options, '--json'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const interrupt = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', interrupt);
  let printed = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  const { promise, resolve: end } = Promise.withResolvers<number | null>();
  child.once('error', () => end(null)).once('close', end);
  const status = await promise;
  signal.removeEventListener('abort', interrupt);
  signal.throwIfAborted();
  try {
    return JSON.parse(printed) as Report;
  } catch {
    throw new Error(`the run \`${options.join(' ')}\` ended with exit status ${status} and told nothing`);
  }
}
