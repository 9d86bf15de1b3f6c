import { createHash, randomUUID } from 'node:crypto';
import { aboveForeign, fitsJsonb, highestVersionAt, readEvent, type Topic, topicNamed } from '@countersign/contracts';
import type { Admin, Kafka } from '@countersign/kafka';
import { attributes as a, count } from '@countersign/telemetry';
import type { Limits } from '../api/limits.js';
import type { StateOutput, Tx } from '../api/runtime.js';
import type { Database } from '../database/database.js';
import { consume } from '../kafka/consumer.js';
import type { RunningConsumer } from '../kafka/consumer-options.js';
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

/** The step for a key, and whether another writer's record made it necessary. */
interface Mended {
  readonly step: Mend<PublishedRecord>;
  readonly foreign: boolean;
}

/** One reading from the beginning to the end. */
interface Pass {
  /** The service already works during this reading: it does not begin with it. */
  readonly running: boolean;
  /** Versions of the repaired keys before the repair. Records above them were never in this database. */
  readonly before: Map<string, number>;
  /** Keys whose last record so far is older than the table. */
  readonly behind: Map<string, Set<string>>;
  /** How many keys were repaired, by topic, with the names of some. */
  readonly mended: Map<string, { count: number; keys: string[] }>;
}

const newPass = (running: boolean): Pass => ({ running, before: new Map(), behind: new Map(), mended: new Map() });

/** How many keys a line of the log names. */
const named = 5;

/**
 * Keeps the tables of the writer of state topics correct. The tables are the truth only if they hold everything that the service
 * has published. `catchUp` reads the topics from beginning to end, before anything may be written. It takes over what a restored
 * or new database lacks. `follow` reads on. It publishes a key again if compaction would keep a record that is older than the
 * table.
 */
export class OwnState {
  /**
   * The highest version that each topic has shown of each key, for the life of this process: the table may be restored from a
   * copy meanwhile.
   */
  private readonly shown = new Map<string, Map<string, Shown>>();
  /**
   * The highest version of each key that this process published or found in the table, and its contents. These are certainly not
   * foreign records.
   */
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

  /** Notes what this process publishes, so that it recognises a record that is read back when the table no longer has it. */
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

  /**
   * Keys that were taken over at the start, by topic. Nothing is wrong any more; it shows the operator that the database was an
   * older one.
   */
  takenOver(): Readonly<Record<string, number>> {
    return this.restored;
  }

  /** Topics that were found to be ahead of the database while the service ran, with the last such key. A person has to look. */
  overtaken(): Readonly<Record<string, string>> {
    return this.ahead;
  }

  /** Reads to the current ends and repairs the tables. Resolves to where it stopped. Throws if it cannot repair them. */
  async catchUp(): Promise<ReadonlyMap<string, string>> {
    return this.readAll(this.deps.topics, newPass(false));
  }

  /** The same with records from a test: all records of the topic, in order. */
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
      // A group of its own: only the instance that saw a version knows it.
      groupId: `${service}.read-back.${randomUUID()}`,
      topics: topics.map(({ name }) => name),
      limits,
      // Gathers, so that only the last record of a key that changes quickly is compared, not each one.
      paceMs: 1_000,
      log,
      rights: watch,
      positionOf: (name, partition) => positions.get(`${name}/${partition}`),
      handle: async (name, partition, records) => {
        const under = generation;
        await this.take(name, records);
        const last = records.at(-1);
        // If a topic was made again meanwhile, it is read from its beginning.
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

  /** Publishes everything that the table has of a topic, so that a reader from the beginning lacks nothing. */
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

  /** Reads a topic from its beginning while the service runs, to find contents that were seen and not kept. */
  private async readAgain(topic: Topic): Promise<void> {
    const seen = this.shown.get(topic.name) ?? new Map<string, Shown>();
    const fresh = new Map<string, Shown>();
    this.shown.set(topic.name, fresh);
    try {
      await this.readAll([topic], newPass(true));
    } finally {
      // Versions whose records compaction removed still count.
      for (const [key, shown] of seen) {
        const now = fresh.get(key);
        if (!now || now.version < shown.version || shown.hash === null) fresh.set(key, shown);
      }
    }
  }

  /**
   * Compares records with the table. The table is read after the records: what a healthy writer published is committed by then.
   */
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
      // The content of a version that was shown is needed and is no longer in memory.
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

  /** The content of a record; empty if it cannot be read. In both cases its version counts as shown. */
  private read(topic: Topic, record: RawRecord, key: string): PublishedRecord[] {
    const value = record.value?.toString() ?? '';
    const versions = this.shown.get(topic.name) as Map<string, Shown>;
    const hash = hashOf(value);
    const read = readEvent(topic, record);
    if (!read.ok || !fitsJsonb(value) || !fitsJsonb(JSON.stringify(read.event.data))) {
      // Readers of another release may be able to read it.
      const version = versionIn(value);
      const highest = record.timestamp === undefined ? version : highestVersionAt(Number(record.timestamp));
      // A version that is too high for its time is no state for any reader.
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
   * Decides the step for a key, and whether another writer wrote it. While the service runs, a record that this process neither
   * published nor found in the table is a foreign record. If the table has a content, that content stands. At a start, such a
   * record cannot be told from a record that an older copy of the database lacks.
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
    // A version that was reserved for a key that has no content yet.
    if (!table && rivals.length === 0 && version >= shown.version) return { step: { does: 'nothing' }, foreign };
    const step = mend(table, rivals, shown);
    const plain = step.does !== 'adopt' || step.content.plain;
    return { step: plain ? step : { does: 'raise', content: step.content, above: shown.version }, foreign };
  }

  /** Repairs rows under their locks. Another instance may have repaired them meanwhile. Returns the steps that were taken. */
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
        // This shows in the record why a version was skipped.
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

  /** Publishes keys again that the topic lacks, or whose last record is older than the table. */
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

/** Takes records over as they are, or reserves a version. */
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

/** For a value that we wrote, which ends with its version. To parse a large value again would cost more than the rest. */
const versionOf = (value: string): number =>
  Number(/"version":(\d+),"changedAt":"[^"]*"\}$/.exec(value.slice(-120))?.[1] ?? versionIn(value));

/** The version in a value, whoever can read the value; 0 if it has no version that a state event can have. */
function versionIn(value: string): number {
  try {
    const { version } = (JSON.parse(value) ?? {}) as { version?: unknown };
    return typeof version === 'number' && Number.isSafeInteger(version) && version > 0 ? version : 0;
  } catch {
    return 0;
  }
}

/**
 * Whether the last record of a key is older than the table's content. An unreadable record is older too, except if it has the
 * table's own bytes, which a stricter contract refuses: to publish those again would never end. A record that came before its
 * version was possible, as after a broker's clock went back, is published again until it counts.
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
