import { randomUUID } from 'node:crypto';
import { type EventType, fitsJsonb, readEvent, type Topic } from '@countersign/contracts';
import type { Admin, Kafka, TopicFacts } from '@countersign/kafka';
import { attributes as a, count } from '@countersign/telemetry';
import { type Ago, ago } from '../api/ago.js';
import type { Limits } from '../api/limits.js';
import type { LookedUp, Reader, StateRow, Tx } from '../api/runtime.js';
import type { Database } from '../database/database.js';
import { describe } from '../failures.js';
import { together } from '../inbox/together.js';
import { consume } from '../kafka/consumer.js';
import type { RunningConsumer } from '../kafka/consumer-options.js';
import { nextOf, type RawRecord } from '../kafka/entries.js';
import { whenLed } from '../kafka/read-ends.js';
import type { TopicWatch } from '../kafka/topic-watch.js';
import { fitsText } from '../text.js';
import { News } from './news.js';

/** Records of a state topic that are not state: how many, and why the last one is not. */
export interface Ignored {
  readonly records: number;
  readonly last: string;
}

type Log = { log(message: string): void; warn(message: string): void; error(message: string): void };

/**
 * Writes records of a state topic to the table. The highest version of each key wins, and an older one is ignored. A record that
 * cannot be read or stored is ignored, with a line in the log: if reading stopped there, every later stop and withdrawal would be
 * missed. It is one statement, so the rows and the positions are one transaction. If the topic no longer has the id `topicId`,
 * the positions stay. Events of a log topic become rows as `lookedUp` says. Resolves to the ignored records: their places and
 * reasons.
 */
export async function applyState(
  db: Pick<Database, 'read'>,
  topic: Topic,
  records: readonly RawRecord[],
  at: string,
  log: Log,
  { topicId, lookedUp }: { readonly topicId?: string | undefined; readonly lookedUp?: LookedUp | undefined } = {},
): Promise<readonly string[]> {
  const newest = new Map<string, { version: number; json: string }>();
  const next = new Map<number, bigint>();
  const ignored: string[] = [];
  const ignore = ({ partition, offset }: RawRecord, code: string, detail: string): void => {
    ignored.push(`${partition}/${offset}: ${code} ${detail}`);
    count('countersign.state.ignored', 1, { [a.destination]: topic.name, [a.reason]: code });
    log.error(`${topic.name} ${partition}/${offset} ignored: ${code} ${detail}`);
  };
  for (const record of records) {
    next.set(record.partition, BigInt(nextOf(record)));
    const read = readEvent(topic, record);
    if (!read.ok) {
      ignore(record, read.fault.code, read.fault.detail);
      continue;
    }
    const data = read.event.data as never;
    const key = lookedUp ? lookedUp.key(data) : (record.key?.toString() ?? '');
    const version = lookedUp ? 1 : (data as { version: number }).version;
    const json = JSON.stringify(lookedUp ? lookedUp.value(data) : data);
    if (!fitsText(key) || !fitsJsonb(json)) {
      ignore(record, 'characters', 'characters that the database cannot hold');
      continue;
    }
    if ((newest.get(key)?.version ?? 0) < version) newest.set(key, { version, json });
  }
  const rows = [...newest].sort(([a], [b]) => (a < b ? -1 : 1));
  const places = [...next].sort(([a], [b]) => a - b);
  await db.read(
    `WITH written AS (
       INSERT INTO state_rows (topic, key, version, data, read_at)
       SELECT $1, key, version, data::jsonb, $5 FROM unnest($2::text[], $3::bigint[], $4::text[]) AS n(key, version, data)
       ON CONFLICT (topic, key) DO UPDATE SET version = excluded.version, data = excluded.data, read_at = excluded.read_at
       WHERE state_rows.version < excluded.version
     ), known AS (SELECT 1 FROM topic_ids WHERE topic = $1 AND id = $8::text FOR SHARE)
     INSERT INTO state_positions (topic, partition, next_offset)
     SELECT $1, partition, next_offset FROM unnest($6::int[], $7::bigint[]) AS n(partition, next_offset)
     WHERE $8::text IS NULL OR EXISTS (SELECT FROM known)
     ON CONFLICT (topic, partition) DO UPDATE SET next_offset = greatest(state_positions.next_offset, excluded.next_offset)`,
    [
      topic.name,
      rows.map(([key]) => key),
      rows.map(([, row]) => row.version),
      rows.map(([, row]) => row.json),
      at,
      places.map(([partition]) => partition),
      places.map(([, offset]) => String(offset)),
      topicId ?? null,
    ],
  );
  return ignored;
}

