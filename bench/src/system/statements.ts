import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from '../figure.js';
import type { Query } from './installation.js';

/** What one login's statement has cost up to a moment. */
export interface Counted {
  readonly login: string;
  readonly id: string;
  readonly text: string;
  readonly calls: number;
  readonly plans: number;
  readonly planMs: number;
  readonly runMs: number;
  readonly walBytes: number;
}

const counters = `SELECT r.rolname AS login, s.queryid::text AS id, s.query AS text, s.calls::float8 AS calls,
    s.plans::float8 AS plans, s.total_plan_time AS "planMs", s.total_exec_time AS "runMs", s.wal_bytes::float8 AS "walBytes"
  FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid WHERE r.rolname <> current_user`;

/** The folder in BENCH_STATEMENTS. Without it, nothing is listed, and the server does not count plans. */
export const statementsFolder = process.env.BENCH_STATEMENTS || undefined;

/** Writes what the database did while something was measured, one line a statement and login, the dearest first. */
export function statementListerOf(query: Query, bench: Bench) {
  const dir = statementsFolder;
  return async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    if (dir === undefined) return work();
    const { result, rows } = await statementsDuring(query, work);
    const lines = rows.map(({ login, calls, plans, planMs, runMs, walBytes, text }) =>
      [login, calls, plans, planMs.toFixed(2), runMs.toFixed(2), walBytes, text.replace(/\s+/g, ' ')].join('\t'),
    );
    mkdirSync(dir, { recursive: true });
    const file = join(dir, `statements-${what}.tsv`);
    writeFileSync(file, ['login\tcalls\tplans\tplan ms\trun ms\tlog bytes\tstatement', ...lines, ''].join('\n'));
    bench.log(`${file} is written`);
    return result;
  };
}

/** What the database did during `work`: one row for each statement and login, the dearest first. */
export async function statementsDuring<T>(
  query: Query,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly rows: readonly Counted[] }> {
  const before = new Map((await query<Counted>(counters)).map((row) => [`${row.login} ${row.id}`, row]));
  const result = await work();
  const rows = (await query<Counted>(counters))
    .map((row) => since(row, before.get(`${row.login} ${row.id}`)))
    .filter(({ calls }) => calls > 0)
    .sort((a, b) => b.planMs + b.runMs - a.planMs - a.runMs);
  return { result, rows };
}

const since = (row: Counted, before: Counted | undefined): Counted =>
  before
    ? {
        ...row,
        calls: row.calls - before.calls,
        plans: row.plans - before.plans,
        planMs: row.planMs - before.planMs,
        runMs: row.runMs - before.runMs,
        walBytes: row.walBytes - before.walBytes,
      }
    : row;
