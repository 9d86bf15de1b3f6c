import { setTimeout as sleep } from 'node:timers/promises';
import type { Exit } from '@countersign/servers';

/** A process that can be started again. */
export interface Restartable {
  readonly exited: Promise<Exit>;
  /** Rejected if it ends before it is ready. Absent if it was ready when it was handed over. */
  readonly ready?: Promise<void>;
  lastLines(count?: number): string[];
  stop(): Promise<unknown>;
}

/** What other processes need: broker and database. */
export interface Ground {
  /** Fulfilled while all of it runs. */
  up(signal: AbortSignal): Promise<void>;
  /** How often a part of it was lost so far. */
  losses(): number;
}

export interface SupervisorSpec<P extends Restartable> {
  readonly name: string;
  readonly logFile: string;
  readonly running: P;
  start(): Promise<P>;
  /** If a process ends while its ground is lost, or while it waits for it, this does not count as a try. */
  readonly ground?: Ground;
  readonly log: (line: string) => void;
  /** Called at each loss, each return, and when it is given up. */
  readonly on?: (what: 'lost' | 'back' | 'given up', lines: string[]) => void;
}

/** The loop that keeps one process alive. */
export interface Supervisor {
  /** Starts nothing more. The process itself continues; a process that is just starting is ready when this is fulfilled. */
  halt(): Promise<void>;
}

/** It is given up after this many quick ends in a row. */
export const triesInARow = 5;
const firstPauseMs = 1_000;
const longestPauseMs = 30_000;
/** If a process ran for this time, its next end is the first of a new row. */
const steadyMs = 60_000;

/** After an end: the number of ends in a row, and the pause before the next start. Undefined: give up. */
export function nextTry(
  inARow: number,
  livedMs: number,
): { readonly inARow: number; readonly pauseMs: number } | undefined {
  const now = livedMs >= steadyMs ? 1 : inARow + 1;
  if (now > triesInARow) return undefined;
  return { inARow: now, pauseMs: Math.min(longestPauseMs, firstPauseMs * 2 ** (now - 1)) };
}

/** The message about an end: how, the name of the process, and what it means. `lines` are the last ones of its log. */
export function explainEnd(
  exit: Exit | undefined,
  lines: readonly string[],
): { readonly what: string; readonly help: string } {
  const own = lines.map((line) => /does not start: (.*)$/.exec(line)?.[1]).findLast((words) => words !== undefined);
  if (own !== undefined)
    return { what: `does not start: ${cut(own)}`, help: 'To start it again will not help until that is mended.' };
  const how =
    exit === undefined
      ? 'was not ready in time'
      : exit.code === null && exit.signal === null
        ? 'could not be started'
        : `ended (${exit.signal ?? `exit code ${exit.code}`})`;
  const last = lines.at(-1);
  return {
    what: last === undefined ? `${how} and wrote nothing` : `${how}; its last line: ${cut(last)}`,
    help:
      exit?.signal === 'SIGKILL' ? 'A person killed it, or the system did for want of memory.' : 'Its log says why.',
  };
}

const cut = (line: string): string => (line.length > 300 ? `${line.slice(0, 300)}…` : line.trim());

/**
 * Restarts a process whenever it ends by itself, after a pause that doubles. Each time it reports what ended, how, its last line,
 * and what comes next. Gives up after `triesInARow` quick ends in a row.
 */
export function supervise<P extends Restartable>(spec: SupervisorSpec<P>): Supervisor {
  const halting = new AbortController();
  const { signal } = halting;
  const halted = new Promise<undefined>((resolve) => signal.addEventListener('abort', () => resolve(undefined)));
  const { name, ground, log, on = () => undefined } = spec;

  const loop = async (): Promise<void> => {
    let running: P = spec.running;
    let since: number | undefined = performance.now();
    let inARow = 0;
    for (;;) {
      const exit = await Promise.race([endOf(running), halted]);
      if (signal.aborted || !exit) return;
      const lines = running.lastLines(20);
      on('lost', lines);
      const next = nextTry(inARow, since === undefined ? 0 : performance.now() - since);
      const { what, help } = explainEnd(exit.exit, lines);
      if (!next) {
        log(
          `${name} ${what}. It ended ${triesInARow + 1} times in a row and is given up. ${help} Log: ${spec.logFile}`,
        );
        on('given up', lines);
        return;
      }
      const again = `It is started again in ${next.pauseMs / 1_000} s (${next.inARow} of ${triesInARow}).`;
      log(`${name} ${what}. ${help} ${again} Log: ${spec.logFile}`);
      await sleep(next.pauseMs, undefined, { signal }).catch(() => undefined);
      await ground?.up(signal);
      if (signal.aborted) return;
      const losses = ground?.losses();
      running = await started(spec);
      const ready = await Promise.race([
        Promise.resolve(running.ready).then(
          () => true,
          () => false,
        ),
        halted,
      ]);
      if (signal.aborted) return;
      since = ready ? performance.now() : undefined;
      inARow = ground?.losses() === losses ? next.inARow : inARow;
      if (!ready) continue;
      on('back', []);
      log(`${name} is back`);
    }
  };
  const over = loop().catch((error: unknown) => {
    log(`${name} is not watched any more: ${error instanceof Error ? error.message : String(error)}`);
    on('given up', []);
  });
  return {
    halt: async () => {
      halting.abort();
      await over;
    },
  };
}

/** A start that fails counts as a process that ended at once, with the reason as its last line. */
async function started<P extends Restartable>(spec: SupervisorSpec<P>): Promise<P> {
  try {
    return await spec.start();
  } catch (error) {
    const lines = (error instanceof Error ? error.message : String(error)).split('\n').map((line) => line.trim());
    const ended: Restartable = {
      exited: Promise.resolve({ code: null, signal: null }),
      ready: Promise.reject(error),
      lastLines: () => lines,
      stop: async () => undefined,
    };
    ended.ready?.catch(() => undefined);
    return ended as P;
  }
}

/** How it ended. If it is not ready in time, it is stopped, and this counts as an end. */
async function endOf(running: Restartable): Promise<{ readonly exit?: Exit }> {
  const late = Symbol();
  const first = await Promise.race([
    running.exited,
    Promise.resolve(running.ready).then(
      () => running.exited,
      () => late,
    ),
  ]);
  if (first !== late) return { exit: first as Exit };
  await running.stop();
  return {};
}
