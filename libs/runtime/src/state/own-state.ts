import { createHash, randomUUID } from 'node:crypto';
import { aboveForeign, fitsJsonb, highestVersionAt, readEvent, type Topic, topicNamed } from '@countersign/contracts';
import type { Admin, Kafka } from '@countersign/kafka';
import { attributes as a, count } from '@countersign/telemetry';
import type { Limits } from '../api/limits.js';
import type { StateOutput, Tx } from '../api/runtime.js';
import type { Database } from '../database/database.js';
import { consume } from '../kafka/consumer.js';
import { enough, type RunningConsumer } from '../kafka/consumer-options.js';
import { nextOf, type RawRecord, textHeaders } from '../kafka/entries.js';
import { readToEnds } from '../kafka/read-ends.js';
import type { TopicWatch } from '../kafka/topic-watch.js';
import { type Outgoing, storedAgain } from '../outbox/outgoing.js';
import type { Publish } from '../outbox/publisher.js';
import { type Bounds, UnitOfWork } from '../outbox/unit-of-work.js';
import { fitsText } from '../text.js';
import { type Content, type Mend, mend, type Shown, shownAfter } from './own-truth.js';

interface Row {
  readonly key: string;
  readonly version: number;
  readonly headers: string | null;
  readonly value: string | null;
  readonly changed_at: Date | null;
}

/** A record that its contract reads and the table can hold. */
interface PublishedRecord extends Content {
  readonly headers: string;
  readonly value: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** The value is the data alone, as this service writes it. */
  readonly plain: boolean;
}

/** What is done with a key, and whether it is because of a record that is not the writer's. */
interface Mended {
  readonly step: Mend<PublishedRecord>;
  readonly foreign: boolean;
}

/** One reading from the beginning to the end. */
interface Pass {
  /** The service works meanwhile, and has not begun with this. */
  readonly running: boolean;
  /** Versions of the keys that it mended, as they were before: what is above them was never in this database. */
  readonly before: Map<string, number>;
  /** Keys whose last record so far is older than the table. */
  readonly behind: Map<string, Set<string>>;
  /** How many keys were mended, by topic, and some of them. */
  readonly mended: Map<string, { count: number; keys: string[] }>;
}

const newPass = (running: boolean): Pass => ({ running, before: new Map(), behind: new Map(), mended: new Map() });

/** Keys that a line of the log names. */
const named = 5;

/**
 * What the writer of state topics does about them: its tables are the truth only as long as they hold all that it has published.
 * `catchUp` reads the topics from beginning to end, before anything may be written, and takes over what a database that was
 * restored or made anew lacks; `follow` reads on, and publishes again where compaction would keep an older record than the table has.
 */
export class OwnState {
  /** The highest version that each topic has shown of each key, as long as this process lives: a table may be put back under it. */
  private readonly shown = new Map<string, Map<string, Shown>>();
  /** The highest version of each key that this process published or found in the table, and its contents: what is known to be no foreign record. */
  private readonly mine = new Map<string, Map<string, { version: number; hashes: ReadonlySet<number> }>>();
  private readonly restored: Record<string, number> = {};
  private readonly ahead: Record<string, string> = {};

  constructor(
    private readonly deps: {
      readonly kafka: Kafka;
      readonly admin: Admin;
      readonly db: Database;
      readonly service: string;
      readonly topics: readonly Topic[];
      readonly limits: Limits;
      readonly bounds: Bounds;
      readonly now: () => string;
      readonly publish: Publish;
      readonly watch: Pick<TopicWatch, 'add' | 'unreadable' | 'lookAtRights'>;
      readonly log: { log(message: string): void; warn(message: string): void; error(message: string): void };
    },
  ) {
    for (const { name } of deps.topics) {
      this.shown.set(name, new Map());
      this.mine.set(name, new Map());
    }
  }

  /** Notes what this process publishes, so that it is known when it is read back and the table does not have it any more. */
  published(messages: readonly Outgoing[]): void {
    for (const { topic, key, value } of messages)
      if (this.mine.has(topic)) this.own(topic, key, versionOf(value), hashOf(value));
  }

  private own(name: string, key: string, version: number, hash: number): void {
    const mine = this.mine.get(name);
    const before = mine?.get(key);
    if (before && before.version > version) return;
    const same = before?.version === version ? before.hashes : new Set<number>();
    if (!same.has(hash)) mine?.set(key, { version, hashes: new Set([...same, hash]) });
  }

