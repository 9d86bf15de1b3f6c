import { statfsSync } from 'node:fs';
import pg from 'pg';
import type { Query, System } from './installation.js';

/** A table of a service, with its indexes and its large values. */
export interface TableSize {
  readonly schema: string;
  readonly table: string;
  readonly bytes: number;
  /** Undefined if they were not counted. */
  readonly rows: number | undefined;
}

const sizes = `SELECT n.nspname AS schema, c.relname AS "table", pg_total_relation_size(c.oid)::float8 AS bytes
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname NOT IN ('information_schema', 'public') ORDER BY 1, 2`;

/**
 * The tables of all services. `counted`: also with their rows, which takes a second for each ten million. The database's own
 * estimate would be cheaper, but it is lost when the database is killed.
 */
export async function tableSizes(query: Query, counted: boolean): Promise<TableSize[]> {
  const found: TableSize[] = [];
  for (const { schema, table, bytes } of await query<Omit<TableSize, 'rows'>>(sizes)) {
    const name = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`;
    const [row] = counted ? await query<{ rows: number }>(`SELECT count(*)::float8 AS rows FROM ${name}`) : [];
    found.push({ schema, table, bytes, rows: row?.rows });
  }
  return found;
}

/** The sums of each schema, by its name. */
export function bySchema(tables: readonly TableSize[]): Map<string, Pick<TableSize, 'bytes' | 'rows'>> {
  const sums = new Map<string, Pick<TableSize, 'bytes' | 'rows'>>();
  for (const { schema, bytes, rows } of tables) {
    const sum = sums.get(schema) ?? { bytes: 0, rows: 0 };
    const total = rows === undefined || sum.rows === undefined ? undefined : sum.rows + rows;
    sums.set(schema, { bytes: sum.bytes + bytes, rows: total });
  }
  return sums;
}

/** For what is not counted here: the database's log, and what else uses the disk. */
const spareBytes = 8 * 2 ** 30;

/** Throws if topics and tables may not grow by this much on the disks that they are on. */
export async function assertRoom({ home, query }: System, bytes: number): Promise<void> {
  const [row] = await query<{ data_directory: string }>('SHOW data_directory');
  for (const folder of [home, row?.data_directory ?? home]) {
    const free = freeBytes(folder);
    if (free !== undefined && free < bytes + spareBytes)
      throw new Error(
        `it needs ${gigabytes(bytes + spareBytes)} of disk, and ${folder} has ${gigabytes(free)}: free some, or do less`,
      );
  }
}

/** Undefined if the folder is not of this machine, as with a database in Docker. */
function freeBytes(folder: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(0)} GB`;
