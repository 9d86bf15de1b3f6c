import { randomUUID } from 'node:crypto';
import { fitsJsonb, readEvent, type Topic, topicNamed } from '@countersign/contracts';
import type { Admin, Kafka } from 'kafkajs';
import type { Database } from './database.js';
import type { Recovery, Said, Tx } from './door.js';
import type { RawRecord } from './entries.js';
import { describe } from './failures.js';
import type { Limits } from './limits.js';
import { readToEnds, whenLed } from './read-ends.js';
import { positionsWithin } from './state.js';

type Log = { log(message: string): void; warn(message: string): void; error(message: string): void };

interface RecoveryOf {
  readonly kafka: Kafka;
  readonly admin: Admin;
  readonly db: Database;
  /** The name of the service and of its group. */
  readonly service: string;
  /** What it handles. */
  readonly topics: readonly Topic[];
  /** Where a partition began when its topic was first seen: nothing before it is missed. */
  readonly startOf: (topic: string, partition: number) => number;
  /** What it alone publishes, without state: that has a read-back of its own. */
  readonly own: readonly Topic[];
  readonly limits: Limits;
  readonly now: () => string;
  readonly recovery: Recovery | undefined;
  readonly log: Log;
}

/** A partition whose tables are behind what its group has handled. */
interface Behind {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly committed: number;
  readonly end: number;
}

/**
 * Notices, before any work is done, that the tables are older than what the group has handled: the database was put back from a
 * copy, or made anew. Then it reads what the service had published since, so that what is handled again is not said otherwise, and
 * lets the service take it over. Repeated by a start that comes after a crash, and harmless in two instances at once.
 */
export async function recover(is: RecoveryOf): Promise<void> {
  const { behind, sure } = await whenLed(is.limits, () => compared(is));
  if (behind.length === 0) return;
  const found = await readSaid(is);
  if (sure === 0 && found === 0) return;
  for (const { topic, partition, from, committed: at } of behind)
    is.log.log(`${topic}/${partition}: the tables end at ${from}, the group's offset is ${at < 0 ? 'gone' : at}`);
  await is.db.transaction(async (tx) => {
    await tx.query(`SELECT pg_advisory_xact_lock(hashtext('countersign recovery'), hashtext(current_schema()))`);
    await takeOver(tx, is.recovery, is.now());
    // All that is on the topics now may have been handled: offsets are committed a second late.
    await tx.query(
      `INSERT INTO work_positions (topic, partition, next_offset, again_until)
       SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[]) AS n(topic, partition, next_offset, again_until)
       ORDER BY topic, partition
       ON CONFLICT (topic, partition) DO UPDATE SET again_until = greatest(work_positions.again_until, excluded.again_until)`,
      [behind.map((b) => b.topic), behind.map((b) => b.partition), behind.map((b) => b.from), behind.map((b) => b.end)],
    );
  });
  is.log.warn(
    `the database is older than what was handled: ${behind.length} partitions are handled again from where its tables end; ` +
      `${found} events that were published since stand as they are`,
  );
}

/** Lets the service take over what it had published. */
export async function takeOver(tx: Tx, recovery: Recovery | undefined, at: string): Promise<void> {
  if (!recovery) return;
  const said = await tx.query<Said>('SELECT id, topic, type, data FROM said ORDER BY at, topic, partition, "offset"');
  await recovery.recover({ tx, at, said });
}

/** Partitions of which more was handled than the tables know; `sure` counts those of which the group says so. */
async function compared(is: RecoveryOf): Promise<{ readonly behind: readonly Behind[]; readonly sure: number }> {
  // In this order: another instance writes its tables before it commits, so that tables >= offsets holds at any time.
  const committed = await is.admin.fetchOffsets({ groupId: is.service, topics: is.topics.map(({ name }) => name) });
  const positions = await positionsWithin(is, 'work_positions');
  const behind: Behind[] = [];
  let sure = 0;
  for (const { topic, partitions } of committed) {
    const ends = new Map((await is.admin.fetchTopicOffsets(topic)).map((end) => [end.partition, end]));
    for (const { partition, offset } of partitions) {
      const from = positions.get(`${topic}/${partition}`) ?? is.startOf(topic, partition);
      const high = Number(ends.get(partition)?.high ?? 0);
      const low = Number(ends.get(partition)?.low ?? 0);
      // Offsets beyond the end are of another topic of this name.
      if (Number(offset) > from && Number(offset) <= high) sure++;
      // A group that was not there for a week is forgotten: whether its service had handled anything, only its topics can tell.
      else if (Number(offset) >= 0 || high <= Math.max(from, low)) continue;
      behind.push({ topic, partition, from, committed: Number(offset), end: high });
    }
  }
  return { behind, sure };
}

/** Reads what the service had published since its tables end into `said`; returns how many events that were. */
async function readSaid({ kafka, admin, db, service, own, limits, now, log }: RecoveryOf): Promise<number> {
  const [last] = await db.read<{ at: Date | null }>('SELECT max(at) AS at FROM inbox');
  // An hour for clocks that differ, and for what was handled before and published later.
  const since = last?.at ? last.at.getTime() - 3_600_000 : 0;
  const from = new Map<string, string>();
  for (const { name } of own)
    for (const { partition, offset } of await whenLed(limits, () => admin.fetchTopicOffsetsByTimestamp(name, since)))
      from.set(`${name}/${partition}`, offset);
  let count = 0;
  await readToEnds({
    ...{ kafka, admin, limits, log, from },
    groupId: `${service}.said.${randomUUID()}`,
    topics: own.map(({ name }) => name),
    take: async (name, records) => {
      count += await keep(db, topicNamed(name, own), records, now(), log);
    },
  });
  return count;
}

async function keep(db: Database, topic: Topic, records: readonly RawRecord[], at: string, log: Log): Promise<number> {
  const events = records.flatMap((record) => {
    const read = readEvent(topic, record);
    const data = read.ok ? JSON.stringify(read.event.data) : '';
    if (read.ok && fitsJsonb(data)) return [{ record, event: read.event, data }];
    const why = read.ok ? 'characters that the database cannot hold' : describe(new Error(read.fault.says)).says;
    log.warn(`${topic.name}/${record.partition}/${record.offset}: not taken for what was published: ${why}`);
    return [];
  });
  await db.read(
    `INSERT INTO said (id, topic, partition, "offset", type, subject, data, at, read_at)
     SELECT id, $1, partition, "offset", type, subject, data::jsonb, at, $9
     FROM unnest($2::text[], $3::int[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::timestamptz[])
       AS n(id, partition, "offset", type, subject, data, at)
     ORDER BY id ON CONFLICT DO NOTHING`,
    [
      topic.name,
      events.map(({ event }) => event.id),
      events.map(({ record }) => record.partition),
      events.map(({ record }) => record.offset),
      events.map(({ event }) => event.type),
      events.map(({ event }) => event.subject ?? null),
      events.map(({ data }) => data),
      events.map(({ event }) => event.time),
      at,
    ],
  );
  return events.length;
}
