import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What a process has used so far, and the memory that it holds now. */
export interface Use {
  readonly cpuMs: number;
  readonly rssBytes: number;
}
/** Linux counts a process's time in hundredths of a second, whatever its kernel's clock. */
const tickMs = 10;
const pageBytes = 4096;

/** Whether processes can be observed here. Only Linux has `/proc`. */
export const canLook = existsSync('/proc/self/stat');

/** Asks a database how large it is, and how much it has written to its log, in bytes: `size`, `wal`. */
export const databaseUse = `SELECT pg_database_size(current_database())::text AS size, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::text AS wal`;

/** One process. Zero for a process that is gone, because its parent has its time. */
export function ofProcess(pid: number): Use {
  const fields = statOf(pid);
  const count = (field: number): number => Number(fields[field] ?? 0);
  return { cpuMs: (count(11) + count(12)) * tickMs, rssBytes: count(21) * pageBytes };
}

/** The processor time of children that have ended and that the process has waited for. */
export const ofEndedChildren = (pid: number): number => {
  const fields = statOf(pid);
  return (Number(fields[13] ?? 0) + Number(fields[14] ?? 0)) * tickMs;
};

/** A server with a process per connection: all of them, and those that it has waited for. Shared pages count once. */
export function ofFamily(pid: number): Use {
  const children = readdirSync('/proc')
    .map(Number)
    .filter((other) => other > 0 && statOf(other)[1] === String(pid));
  const uses = [pid, ...children].map(ofProcess);
  return {
    cpuMs: uses.reduce((sum, use) => sum + use.cpuMs, ofEndedChildren(pid)),
    rssBytes: [pid, ...children].reduce((sum, id) => sum + proportional(id), 0),
  };
}

/**
 * The part after the name in `/proc/<pid>/stat`, because the name may contain spaces: state, parent, …; empty for a process that is
 * gone.
 */
function statOf(pid: number): string[] {
  const text = read(`/proc/${pid}/stat`);
  return text === '' ? [] : text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function proportional(pid: number): number {
  const text = read(`/proc/${pid}/smaps_rollup`);
  return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024;
}

/** Whether it is the intended program. On Docker, the started process is only the client, and its use says nothing. */
export const isProgram = (pid: number, program: string): boolean => read(`/proc/${pid}/comm`).includes(program);

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Bytes of records of the given topics in a broker's folder; undefined if the folder cannot be seen. */
export function logBytes(data: string, meant: (file: string) => boolean): number | undefined {
  try {
    return readdirSync(data, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.log') && meant(file))
      .reduce((sum, file) => sum + statSync(join(data, file)).size, 0);
  } catch {
    return undefined;
  }
}
