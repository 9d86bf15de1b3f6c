import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Which process runs, and which process started it. This is enough to find it again after a crash, and not to confuse it with
 * another process.
 */
interface ProcessRecord {
  readonly pid: number;
  readonly born: string;
  readonly parent: number;
  readonly parentBorn: string;
}

/** The directory is in use by a living process: nothing was stopped. */
export class AlreadyRunning extends Error {
  readonly pid: number;

  constructor(pid: number, name: string) {
    super(`${name} already runs for this directory, started by process ${pid}: stop that one first`);
    this.name = 'AlreadyRunning';
    this.pid = pid;
  }
}

/** Records a process that this one has started. */
export function recordProcess(file: string, pid: number): void {
  const record: ProcessRecord = {
    pid,
    born: birth(pid) ?? '',
    parent: process.pid,
    parentBorn: birth(process.pid) ?? '',
  };
  writeFileSync(file, JSON.stringify(record), { mode: 0o600 });
}

/**
 * Stops what an earlier parent left running when it was killed: asks with `signal`, kills after `graceMs`. Does nothing if the
 * recorded process is gone, its number belongs to another process, or the record is unreadable. Throws AlreadyRunning if the parent
 * still lives. Returns whether there was something to stop.
 */
export async function stopOrphan(
  file: string,
  name: string,
  signal: NodeJS.Signals = 'SIGTERM',
  graceMs = 10_000,
): Promise<boolean> {
  const record = readRecord(file);
  if (!record) return false;
  const { pid, born, parent, parentBorn } = record;
  if (born === '' || birth(pid) !== born) {
    rmSync(file, { force: true });
    return false;
  }
  const parentLives = (): boolean => parentBorn !== '' && birth(parent) === parentBorn;
  // A killed process loses its command line before it is gone. On a busy machine much time can pass between the two.
  for (const end = Date.now() + 5_000; parentLives() && !commandLine(parent) && Date.now() < end; ) await sleep(20);
  if (parentLives()) throw new AlreadyRunning(parent, name);
  await endProcess(pid, signal, graceMs);
  rmSync(file, { force: true });
  return true;
}

/** Asks a process that is not a child of this one to end, kills it after `graceMs`, and returns when it is gone. */
export async function endProcess(pid: number, signal: NodeJS.Signals, graceMs: number): Promise<void> {
  const born = birth(pid);
  const gone = async (ms: number): Promise<boolean> => {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(50)) if (birth(pid) !== born) return true;
    return false;
  };
  if (born === undefined) return;
  send(pid, signal);
  if (await gone(graceMs)) return;
  send(pid, 'SIGKILL');
  if (!(await gone(5_000))) throw new Error(`process ${pid} does not end`);
}

/** A process's command line, or nothing if there is no such process. */
export function commandLine(pid: number): string | undefined {
  if (process.platform === 'linux') return readText(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ');
  return ps(pid, 'command=');
}

/** When a process was started, as the system reports it; undefined if it is gone or only a zombie. */
function birth(pid: number): string | undefined {
  if (process.platform !== 'linux') return ps(pid, 'lstart=');
  const stat = readText(`/proc/${pid}/stat`);
  if (!stat) return undefined;
  // The second field, the name in brackets, may contain spaces. The state follows it, and the start time is field 22.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return `${readText('/proc/sys/kernel/random/boot_id')?.trim()} ${fields[19]}`;
}

function ps(pid: number, column: string): string | undefined {
  try {
    return execFileSync('ps', ['-o', column, '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function readRecord(file: string): ProcessRecord | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessRecord;
  } catch {
    return undefined;
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
