import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PortTaken } from '@countersign/local';

/** A new directory for one server. */
export function temporaryDirectory(what: string): string {
  return mkdtempSync(join(tmpdir(), `countersign-test-${what}-`));
}

/** Another test may take a free port between its choice and its use: then others are chosen. */
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

/** One server for as long as anybody holds it: started by the first `hold`, stopped when the last `release` is called. */
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
