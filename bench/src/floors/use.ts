import pg from 'pg';
import type { Figure } from '../figure.js';
import { canLook, databaseUse, isProgram, logBytes, ofFamily, ofProcess, type Use } from '../processes.js';
import type { Servers } from '../servers.js';

const mega = 1024 * 1024;

/** What hops and servers have used up to a moment; plain hops use no database. */
interface Used {
  readonly hops: readonly Use[];
  readonly kafka?: Use;
  readonly postgres?: Use;
  readonly topics?: number | undefined;
  readonly database: number;
  readonly wal: number;
}

async function used(
  floor: 'f1' | 'f2',
  { brokerProcess, brokerData, databaseProcess, database }: Servers,
  pids: readonly number[],
): Promise<Used> {
  const client = new pg.Client({ connectionString: database });
  await client.connect();
  const { rows } = await client.query<{ size: string; wal: string }>(databaseUse).finally(() => client.end());
  return {
    hops: canLook ? pids.map(ofProcess) : [],
    ...(canLook && isProgram(brokerProcess, 'java') && { kafka: ofProcess(brokerProcess) }),
    ...(canLook && floor === 'f2' && isProgram(databaseProcess, 'postgres') && { postgres: ofFamily(databaseProcess) }),
    topics: logBytes(brokerData, (file) => !file.includes('__')),
    database: Number(rows[0]?.size),
    wal: Number(rows[0]?.wal),
  };
}

/** What the hops `pids`, the broker and the database use for each of `count` events that `work` sends through. */
export async function useOf<T>(
  floor: 'f1' | 'f2',
  servers: Servers,
  pids: readonly number[],
  count: number,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly figures: readonly Figure[] }> {
  const before = await used(floor, servers, pids);
  const result = await work();
  const after = await used(floor, servers, pids);
  const figures: Figure[] = [];
  const each = (id: string, what: string, unit: string, from: number | undefined, to: number | undefined): void => {
    if (from !== undefined && to !== undefined)
      figures.push({ id: `${floor}.${id}`, what: `${what} per event`, value: (to - from) / count, unit });
  };
  const sum = (uses: readonly Use[]) => (uses.length > 0 ? uses.reduce((ms, { cpuMs }) => ms + cpuMs, 0) : undefined);
  each('cpu', 'processor time of the hops', 'CPU-ms', sum(before.hops), sum(after.hops));
  each('cpu.kafka', 'processor time of kafka', 'CPU-ms', before.kafka?.cpuMs, after.kafka?.cpuMs);
  each('cpu.postgres', 'processor time of postgres', 'CPU-ms', before.postgres?.cpuMs, after.postgres?.cpuMs);
  each('bytes.topics', 'bytes on topics', 'B', before.topics, after.topics);
  if (floor === 'f2') {
    each('bytes.database', 'bytes of the database', 'B', before.database, after.database);
    each('bytes.wal', "bytes of the database's log", 'B', before.wal, after.wal);
  }
  const holds: readonly (readonly [string, string, number | undefined])[] = [
    [
      'memory',
      'the largest hop',
      after.hops.length > 0 ? Math.max(...after.hops.map((hop) => hop.rssBytes)) : undefined,
    ],
    ['memory.kafka', 'kafka', after.kafka?.rssBytes],
    ['memory.postgres', 'postgres', after.postgres?.rssBytes],
  ];
  for (const [id, program, bytes] of holds)
    if (bytes !== undefined)
      figures.push({ id: `${floor}.${id}`, what: `memory of ${program} at the end`, value: bytes / mega, unit: 'MB' });
  return { result, figures };
}
