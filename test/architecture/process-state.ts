import { vi } from 'vitest';

type ProcessState = ReadonlyMap<string, unknown>;

/** What a test can change of its process so that the next file would see it. */
export const processState = (): ProcessState =>
  new Map<string, unknown>([
    ['fake timers', vi.isFakeTimers()],
    ['exit code', process.exitCode],
    ['folder', process.cwd()],
    ['Date', Date],
    ['Date.now', Date.now],
    ['performance.now', performance.now],
    ['setTimeout', setTimeout],
    ['setInterval', setInterval],
    ['Math.random', Math.random],
    ['fetch', fetch],
    ['process.cwd', process.cwd],
    ['process.exit', process.exit],
    ['process.kill', process.kill],
    ['process.stdout.write', process.stdout.write],
    ['process.stderr.write', process.stderr.write],
    ['console.log', console.log],
    ['console.warn', console.warn],
    ['console.error', console.error],
    ...Object.entries(process.env).map(([name, value]): [string, unknown] => [`variable ${name}`, value]),
  ]);

/** The names of what changed; no values, since a variable may be a credential. */
export const changedSince = (before: ProcessState): string[] => {
  const after = processState();
  return [...new Set([...before.keys(), ...after.keys()])].filter((name) => before.get(name) !== after.get(name));
};