/** Rows of a state topic. With `lock`, missing rows are made (version 0), and all are held FOR SHARE, in key order. */
export async function readState<T extends EventType>(
  tx: Reader,
  topic: string,
  keys: readonly string[],
  lock?: 'share',
  at?: string,
): Promise<Map<string, StateRow<T>>> {
  const wanted = [...new Set(keys)].sort();
  if (wanted.length === 0) return new Map();
  const read = () =>
    tx.query<{ key: string; version: number; data: StateRow<T>['data'] }>(
      `SELECT key, version, data FROM state_rows WHERE topic = $1 AND key = ANY($2) ORDER BY key${lock ? ' FOR SHARE' : ''}`,
      [topic, wanted],
    );
  let rows = await read();
  if (lock && rows.length < wanted.length) {
    await tx.query(
      `INSERT INTO state_rows (topic, key, version, read_at) SELECT $1, key, 0, $3 FROM unnest($2::text[]) AS key ORDER BY key ON CONFLICT DO NOTHING`,
      [topic, wanted, at ?? new Date(0).toISOString()],
    );
    rows = await read();
  }
  const found = new Map(rows.map(({ key, version, data }) => [key, { version, data }]));
  return new Map(wanted.map((key) => [key, found.get(key) ?? { version: 0, data: null }]));
}

/**
 * Deletes rows of looked-up events that were read before a time. The topic's name is part of the text, so that a service may have
 * an index on its rows alone.
 */
export function forgetLookedUp(
  tx: Pick<Tx, 'write'>,
  lookedUp: ReadonlyMap<string, LookedUp>,
  topic: string,
  before: string,
): void {
  if (!lookedUp.has(topic)) throw new Error(`${topic} is not looked up here: state is never deleted`);
  tx.write(`DELETE FROM state_rows WHERE topic = '${topic}' AND read_at < $1`, [before]);
}

/** State that was not compared for longer is reported. The gate has its own limit for decisions: `STATE_MAX_AGE_SECONDS`. */
const staleAfterMs = 10_000;

/** For each topic that was not compared for too long: the number of seconds. */
export const staleIn = (compared: Readonly<Record<string, Ago | null>>): Readonly<Record<string, number>> =>
  Object.fromEntries(
    Object.entries(compared).flatMap(([topic, since]) => {
      const ms = since?.() ?? 0;
      return ms > staleAfterMs ? [[topic, Math.round(ms / 1000)]] : [];
    }),
  );

const topicOf = (place: string): string => place.slice(0, place.lastIndexOf('/'));

export interface StateReader {
  /** How long ago each table was last found read to the end of its topic; null if never. */
  comparedAgo(): Readonly<Record<string, Ago | null>>;
  /** The ignored records since the start, by topic. A record that is read again counts again. */
  ignored(): Readonly<Record<string, Ignored>>;
  /** Resolves when every table has reached the end offsets of this moment. */
  caughtUp(): Promise<void>;
  /** Resolves when more state was read and written, at the latest after `ms`. */
  more(ms: number): Promise<void>;
  readonly consumer: RunningConsumer;
  stop(): Promise<void>;
}

/** A table of positions: of state, of stored records, of handled events. */
type Positions = 'state_positions' | 'record_positions' | 'work_positions';

/** How far the tables have been read to, by `topic/partition`. */
export async function readPositions(
  db: Database,
  table: Positions = 'state_positions',
): Promise<ReadonlyMap<string, number>> {
  const rows = await db.read<{ topic: string; partition: number; next_offset: number }>(
    `SELECT topic, partition, next_offset FROM ${table}`,
  );
  return new Map(rows.map((row) => [`${row.topic}/${row.partition}`, row.next_offset]));
}

interface PositionsOf {
  readonly admin: Admin;
  readonly db: Database;
  readonly topics: readonly Topic[];
  readonly limits: Limits;
}

/**
 * How far the tables have been read to. Throws if they are ahead of a topic that is still the same one: its broker has lost
 * records.
 */
export async function positionsWithin(deps: PositionsOf, table: Positions): Promise<ReadonlyMap<string, number>> {
  return whenLed(deps.limits, () => comparedWithEnds(deps, table));
}

async function comparedWithEnds(deps: PositionsOf, table: Positions) {
  // The order matters. Another instance may move both meanwhile, and the tables must not be found ahead of the ends.
  const positions = await readPositions(deps.db, table);
  for (const { name } of deps.topics) {
    for (const { partition, high } of await deps.admin.fetchTopicOffsets(name)) {
      const at = positions.get(`${name}/${partition}`) ?? 0;
      if (at > Number(high))
        throw new Error(
          `${name}/${partition} ends at ${high} but was read to ${at}, and it is still the same topic: the broker has lost records that it had acknowledged, or this database is of another cluster; see docs/sre.md, "Recovery cases"`,
        );
    }
  }
  return positions;
}