  /** Keys taken over at the start, by topic. Nothing is wrong any more: the operator sees that the database was an older one. */
  takenOver(): Readonly<Record<string, number>> {
    return this.restored;
  }

  /** Topics that turned out to be ahead of the database while the service ran, with the last such key: somebody has to look. */
  overtaken(): Readonly<Record<string, string>> {
    return this.ahead;
  }

  /** Reads to the ends of now and mends the tables. Resolves to where it stopped. Throws where it cannot be mended. */
  async catchUp(): Promise<ReadonlyMap<string, string>> {
    return this.readAll(this.deps.topics, newPass(false));
  }

  /** The same with records that a test gives: all that is on the topic, in its order. */
  async catchUpWith(name: string, records: readonly RawRecord[]): Promise<void> {
    const pass = newPass(false);
    await this.take(name, records, pass);
    await this.complete(name, pass);
  }

  /** Reads on from where `catchUp` stopped. */
  async follow(from: ReadonlyMap<string, string>): Promise<RunningConsumer> {
    const { kafka, service, topics, limits, log, watch } = this.deps;
    const positions = new Map(from);
    let generation = 0;
    const consumer = await consume({
      kafka,
      // Of its own: what was seen is known to the instance that saw it.
      groupId: `${service}.read-back.${randomUUID()}`,
      topics: topics.map(({ name }) => name),
      limits,
      // Gathers, so that a key that changes quickly is compared once with its last record, not with each.
      fetchWaitMs: 1_000,
      minBytes: enough(limits),
      log,
      rights: watch,
      positionOf: (name, partition) => positions.get(`${name}/${partition}`),
      handle: async (name, partition, records) => {
        const under = generation;
        await this.take(name, records);
        const last = records.at(-1);
        // Where one of them was made again meanwhile, they are read from their beginning.
        if (last && under === generation) positions.set(`${name}/${partition}`, nextOf(last));
      },
    });
    watch.add({
      topics: topics.map(({ name }) => name),
      positions: async () => consumer.positions(),
      busy: consumer.busy,
      deleted: consumer.deleted,
      again: async () => {
        generation++;
        for (const place of positions.keys()) positions.set(place, '0');
        consumer.restart();
      },
    });
    return consumer;
  }

  /** Publishes everything that the table has of a topic: whoever reads it from its beginning lacks nothing. */
  async publishAll(name: string): Promise<void> {
    const rows = await this.deps.db.read<{ key: string }>(
      'SELECT key FROM own_state WHERE topic = $1 AND value IS NOT NULL ORDER BY key',
      [name],
    );
    for (let from = 0; from < rows.length; from += this.deps.limits.batchEvents) {
      const keys = rows.slice(from, from + this.deps.limits.batchEvents).map(({ key }) => key);
      await this.again(name, keys, rows.length);
    }
  }

  private async readAll(topics: readonly Topic[], pass: Pass): Promise<ReadonlyMap<string, string>> {
    const { kafka, admin, service, limits, log } = this.deps;
    const reached = await readToEnds({
      kafka,
      admin,
      limits,
      groupId: `${service}.read-back.${randomUUID()}`,
      topics: topics.map(({ name }) => name),
      take: (name, records) => this.take(name, records, pass),
      log,
    });
    for (const { name } of topics) await this.complete(name, pass);
    return reached;
  }

  /** Reads a topic from its beginning while the service runs, for contents that were seen and are not kept. */
  private async readAgain(topic: Topic): Promise<void> {
    const seen = this.shown.get(topic.name) ?? new Map<string, Shown>();
    const fresh = new Map<string, Shown>();
    this.shown.set(topic.name, fresh);
    try {
      await this.readAll([topic], newPass(true));
    } finally {
      // What compaction took away counts all the same.
      for (const [key, shown] of seen) {
        const now = fresh.get(key);
        if (!now || now.version < shown.version || shown.hash === null) fresh.set(key, shown);
      }
    }
  }

