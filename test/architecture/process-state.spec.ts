import { afterEach, expect, test, vi } from 'vitest';
import { changedSince, processState } from './process-state.js';

const folder = process.cwd();
const nothing = (): void => undefined;
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  process.exitCode = undefined;
  process.chdir(folder);
  process.removeListener('SIGUSR2', nothing);
  Reflect.deleteProperty(globalThis, 'planted');
});

const ends = (code: number): void => {
  process.exitCode = code;
};

test.each<[string, () => void]>([
  ['fake timers', () => vi.useFakeTimers()],
  ['setInterval', () => vi.useFakeTimers({ toFake: ['setInterval'] })],
  ['Date.now', () => vi.spyOn(Date, 'now').mockReturnValue(0)],
  ['variable PLANTED', () => vi.stubEnv('PLANTED', '1')],
  ['variable PATH', () => vi.stubEnv('PATH', undefined)],
  ['fetch', () => vi.stubGlobal('fetch', () => undefined)],
  ['process.stdout.write', () => vi.spyOn(process.stdout, 'write').mockReturnValue(true)],
  ['exit code', () => ends(2)],
  ['folder', () => process.chdir('/')],
  ['global planted', () => Object.assign(globalThis, { planted: 1 })],
  ['global stubbed', () => vi.stubGlobal('stubbed', 1)],
  ['listeners of SIGUSR2', () => process.on('SIGUSR2', nothing)],
])('a file that leaves another %s behind is found', (name, plant) => {
  const before = processState();
  expect(changedSince(before)).toEqual([]);
  plant();
  expect(changedSince(before)).toContain(name);
});