type Offsets = readonly (readonly [place: string, offset: number])[];

/**
 * Where each topic ends, or begins. All topics are asked for in one request. If it fails, each topic is asked for alone, so that a
 * topic without an answer holds up no other.
 */
async function offsetsOf(
  facts: Pick<TopicFacts, 'offsets'>,
  topics: readonly string[],
  which: 'first' | 'end',
  alone: (topic: string) => Promise<Offsets>,
): Promise<readonly PromiseSettledResult<Offsets>[]> {
  if (topics.length === 0) return [];
  try {
    const all = [...(await facts.offsets(topics, which))];
    return topics.map((topic) => ({
      status: 'fulfilled',
      value: all.filter(([place]) => topicOf(place) === topic),
    }));
  } catch {
    // The single requests show which topic is at fault.
    return Promise.allSettled(topics.map(alone));
  }
}

/** Whether a table that was read to `at` has everything before `end`. Between `from` and `next` there were no records for it. */
export const isReached = (
  end: number,
  at: number,
  passed?: { readonly from: number; readonly next: number },
): boolean => at >= end || (passed !== undefined && at >= passed.from && passed.next >= end);

/**
 * Follows state topics with a consumer of its own, so that a withdrawal never waits behind work, and compares the tables with the
 * ends of the topics. Each instance reads all state, in a group of its own. If instances shared a group, half of a service's
 * state, stops and withdrawals included, would stand still while the group waits for a dead instance. The tables say where it
 * goes on, not a group. So a new or restored database lacks nothing.
 */