  /** Compares records with the table. The table is read after them: what a healthy writer published is committed by then. */
  private async take(name: string, records: readonly RawRecord[], pass?: Pass, reread = false): Promise<void> {
    const topic = topicNamed(name, this.deps.topics);
    const byKey = Map.groupBy(
      records.filter(({ key }) => key && fitsText(key.toString())),
      ({ key }) => String(key),
    );
    if (byKey.size === 0) return;
    const keys = [...byKey.keys()].sort();
    const published = new Map(
      [...byKey].map(([key, all]) => [key, all.flatMap((record) => this.read(topic, record, key))]),
    );
    let rows = await this.rows(this.deps.db.read.bind(this.deps.db), name, keys);
    for (const [key, row] of rows)
      for (const { version, hash } of published.get(key) ?? [])
        if (version === row.version && hash === contentOf(row)?.hash) this.own(name, key, version, hash);
    const wrong = keys.filter(
      (key) => this.mendOf(name, key, rows.get(key), published.get(key) ?? [], pass).step.does !== 'nothing',
    );
    if (wrong.length > 0) {
      // The content of what was told is needed, and is no longer at hand.
      const lacking = wrong.some(
        (key) => (this.shown.get(name)?.get(key)?.at ?? 0) > latestOf(rows.get(key), published.get(key)),
      );
      if (lacking && !pass && !reread) {
        await this.readAgain(topic);
        return this.take(name, records, pass, true);
      }
      this.report(name, await this.mend(topic, wrong, published, pass), pass);
      rows = await this.rows(this.deps.db.read.bind(this.deps.db), name, keys);
    }
    const behind = keys.filter((key) => {
      const row = rows.get(key);
      return row && row.value !== null && isBehind(topic, { ...row, value: row.value }, byKey.get(key)?.at(-1));
    });
    if (!pass) return this.again(name, behind, byKey.size);
    const late = pass.behind.get(name) ?? new Set();
    pass.behind.set(name, late);
    for (const key of keys) late.delete(key);
    for (const key of behind) late.add(key);
  }

  /** What a record says; nothing where it cannot be read. Either way its version counts as told. */
  private read(topic: Topic, record: RawRecord, key: string): PublishedRecord[] {
    const value = record.value?.toString() ?? '';
    const versions = this.shown.get(topic.name) as Map<string, Shown>;
    const hash = hashOf(value);
    const read = readEvent(topic, record);
    if (!read.ok || !fitsJsonb(value) || !fitsJsonb(JSON.stringify(read.event.data))) {
      // Readers of another release may have understood it.
      const version = versionIn(value);
      const highest = record.timestamp === undefined ? version : highestVersionAt(Number(record.timestamp));
      // One that there cannot be at its time is no state for any reader.
      if (version <= highest && version > (versions.get(key)?.version ?? 0))
        versions.set(key, { version, at: 0, hash });
      return [];
    }
    const data = read.event.data as { version: number; changedAt: string };
    const content = { version: data.version, at: Date.parse(data.changedAt), hash };
    versions.set(key, shownAfter(versions.get(key), content));
    const headers = textHeaders(record);
    return [{ ...content, headers: JSON.stringify(headers), value, data, plain: headers.ce_id !== undefined }];
  }

  /**
   * What to do with a key, and whether somebody else wrote it. While the service runs, a record that this process neither published
   * nor ever found in the table is not the writer's: where the table has a content, that one stands. At a start nobody can tell such
   * a record from what an older copy of the database lacks.
   */
  private mendOf(
    name: string,
    key: string,
    row: Row | undefined,
    published: readonly PublishedRecord[],
    pass?: Pass,
  ): Mended {
    const table = contentOf(row);
    const version = row?.version ?? 0;
    const base = pass?.before.get(`${name}\u0000${key}`) ?? version;
    const others = published.filter((s) => s.version > base || (s.version === version && s.hash !== table?.hash));
    const shown = this.shown.get(name)?.get(key);
    if (!shown) return { step: { does: 'nothing' }, foreign: false };
    const mine = this.mine.get(name)?.get(key);
    const isMine = ({ version, hash }: { version: number; hash: number | null }): boolean =>
      mine !== undefined && (version < mine.version || (version === mine.version && mine.hashes.has(hash ?? NaN)));
    const running = pass?.running ?? true;
    const foreign =
      running && (others.some((s) => !isMine(s)) || (others.length === 0 && shown.version > version && !isMine(shown)));
    const rivals = running && table ? others.filter(isMine) : others;
    // A version that was kept free for a key that has no content yet.
    if (!table && rivals.length === 0 && version >= shown.version) return { step: { does: 'nothing' }, foreign };
    const step = mend(table, rivals, shown);
    const plain = step.does !== 'adopt' || step.content.plain;
    return { step: plain ? step : { does: 'raise', content: step.content, above: shown.version }, foreign };
  }

