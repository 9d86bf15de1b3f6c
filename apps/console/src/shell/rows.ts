import { roundsBy } from '@countersign/contracts';
import type { Tx } from '@countersign/runtime';

/** Inserts all rows in one statement; without rows there is no statement. */
export function insert<T>(
  tx: Tx,
  rows: readonly T[],
  to: { sql: string; columns: readonly ((row: T) => string | number | boolean | null)[] },
): void {
  if (rows.length === 0) return;
  tx.write(
    to.sql,
    to.columns.map((column) => rows.map(column)),
  );
}

/** Splits the rows into rounds, ordered by key, with each key once per round. Rows of one key keep their order. */
export const orderedRounds = <T>(rows: readonly T[], keyOf: (row: T) => string): T[][] =>
  roundsBy(
    [...rows].sort((a, b) => compared(keyOf(a), keyOf(b))),
    keyOf,
  );

export const compared = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The last of each key, ordered by key: one statement may not touch a row twice. */
export function lastBy<K extends string, T extends { readonly [key in K]: string }>(rows: readonly T[], key: K): T[] {
  const last = new Map(rows.map((row) => [row[key] as string, row]));
  return [...last].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}
