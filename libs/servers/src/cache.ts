import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The checkout's root. */
export const workspaceRoot = fileURLToPath(new URL('../../..', import.meta.url));

/** Files that are fetched or prepared once, and that all starts and tests of this checkout share. `COUNTERSIGN_CACHE` moves the folder. */
export function cacheDirectory(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return resolve(env.COUNTERSIGN_CACHE || join(workspaceRoot, '.countersign/cache'));
}

/**
 * Runs `fn` while no other process runs under the same lock file. The lock of a dead process is taken over: a living holder touches
 * the file every two seconds. If two processes take over at the same time, both run, so `fn` must end in an atomic rename.
 */
export async function underLock<T>(file: string, fn: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(file), { recursive: true });
  while (!acquire(file)) await sleep(100);
  const touch = setInterval(() => {
    const now = new Date();
    try {
      utimesSync(file, now, now);
    } catch {
      // Another process took the lock over, because it did not see it touched in time.
    }
  }, 2_000);
  try {
    return await fn();
  } finally {
    clearInterval(touch);
    rmSync(file, { force: true });
  }
}

function acquire(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  if (isStale(file)) rmSync(file, { force: true });
  return false;
}

function isStale(file: string): boolean {
  try {
    if (Date.now() - statSync(file).mtimeMs > 20_000) return true;
    const holder = Number(readFileSync(file, 'utf8'));
    if (!(holder > 0)) return false;
    process.kill(holder, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
