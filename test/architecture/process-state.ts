import { vi } from 'vitest';

type ProcessState = ReadonlyMap<string, unknown>;

// Tslib, zod and Nest's Swagger keep state of their modules here: it comes with the first import and stays, as modules do.
const ofLibraries = /^(__|SwaggerGlobal)/;

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
    // Names only, because reading some of Node's own globals would load them.
    ...Object.keys(globalThis)
      .filter((name) => !ofLibraries.test(name))
      .map((name): [string, unknown] => [`global ${name}`, true]),
    // The logger's library listens for the end of the process as long as the process lives.
    ...process
      .eventNames()
      .filter((event) => event !== 'exit')
      .map((event): [string, unknown] => [`listeners of ${String(event)}`, process.listenerCount(event)]),
  ]);

/** The names of what changed. No values, because a variable may be a credential. */
export const changedSince = (before: ProcessState): string[] => {
  const after = processState();
  return [...new Set([...before.keys(), ...after.keys()])].filter((name) => before.get(name) !== after.get(name));
};
