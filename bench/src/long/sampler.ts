import { percentile } from '../percentile.js';
import { ofEndedChildren } from '../processes.js';
import { servers } from '../system/costs.js';
import type { System } from '../system/installation.js';
import { bySchema, tableSizes } from '../system/tables.js';
import { usage } from '../system/usage.js';
import type { Settlements } from './settlements.js';
import type { Reading, Sample } from './thirds.js';

/** Reads everything that is sampled. `counted`: the rows of the tables too. */
export function samplerOf(system: System, settlements: Settlements): (counted: boolean) => Promise<Sample> {
  const spent = new Map<string, { readonly seen: number; readonly total: number }>();
  /** A process that was started again counts from zero. What the killed one used since the last sample is only in the sum of all. */
  const spentBy = (name: string, cpuMs: number): number => {
    const { seen, total } = spent.get(name) ?? { seen: cpuMs, total: 0 };
    const now = total + (cpuMs >= seen ? cpuMs - seen : cpuMs);
    spent.set(name, { seen: cpuMs, total: now });
    return now;
  };
  const read = async (counted: boolean) => ({
    used: await usage(system),
    tables: await tableSizes(system.query, counted),
  });

  return async (counted) => {
    // The database may be away at this moment.
    const { used, tables } = await system.until('the database to answer', () => read(counted).catch(() => undefined), {
      everyMs: 500,
    });
    await settlements.collect();
    const took = settlements.latencies();
    const processes = [...used.processes];
    const readings: Reading[] = [];
    const add = (per: Reading['per'], id: string, what: string, unit: string, value: number | undefined): void => {
      if (value !== undefined) readings.push({ id, what, unit, value, per });
    };
    if (took.length > 0) {
      add('moment', 'p50', 'signal to settlement, median', 'ms', percentile(took, 50));
      add('moment', 'p99', 'signal to settlement, 99th percentile', 'ms', percentile(took, 99));
    }
    const ofServices = processes.filter(([name]) => !servers.includes(name));
    const sum = (some: typeof processes, pick: (use: (typeof processes)[number][1]) => number): number =>
      some.reduce((total, [, use]) => total + pick(use), 0);
    const mega = 2 ** 20;
    if (processes.length > 0) {
      const all = sum(processes, ({ cpuMs }) => cpuMs) + ofEndedChildren(process.pid);
      add('action', 'cpu', 'processor time of everything', 'CPU-ms', all);
      add('moment', 'memory', 'memory of all services', 'MB', sum(ofServices, ({ rssBytes }) => rssBytes) / mega);
    }
    for (const [name, { cpuMs, rssBytes }] of processes) {
      add('action', `cpu.${name}`, `processor time of ${name}`, 'CPU-ms', spentBy(name, cpuMs));
      add('moment', `memory.${name}`, `memory of ${name}`, 'MB', rssBytes / mega);
    }
    add('action', 'bytes.topics', 'bytes on topics', 'B', used.topicBytes);
    add('action', 'bytes.database', 'bytes of the database', 'B', used.databaseBytes);
    add('action', 'bytes.wal', "bytes of the database's log", 'B', used.walBytes);
    for (const [schema, { bytes, rows }] of bySchema(tables)) {
      add('action', `bytes.${schema}`, `bytes of the tables of ${schema}`, 'B', bytes);
      add('action', `rows.${schema}`, `rows of the tables of ${schema}`, '', rows);
    }
    for (const { schema, table, bytes } of tables)
      add('action', `bytes.${schema}.${table}`, `bytes of the table ${table} of ${schema}`, 'B', bytes);
    return { at: used.at, settled: settlements.settled(), readings };
  };
}