  /** Mends rows under their locks; another instance may have done so meanwhile. Returns what was done. */
  private mend(
    topic: Topic,
    keys: readonly string[],
    published: ReadonlyMap<string, readonly PublishedRecord[]>,
    pass: Pass | undefined,
  ): Promise<readonly (readonly [string, Mended])[]> {
    const { db, service, bounds, now } = this.deps;
    return db.transaction(async (tx) => {
      const unit = new UnitOfWork(service, now(), tx, bounds);
      await unit.ownState(topic, keys);
      const rows = await this.rows(tx.query.bind(tx), topic.name, keys);
      const steps = keys.map((key) => {
        const mended = this.mendOf(topic.name, key, rows.get(key), published.get(key) ?? [], pass);
        return [key, mended, rows.get(key)] as const;
      });
      await adopt(tx, topic.name, steps);
      for (const [key, { step, foreign }, row] of steps) {
        if (step.does !== 'raise') continue;
        const {
          version: _version,
          changedAt: _changedAt,
          ...data
        } = step.content === 'table' ? (JSON.parse(row?.value ?? '{}') as Record<string, unknown>) : step.content.data;
        unit.passOver(topic.name, key, step.above);
        // So the record tells why a version was passed over.
        const reason = foreign
          ? aboveForeign(topic.name, key, step.above)
          : `read-back ${topic.name} ${key} ${step.above}`;
        const cause = { source: `/countersign/${service}`, id: reason };
        unit.putState(cause, topic, { key, data } as unknown as StateOutput);
      }
      unit.flush();
      for (const [key, { step }, row] of steps) {
        const name = `${topic.name}\u0000${key}`;
        if (step.does !== 'nothing' && pass && !pass.before.has(name)) pass.before.set(name, row?.version ?? 0);
      }
      return steps.map(([key, mended]) => [key, mended] as const).filter(([, { step }]) => step.does !== 'nothing');
    });
  }

  private report(name: string, mended: readonly (readonly [string, Mended])[], pass: Pass | undefined): void {
    const running = pass?.running ?? true;
    for (const [key, { step, foreign }] of mended) {
      count('countersign.state.mended', 1, { [a.destination]: name, [a.outcome]: foreign ? 'foreign' : step.does });
      if (running) this.ahead[name] = key;
      if (!pass) continue;
      const all = pass.mended.get(name) ?? { count: 0, keys: [] };
      pass.mended.set(name, all);
      all.count++;
      if (all.keys.length < named) all.keys.push(key);
    }
    if (!running) return;
    const [others, ours] = [true, false].map((isForeign) => mended.filter(([, { foreign }]) => foreign === isForeign));
    if (ours && ours.length > 0)
      this.deps.log.error(
        `${name}: ${listed(ours)} were published above what this database has: it was put back while the service ran. ` +
          'The later change stands, under a version above both. Restart the service',
      );
    if (others && others.length > 0)
      this.deps.log.error(
        `${name}: of ${listed(others)} somebody else wrote a version above what this service gave out. What this service has was ` +
          'said again above it; where it has nothing, the other record stands. Change the password of its login, find out who has ' +
          'it, and restart the service; docs/sre.md, "Recovery cases"',
      );
  }

  /** Publishes again what the topic lacks or has last in an older version. */
  private async complete(name: string, pass: Pass): Promise<void> {
    const versions = this.shown.get(name);
    const rows = await this.deps.db.read<{ key: string }>(
      'SELECT key FROM own_state WHERE topic = $1 AND value IS NOT NULL',
      [name],
    );
    const never = rows.filter(({ key }) => !versions?.has(key)).map(({ key }) => key);
    const keys = [...new Set([...(pass.behind.get(name) ?? []), ...never])];
    for (let from = 0; from < keys.length; from += this.deps.limits.batchEvents)
      await this.again(name, keys.slice(from, from + this.deps.limits.batchEvents), keys.length);
    const all = pass.mended.get(name);
    if (!all || pass.running) return;
    this.restored[name] = (this.restored[name] ?? 0) + all.count;
    this.deps.log.warn(
      `${name}: ${all.count} keys (${all.keys.join(', ')}${all.count > named ? ', …' : ''}) had been published in a later version than this database has; ` +
        'it is an older copy, or was made anew. What was published last stands',
    );
  }

