import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, type Session } from '@countersign/client';

const longestPauseMs = 30_000;
/** How long to wait after this many failures in a row. */
export const pauseMs = (failures: number): number => Math.min(longestPauseMs, 1_000 * 2 ** Math.min(failures - 1, 10));

export const mayPass = (error: unknown): error is Failure => error instanceof Failure && error.passing;

/** Prints the failure, and waits before the next try. */
export async function pause(s: Session, detail: string, ms: number): Promise<void> {
  s.warn(`${detail}; trying again in ${Math.ceil(ms / 1_000)} s`);
  await sleep(ms);
}

/** The result of `look`. Until the given time of `performance.now()`, a failure that may pass is printed and `look` is tried again. */
export async function patient<T>(s: Session, until: number, look: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await look();
    } catch (error) {
      const left = until - performance.now();
      if (!mayPass(error) || left <= 0) throw error;
      await pause(s, error.message, Math.min(pauseMs(failures), left));
    }
  }
}