export async function followState(deps: {
  kafka: Kafka;
  admin: Admin;
  facts: Pick<TopicFacts, 'offsets'>;
  db: Database;
  service: string;
  topics: readonly Topic[];
  /** Those of the topics that hold looked-up events, not state. */
  lookedUp: ReadonlyMap<string, LookedUp>;
  limits: Limits;
  now: () => string;
  log: Log;
  watch: TopicWatch;
  /** Called with the keys of a topic whose rows were written, and about once a second with no keys. */
  applied?: (topic: string, keys: readonly string[]) => void;
}): Promise<StateReader> {
  const compared: Record<string, Ago | null> = Object.fromEntries(deps.topics.map((t) => [t.name, null]));
  const positions = new Map(
    [...(await positionsWithin(deps, 'state_positions'))].map(([name, at]) => [name, String(at)]),
  );
  /** Behind the tables' positions: the offsets of each partition that were read and held no records for the tables. */
  const passed = new Map<string, { readonly from: number; readonly next: number }>();
  const news = new News();
  const ignored: Record<string, Ignored> = {};
  // Each topic is applied by itself: a stop does not wait for a locked row of another topic.
  const apply = new Map(
    deps.topics.map((topic) => {
      const handle = async (records: readonly RawRecord[]): Promise<void> => {
        const options = { topicId: deps.watch.of(topic.name)?.id, lookedUp: deps.lookedUp.get(topic.name) };
        const wrong = await applyState(deps.db, topic, records, deps.now(), deps.log, options);
        const last = wrong.at(-1);
        if (last !== undefined)
          ignored[topic.name] = { records: (ignored[topic.name]?.records ?? 0) + wrong.length, last };
        deps.applied?.(
          topic.name,
          records.flatMap(({ key }) => (key ? [key.toString()] : [])),
        );
        news.notify();
      };
      return [topic.name, together(handle, deps.limits.batchEvents)] as const;
    }),
  );
  const consumer = await consume({
    kafka: deps.kafka,
    groupId: `${deps.service}.state.${randomUUID()}`,
    topics: deps.topics.map((t) => t.name),
    limits: deps.limits,
    log: deps.log,
    rights: deps.watch,
    positionOf: (name, partition) => positions.get(`${name}/${partition}`),
    onJump: (place, from, to) => deps.watch.jumped(place, from, to),
    handle: async (name, partition, records) => {
      const id = deps.watch.of(name)?.id;
      await apply.get(name)?.(records);
      const last = records.at(-1);
      // If the topic was made again meanwhile, it is read from its beginning.
      if (last && id === deps.watch.of(name)?.id) positions.set(`${name}/${partition}`, nextOf(last));
      passed.delete(`${name}/${partition}`);
    },
    passed: (name, partition, _from, next) => {
      const place = `${name}/${partition}`;
      passed.set(place, { from: Number(positions.get(place) ?? 0), next: Number(next) });
    },
  });

  let stopped = false;
  let failures = 0;
  // Ends that were seen and are not reached yet. If state comes in all the time, the tables are always behind the newest ends.
  let seen: { readonly since: Ago; readonly topic: string; readonly ends: Offsets }[] = [];
  deps.watch.add({
    topics: deps.topics.map(({ name }) => name),
    whole: true,
    positions: async () => {
      const at = await readPositions(deps.db);
      const reached = [...passed].filter(([place, { from }]) => from === (at.get(place) ?? 0));
      return new Map([...at, ...reached.map(([place, { next }]) => [place, next] as const)]);
    },
    busy: consumer.busy,
    deleted: consumer.deleted,
    again: async (topics) => {
      for (const place of positions.keys()) if (topics.includes(topicOf(place))) positions.set(place, '0');
      for (const place of passed.keys()) if (topics.includes(topicOf(place))) passed.delete(place);
      for (const topic of topics) compared[topic] = null;
      seen = seen.filter(({ topic }) => !topics.includes(topic));
      consumer.restart();
    },
  });

  const compare = async (): Promise<void> => {
    const since = ago();
    // The ends come first: a table that is read to them has everything that was there when the comparison began.
    const names = deps.topics.map(({ name }) => name);
    const asked = await offsetsOf(deps.facts, names, 'end', async (topic) =>
      (await deps.admin.fetchTopicOffsets(topic)).map(
        ({ partition, high }) => [`${topic}/${partition}`, Number(high)] as const,
      ),
    );
    for (const [n, topic] of names.entries()) {
      const answer = asked[n];
      if (answer?.status === 'fulfilled') seen.push({ since, topic, ends: answer.value });
    }
    const positions = await readPositions(deps.db);
    const isOpen = ([place, end]: Offsets[number]) => !isReached(end, positions.get(place) ?? 0, passed.get(place));
    const open = seen.filter(({ ends }) => ends.some(isOpen)).map(({ topic }) => topic);
    // Deleted records cannot be read. If they were not read before, the topic watch reports a gap.
    // A topic whose beginning is not known counts as not deleted, so it stays open.
    const begun = await offsetsOf(deps.facts, [...new Set(open)], 'first', async (topic) => [
      ...(await deps.facts.offsets([topic], 'first')),
    ]);
    const starts = new Map(begun.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : [])));
    seen = seen.filter(({ since, topic, ends }) => {
      const reached = ends.every((end) => !isOpen(end) || (starts.get(end[0]) ?? 0) >= end[1]);
      if (reached) compared[topic] = since;
      return !reached;
    });
    // For a table that is far behind, the oldest ends are enough to know when it has reached them.
    if (seen.length > 100 * deps.topics.length) seen = seen.slice(0, 100 * deps.topics.length);
    // A topic whose end is not known stays uncompared, and holds up no other topic.
    const failed = asked.find((answer) => answer.status === 'rejected');
    if (failed) throw failed.reason;
  };
  let lastStale = '';
  /**
   * Logged once when a topic stands still, and once when it moves again: a broker that does not answer may cause no error for a
   * long time.
   */
  const logStale = (): void => {
    const stale = Object.keys(staleIn(compared)).join(', ');
    if (stale !== lastStale && stale !== '')
      deps.log.warn(`${stale}: not found read to the end for ${staleAfterMs / 1000} s; what rests on it waits`);
    if (stale === '' && lastStale !== '') deps.log.log(`${lastStale}: read to the end again`);
    lastStale = stale;
  };
  const loop = (async () => {
    while (!stopped) {
      try {
        await compare();
        failures = 0;
      } catch (error) {
        if (failures++ === 0) deps.log.warn(`state not compared: ${describe(error).detail}`);
      }
      logStale();
      for (const { name } of deps.topics) deps.applied?.(name, []);
      const pending = Object.values(compared).some((since) => since === null);
      await new Promise((resolve) => setTimeout(resolve, pending ? 100 : deps.limits.compareEveryMs));
    }
  })();
  return {
    comparedAgo: () => ({ ...compared }),
    ignored: () => ({ ...ignored }),
    caughtUp: async () => {
      for (let waited = 0; Object.values(compared).some((since) => since === null); waited += 50) {
        if (stopped) return;
        if (waited > 0 && waited % 10_000 === 0) {
          const open = Object.keys(compared).filter((name) => compared[name] === null);
          deps.log.warn(`still reading state: ${open.join(', ')}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    more: (ms) => news.next(ms),
    consumer,
    stop: async () => {
      stopped = true;
      await consumer.stop();
      await loop;
    },
  };
}
