import { join } from 'node:path';
import { canLook, databaseUse, isProgram, logBytes, ofFamily, ofProcess, type Use } from '../processes.js';
import type { System } from './installation.js';

/** What one login asked of the database. */
export interface Asked {
  readonly statements: number;
  /** Those that ended a transaction which had been begun; a statement by itself is one without. */
  readonly commits: number;
}

/** What was used up to a moment, by name of the process; `postgres` stands for all of the server's. */
export interface Usage {
  /** Milliseconds of a clock that is never set. */
  readonly at: number;
  readonly processes: ReadonlyMap<string, Use>;
  readonly topicBytes: number | undefined;
  readonly databaseBytes: number;
  readonly walBytes: number;
  /** Committed or rolled back, the database's own among them. */
  readonly transactions: number;
  /** By login, without the benchmark's own; undefined where the server does not count. */
  readonly asked: ReadonlyMap<string, Asked> | undefined;
}

const transactionCount = `SELECT (xact_commit + xact_rollback)::text AS count FROM pg_stat_database WHERE datname = current_database()`;
/** BEGIN and COMMIT are counted, since each is sent. */
const statementCounts = `SELECT r.rolname AS login, sum(s.calls)::text AS statements,
    sum(s.calls) FILTER (WHERE s.query = 'COMMIT')::text AS commits
  FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid
  WHERE r.rolname <> current_user GROUP BY 1 ORDER BY 1`;

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
  const at = performance.now();
  const [row] = await query<{ size: string; wal: string }>(databaseUse);
  const [counted] = await query<{ count: string }>(transactionCount);
  return {
    at,
    processes,
    topicBytes: logBytes(join(home, 'kafka/data'), (file) => file.includes('.v1-')),
    databaseBytes: Number(row?.size),
    walBytes: Number(row?.wal),
    transactions: Number(counted?.count),
    asked: system.countsStatements ? await statementsBy(query) : undefined,
  };
}

async function statementsBy(query: System['query']): Promise<ReadonlyMap<string, Asked>> {
  const rows = await query<{ login: string; statements: string; commits: string | null }>(statementCounts);
  return new Map(
    rows.map(({ login, statements, commits }) => [
      login,
      { statements: Number(statements), commits: Number(commits ?? 0) },
    ]),
  );
}
