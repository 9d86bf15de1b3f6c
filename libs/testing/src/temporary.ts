import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PortTaken } from '@countersign/servers';

/**
 * A new directory for one server. First removes the directories of test processes that were killed, each by `remove`, which stops
 * what runs there.
 */
export async function temporaryDirectory(kind: string, remove: (dir: string) => Promise<void>): Promise<string> {
  const prefix = `countersign-test-${kind}-`;
  for (const name of readdirSync(tmpdir())) {
    const owner = Number(name.startsWith(prefix) ? name.slice(prefix.length).split('-')[0] : undefined);
    if (owner > 0 && !lives(owner)) await remove(join(tmpdir(), name)).catch(() => undefined);
  }
  return mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`));
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Another test may take a free port between its choice and its use. Then other ports are chosen. */
export async function onFreePorts<T>(start: () => Promise<T>): Promise<T> {
  for (let tries = 5; ; tries--) {
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof PortTaken) || tries === 0) throw error;
    }
  }
}

/** `<prefix>-<random>`: for topics, groups and databases that share a server with other tests. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${crypto.randomUUID().slice(0, 8)}`;
}

/** One server that runs while anybody holds it: the first `hold` starts it, the last `release` stops it. */
export function heldTogether<T extends { stop(): Promise<void> }>(start: () => Promise<T>) {
  let holders = 0;
  let started: Promise<T> | undefined;
  return {
    async hold(): Promise<T> {
      holders++;
      started ??= start();
      try {
        return await started;
      } catch (error) {
        holders--;
        started = undefined;
        throw error;
      }
    },
    async release(): Promise<void> {
      if (--holders > 0) return;
      const last = started;
      started = undefined;
      await (await last)?.stop();
    },
  };
}
