import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { System } from './installation.js';

/** What a process has used so far, and the memory that it holds now. */
export interface Use {
  readonly cpuMs: number;
  readonly rssBytes: number;
}
/** What was used up to a moment, by name of the process; `postgres` stands for all of the server's. */
export interface Usage {
  readonly processes: ReadonlyMap<string, Use>;
  readonly topicBytes: number | undefined;
  readonly databaseBytes: number;
  readonly walBytes: number;
}

/** Linux counts a process's time in hundredths of a second, whatever its kernel's clock. */
const tickMs = 10;
const pageBytes = 4096;

/** Whether processes can be looked at here: elsewhere than on Linux there is no `/proc`. */
export const canLook = existsSync('/proc/self/stat');

export async function usage(system: System): Promise<Usage> {
  const { running, query, home } = system;
  const processes = new Map<string, Use>();
  const note = (name: string, pid: number | undefined, program?: string): void => {
    if (!canLook || pid === undefined) return;
    // On Docker the process that was started is its client, whose use says nothing.
    if (program !== undefined && !read(`/proc/${pid}/comm`).includes(program)) return;
    processes.set(name, name === 'postgres' ? ofFamily(pid) : ofProcess(pid));
  };
  for (const [name, service] of running.services) note(name, service.pid);
  note('kafka', running.broker?.pid, 'java');
  note('postgres', running.postgres?.pid, 'postgres');
  const [row] = await query<{ size: string; wal: string }>(
    `SELECT pg_database_size(current_database())::text AS size, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::text AS wal`,
  );
  return {
    processes,
    topicBytes: logBytes(join(home, 'kafka/data')),
    databaseBytes: Number(row?.size),
    walBytes: Number(row?.wal),
  };
}

function ofProcess(pid: number): Use {
  const fields = statOf(pid);
  return { cpuMs: (Number(fields[11]) + Number(fields[12])) * tickMs, rssBytes: Number(fields[21]) * pageBytes };
}

/** A server with a process per connection: all of them, and those that it has waited for. Shared pages count once. */
function ofFamily(pid: number): Use {
  const own = statOf(pid);
  const children = readdirSync('/proc')
    .map(Number)
    .filter((other) => other > 0 && statOf(other)[1] === String(pid));
  const uses = [pid, ...children].map(ofProcess);
  return {
    cpuMs: uses.reduce((sum, use) => sum + use.cpuMs, (Number(own[13]) + Number(own[14])) * tickMs),
    rssBytes: [pid, ...children].reduce((sum, one) => sum + proportional(one), 0),
  };
}

/** What follows the name in `/proc/<pid>/stat`, which may itself hold blanks: state, parent, …; of a process that is gone, nothing. */
function statOf(pid: number): string[] {
  const text = read(`/proc/${pid}/stat`);
  return text === '' ? [] : text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function proportional(pid: number): number {
  const text = read(`/proc/${pid}/smaps_rollup`);
  return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Bytes of records on the broker, without its own topics; undefined where its folder is not to be seen. */
function logBytes(data: string): number | undefined {
  try {
    return readdirSync(data, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.log') && file.includes('.v1-'))
      .reduce((sum, file) => sum + statSync(join(data, file)).size, 0);
  } catch {
    return undefined;
  }
}
