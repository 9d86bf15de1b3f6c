import { randomUUID } from 'node:crypto';
import { fitsJsonb, readEvent, type Topic, topicNamed } from '@countersign/contracts';
import type { Admin, Kafka } from '@countersign/kafka';
import type { Limits } from '../api/limits.js';
import type { PublishedEvent, Recovery, Tx } from '../api/runtime.js';
import type { Database } from '../database/database.js';
import { takeTurn } from '../database/turns.js';
import { describe } from '../failures.js';
import type { RawRecord } from '../kafka/entries.js';
import { readToEnds, whenLed } from '../kafka/read-ends.js';
import { positionsWithin } from '../state/state.js';

type Log = { log(message: string): void; warn(message: string): void; error(message: string): void };

interface RecoveryOf {
  readonly kafka: Kafka;
  readonly admin: Admin;
  readonly db: Database;
  /** The name of the service and of its group. */
  readonly service: string;
  /** The topics that it handles. */
  readonly topics: readonly Topic[];
  /** Where a partition began when its topic was first seen: earlier records do not count as lost. */
  readonly startOf: (topic: string, partition: number) => number;
  /** The topics that only this service publishes, without state topics, which `OwnState` reads back. */
  readonly own: readonly Topic[];
  readonly limits: Limits;
  readonly now: () => string;
  readonly recovery: Recovery | undefined;
  readonly log: Log;
}

/** How far the tables have handled a partition, which offset its group has committed, and where it ends. */
interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly committed: number;
  readonly end: number;
}

/**
 * Notices, before any work, that the tables are older than the work of the service: the database was restored from a copy, or
 * made anew. Then it reads the events that the service published since. So events that are handled again do not get other
 * outputs, and the service can take the published events over. A start after a crash repeats this. Two instances may do it at
 * once.
 */
export async function recover(deps: RecoveryOf): Promise<void> {
  const places = await whenLed(deps.limits, () => compared(deps));
  // An offset beyond the end belongs to another topic of this name.
  const ahead = places.filter(({ from, committed, end }) => committed > from && committed <= end);
  if (ahead.length === 0 && !(await publishedLater(deps))) return;
  const found = await readPublished(deps);
  for (const { topic, partition, from, committed: at } of ahead)
    deps.log.log(`${topic}/${partition}: the tables end at ${from}, the group's offset is ${at}`);
  await deps.db.transaction(async (tx) => {
    await takeTurn(tx, 'recovery');
    await takeOver(tx, deps.recovery, deps.now());
    // On every partition, all records that are on the topics now may have been handled: offsets are committed a second late, and
    // jobs of known events may have been done.
    await tx.query(
      `INSERT INTO work_positions (topic, partition, next_offset, again_until)
       SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[]) AS n(topic, partition, next_offset, again_until)
       ORDER BY topic, partition
       ON CONFLICT (topic, partition) DO UPDATE SET again_until = greatest(work_positions.again_until, excluded.again_until)`,
      [places.map((p) => p.topic), places.map((p) => p.partition), places.map((p) => p.from), places.map((p) => p.end)],
    );
  });
  deps.log.warn(
    `the database is older than what was handled: ${ahead.length} partitions are handled again from where its tables end; ` +
      `${found} events that were published since stand as they are`,
  );
}

/** Lets the service take over the events that it had published. */
export async function takeOver(tx: Tx, recovery: Recovery | undefined, at: string): Promise<void> {
  if (!recovery) return;
  const published = await tx.query<PublishedEvent>(
    'SELECT id, topic, type, data FROM own_events ORDER BY at, topic, partition, "offset"',
  );
  await recovery.recover({ tx, at, published });
}

