import { spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync, readSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { recordProcess, stopOrphan } from './process-record.js';
import { type Rank, watchOver } from './watch.js';

export interface ProcessSpec {
  /** The name that messages use for it. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the child; nothing is inherited. Default: this process's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Standard output and error go here; a file above 10 MB is set aside as `.1` at start. */
  readonly logFile: string;
  /** The file that records its process number. A process that a killed parent left behind is stopped first. */
  readonly pidFile: string;
  /** How `lastLines` and errors show a line of the log to a person. Default: unchanged. */
  readonly readable?: (line: string) => string;
  /** Each complete line of output, about ten times a second. */
  readonly onLine?: (line: string) => void;
  /** Asked repeatedly until it returns true. Without it, the process is ready once it runs. */
  readonly probe?: () => Promise<boolean>;
  /** How long `ready` waits. Default 60 s. */
  readonly readyMs?: number;
  /** The signal that asks it to end. Default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  /** Services end before engines if this process dies. Default `service`. */
  readonly rank?: Rank;
  readonly uid?: number;
  readonly gid?: number;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface SupervisedProcess {
  readonly name: string;
  readonly pid: number;
  /** Fulfilled when `ready` returns true. Rejected, with the last lines of output, if the process ends or the time is over before that. */
  readonly ready: Promise<void>;
  /** Fulfilled when the process has ended, whatever the reason. */
  readonly exited: Promise<Exit>;
  /** The last lines that this run wrote to its log file. */
  lastLines(count?: number): string[];
  /** Asks it to end, kills it after `graceMs` (default 10 s), returns when it is gone. Repeated calls are harmless. */
  stop(graceMs?: number): Promise<Exit>;
  /** Kills it at once, as a crash would. */
  kill(): Promise<Exit>;
}

/**
 * Starts a child in a session of its own: a Ctrl-C in the terminal reaches only this process, which then stops its children in
 * order. If this process dies, even by kill -9, the child is asked to end and then killed. If its watcher is killed as well, the
 * next start with the same `pidFile` stops the child. Rejects if the command cannot be started, or with AlreadyRunning.
 */
export async function superviseProcess(spec: ProcessSpec): Promise<SupervisedProcess> {
  const { name, command, args, logFile, pidFile, stopSignal = 'SIGTERM' } = spec;
  await stopOrphan(pidFile, name, stopSignal);
  mkdirSync(dirname(logFile), { recursive: true });
  mkdirSync(dirname(pidFile), { recursive: true });
  const output = openLog(logFile);
  const from = fstatSync(output).size;
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', output, output],
    ...(spec.env && { env: spec.env }),
    ...(spec.cwd !== undefined && { cwd: spec.cwd }),
    ...(spec.uid !== undefined && { uid: spec.uid }),
    ...(spec.gid !== undefined && { gid: spec.gid }),
  });
  closeSync(output);
  const { pid } = child;
  if (pid === undefined) {
    const reason = await new Promise<Error>((resolve) => child.once('error', resolve));
    throw new Error(`${name} could not be started: ${reason.message}`, { cause: reason });
  }
  child.on('error', () => undefined);
  const release = watchOver(pid, spec.rank ?? 'service', stopSignal);
  recordProcess(pidFile, pid);

  let ended: Exit | undefined;
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      ended = { code, signal };
      release();
      rmSync(pidFile, { force: true });
      resolve(ended);
    });
  });
  const lastLines = (count = 20): string[] => {
    const lines = readFrom(logFile, Math.max(from, sizeOf(logFile) - 64_000))
      .toString('utf8')
      .split('\n');
    const last = lines.filter((line) => line.trim() !== '').slice(-count);
    return spec.readable ? last.map(spec.readable) : last;
  };
  const story = (ending: string): Error => new Error([`${name} ${ending}`, ...lastLines()].join('\n  '));

  const becomeReady = async (): Promise<void> => {
    const deadline = Date.now() + (spec.readyMs ?? 60_000);
    for (;;) {
      if (ended) throw story(`ended at start (${ended.signal ?? `exit code ${ended.code}`})`);
      if (!spec.probe || (await spec.probe())) return;
      if (Date.now() > deadline) throw story('is not ready in time');
      await Promise.race([sleep(30), exited]);
    }
  };
  const ready = becomeReady();
  ready.catch(() => undefined);
  if (spec.onLine) void follow(logFile, from, spec.onLine, exited);

  const end = async (signal: NodeJS.Signals, graceMs: number): Promise<Exit> => {
    if (ended) return ended;
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    const exit = await exited;
    clearTimeout(timer);
    return exit;
  };
  return {
    name,
    pid,
    ready,
    exited,
    lastLines,
    stop: (graceMs = 10_000) => end(stopSignal, graceMs),
    kill: () => end('SIGKILL', 0),
  };
}

function openLog(file: string): number {
  if (sizeOf(file) > 10_000_000) renameSync(file, `${file}.1`);
  return openSync(file, 'a', 0o600);
}

/*
 * The child writes to the file itself and not through a pipe. So its output stays complete if this process dies, and a reader that
 * is slow or gone cannot block or break it.
 */
async function follow(
  file: string,
  from: number,
  onLine: (line: string) => void,
  exited: Promise<Exit>,
): Promise<void> {
  let over = false;
  void exited.then(() => {
    over = true;
  });
  let at = from;
  for (;;) {
    const last = over;
    const bytes = readFrom(file, at);
    const complete = last ? bytes.length : bytes.lastIndexOf(10) + 1;
    at += complete;
    for (const line of bytes.subarray(0, complete).toString('utf8').split('\n')) if (line !== '') onLine(line);
    if (last) return;
    await Promise.race([sleep(100), exited]);
  }
}

function readFrom(file: string, from: number): Buffer {
  const input = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(input).size - from));
    return bytes.subarray(0, readSync(input, bytes, 0, bytes.length, from));
  } finally {
    closeSync(input);
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
