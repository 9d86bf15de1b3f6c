import { join } from 'node:path';
import { canLook, databaseUse, isProgram, logBytes, ofFamily, ofProcess, type Use } from '../processes.js';
import type { System } from './installation.js';

/** What was used up to a moment, by name of the process; `postgres` stands for all of the server's. */
export interface Usage {
  readonly processes: ReadonlyMap<string, Use>;
  readonly topicBytes: number | undefined;
  readonly databaseBytes: number;
  readonly walBytes: number;
}

export async function usage(system: System): Promise<Usage> {
  const { running, query, home } = system;
  const processes = new Map<string, Use>();
  const note = (name: string, pid: number | undefined, program?: string): void => {
    if (!canLook || pid === undefined) return;
    if (program !== undefined && !isProgram(pid, program)) return;
    processes.set(name, name === 'postgres' ? ofFamily(pid) : ofProcess(pid));
  };
  for (const [name, service] of running.services) note(name, service.pid);
  note('kafka', running.broker?.pid, 'java');
  note('postgres', running.postgres?.pid, 'postgres');
  const [row] = await query<{ size: string; wal: string }>(databaseUse);
  return {
    processes,
    topicBytes: logBytes(join(home, 'kafka/data'), (file) => file.includes('.v1-')),
    databaseBytes: Number(row?.size),
    walBytes: Number(row?.wal),
  };
}