async function compared(deps: RecoveryOf): Promise<readonly Place[]> {
  // The order matters. Another instance writes its tables before it commits its offsets, so the tables are never behind the
  // offsets.
  const committed = await deps.admin.fetchOffsets({
    groupId: deps.service,
    topics: deps.topics.map(({ name }) => name),
  });
  const positions = await positionsWithin(deps, 'work_positions');
  const places: Place[] = [];
  for (const { topic, partitions } of committed) {
    const ends = new Map((await deps.admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, high]));
    for (const { partition, offset } of partitions) {
      const from = positions.get(`${topic}/${partition}`) ?? deps.startOf(topic, partition);
      places.push({ topic, partition, from, committed: Number(offset), end: Number(ends.get(partition) ?? 0) });
    }
  }
  return places;
}

/** The time of the last work that the tables know; 0 if they know none. */
async function lastWork({ db }: RecoveryOf): Promise<number> {
  // One topic at a time, because the inbox has no index on the time alone.
  const [last] = await db.read<{ at: Date | null }>(
    `WITH RECURSIVE t AS (
       SELECT min(topic) AS topic FROM inbox
       UNION ALL SELECT (SELECT min(i.topic) FROM inbox i WHERE i.topic > t.topic) FROM t WHERE t.topic IS NOT NULL
     )
     SELECT greatest((SELECT max((SELECT max(i.at) FROM inbox i WHERE i.topic = t.topic)) FROM t),
                     (SELECT max(result_at) FROM jobs), (SELECT max(at) FROM jobs_published)) AS at`,
  );
  return last?.at?.getTime() ?? 0;
}

/**
 * Whether the service has published an event that is later than the last work in its tables. Work is committed before it is
 * published, so such an event shows lost rows. Nothing else shows jobs that were done after the copy, or a group whose offsets
 * the broker has forgotten.
 */
async function publishedLater(deps: RecoveryOf): Promise<boolean> {
  let latest = 0;
  // A minute, in case the broker's clock is behind.
  await readOwn(deps, (await lastWork(deps)) - 60_000, async (topic, records) => {
    for (const record of records) {
      const read = readEvent(topic, record);
      if (read.ok) latest = Math.max(latest, Date.parse(read.event.time));
    }
  });
  // Events that another instance published meanwhile are in the tables now.
  return latest > (await lastWork(deps));
}

/** Reads the events that the service published after its tables end into `own_events`. Returns their number. */
async function readPublished(deps: RecoveryOf): Promise<number> {
  let count = 0;
  // An hour, for clocks that differ and for events that were published long after they were handled.
  await readOwn(deps, (await lastWork(deps)) - 3_600_000, async (topic, records) => {
    count += await store(deps.db, topic, records, deps.now(), deps.log);
  });
  return count;
}

/** Hands over the service's published records from a time on. */
async function readOwn(
  { kafka, admin, service, own, limits, log }: RecoveryOf,
  since: number,
  take: (topic: Topic, records: readonly RawRecord[]) => Promise<void>,
): Promise<void> {
  const from = new Map<string, string>();
  for (const { name } of own)
    for (const { partition, offset } of await whenLed(limits, () =>
      admin.fetchTopicOffsetsByTimestamp(name, Math.max(0, since)),
    ))
      from.set(`${name}/${partition}`, offset);
  await readToEnds({
    ...{ kafka, admin, limits, log, from },
    groupId: `${service}.said.${randomUUID()}`,
    topics: own.map(({ name }) => name),
    take: (name, records) => take(topicNamed(name, own), records),
  });
}

async function store(db: Database, topic: Topic, records: readonly RawRecord[], at: string, log: Log): Promise<number> {
  const events = records.flatMap((record) => {
    const read = readEvent(topic, record);
    const data = read.ok ? JSON.stringify(read.event.data) : '';
    if (read.ok && fitsJsonb(data)) return [{ record, event: read.event, data }];
    const reason = read.ok ? 'characters that the database cannot hold' : describe(new Error(read.fault.detail)).detail;
    log.warn(`${topic.name}/${record.partition}/${record.offset}: not taken for what was published: ${reason}`);
    return [];
  });
  await db.read(
    `INSERT INTO own_events (id, topic, partition, "offset", type, subject, data, at, read_at)
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