  private async again(name: string, keys: readonly string[], total: number): Promise<void> {
    if (keys.length === 0) return;
    const rows = await this.rows(this.deps.db.read.bind(this.deps.db), name, keys);
    this.deps.log.log(
      `${name}: ${keys.length} of ${total} keys published again, their last record was not what the table has`,
    );
    await this.deps.publish(
      [...rows.values()].flatMap(({ key, headers, value }) =>
        headers === null || value === null ? [] : [storedAgain({ topic: name, key, headers, value })],
      ),
    );
  }

  private async rows(
    query: (sql: string, params: readonly unknown[]) => Promise<Row[]>,
    topic: string,
    keys: readonly string[],
  ): Promise<ReadonlyMap<string, Row>> {
    const sql =
      'SELECT key, version, headers, value, changed_at FROM own_state WHERE topic = $1 AND key = ANY($2) AND version > 0';
    return new Map((await query(sql, [topic, keys])).map((row) => [row.key, row]));
  }
}

/** Takes records over as they are, or keeps a version free. */
async function adopt(
  tx: Tx,
  topic: string,
  steps: readonly (readonly [string, Mended, ...unknown[]])[],
): Promise<void> {
  const rows = steps.flatMap(([key, { step }]): Row[] => {
    if (step.does === 'reserve') return [{ key, version: step.above, headers: null, value: null, changed_at: null }];
    if (step.does !== 'adopt') return [];
    const { version, headers, value, at } = step.content;
    return [{ key, version, headers, value, changed_at: new Date(at) }];
  });
  if (rows.length === 0) return;
  await tx.query(
    `UPDATE own_state o SET version = n.version, data = n.value::jsonb, headers = n.headers, value = n.value, changed_at = n.at
     FROM unnest($2::text[], $3::bigint[], $4::text[], $5::text[], $6::timestamptz[]) AS n(key, version, headers, value, at)
     WHERE o.topic = $1 AND o.key = ANY($2) AND o.key = n.key`,
    [
      topic,
      rows.map((r) => r.key),
      rows.map((r) => r.version),
      rows.map((r) => r.headers),
      rows.map((r) => r.value),
      rows.map((r) => r.changed_at?.toISOString() ?? null),
    ],
  );
}

const contentOf = (row: Row | undefined): Content | undefined =>
  row?.value === undefined || row.value === null
    ? undefined
    : { version: row.version, at: row.changed_at?.getTime() ?? 0, hash: hashOf(row.value) };

const latestOf = (row: Row | undefined, published: readonly PublishedRecord[] = []): number =>
  Math.max(row?.changed_at?.getTime() ?? 0, ...published.map(({ at }) => at));

const hashOf = (value: string): number => createHash('sha256').update(value).digest().readUInt32BE();

const listed = (mended: readonly (readonly [string, Mended])[]): string =>
  `${mended.length} keys (${mended
    .slice(0, named)
    .map(([key]) => key)
    .join(', ')}${mended.length > named ? ', …' : ''})`;

/** Of a value of ours, which ends so; to parse a large one again would cost more than all the rest. */
const versionOf = (value: string): number =>
  Number(/"version":(\d+),"changedAt":"[^"]*"\}$/.exec(value.slice(-120))?.[1] ?? versionIn(value));

/** The version that a value names, whoever may read it; 0 where it names none that a state event can have. */
function versionIn(value: string): number {
  try {
    const { version } = (JSON.parse(value) ?? {}) as { version?: unknown };
    return typeof version === 'number' && Number.isSafeInteger(version) && version > 0 ? version : 0;
  } catch {
    return 0;
  }
}

/**
 * Whether the last record of a key is not what the table has, nor newer. An unreadable one is behind, except where it is the table's
 * own bytes, which a stricter contract refuses: publishing those again would never end. Those that only came before their version
 * could be reached, as after a broker's clock went back, are published until they count.
 */
export function isBehind(
  topic: Topic,
  row: { readonly version: number; readonly value: string },
  record: RawRecord | undefined,
): boolean {
  if (!record) return true;
  if (record.value?.toString() === row.value)
    return record.timestamp !== undefined && row.version > highestVersionAt(Number(record.timestamp));
  const read = readEvent(topic, record);
  return !read.ok || (read.event.data as { version: number }).version < row.version;
}
