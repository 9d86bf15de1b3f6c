import type { Topic } from '@countersign/contracts';
import type { TopicFacts, TopicLook } from '@countersign/kafka';
import type { Tx } from '../api/runtime.js';
import type { Database } from '../database/database.js';
import { describe } from '../failures.js';

type Log = { log(message: string): void; warn(message: string): void; error(message: string): void };

/** A topic as this service knows it: its id, and how often it was made again since it was first read. */
export interface Incarnation {
  readonly id: string;
  readonly generation: number;
  /** Where each partition began when the topic was first seen. Records that were deleted before do not count as lost. */
  readonly starts: Readonly<Record<string, number>>;
  readonly noticedAt: string;
}

/** One way in which this service reads topics: with one position per partition, in a table or in its group. */
export interface Reading {
  readonly topics: readonly string[];
  /** The next offset of each partition that this instance reads, by `topic/partition`. */
  positions(): Promise<ReadonlyMap<string, number>>;
  /** It reads all partitions of its topics. A partition without a position was never read. */
  readonly whole?: true;
  /** Whether records of a partition are in work, so that its position will soon move. */
  busy(place: string): boolean;
  /** The due records of a partition are deleted: nothing waits there any more. */
  deleted(place: string): void;
  /** Reads these topics from their beginning. It must not wait for records in work. */
  again(topics: readonly string[]): Promise<void>;
}

const day = 86_400_000;

/** Ages are checked only once in this many checks: about once a minute. */
const looksPerAge = 12;

/** Longer than an instance needs to notice, or to lose its partitions. */
const lately = 60_000;

/**
 * The topic was made again since these records were fetched. Transient by its code: the records come again, from the topic's
 * beginning.
 */
export class TopicMadeAgain extends Error {
  readonly code = 'ETIMEDOUT';
  constructor(topic: string) {
    super(`${topic} was deleted and made again; it is read from its beginning`);
  }
}

/**
 * Checks whether topics are still the same ones, and whether the next records are still there. A topic with another id is read
 * from its beginning. Records that were deleted before they were read are a gap, which is reported until a person has
 * acknowledged it.
 */
export class TopicWatch {
  private readonly known = new Map<string, Incarnation>();
  private readonly readings: Reading[] = [];
  private gone: readonly string[] = [];
  /** The rights that the broker refuses to this service, by topic. */
  private refused: ReadonlyMap<string, readonly string[]> = new Map();
  private looks = 0;
  private atRisk: readonly string[] = [];
  private lastBehind: ReadonlyMap<string, number> = new Map();
  private checking: Promise<void> | undefined;
  private lacking: ReadonlySet<string> = new Set();
  private toReport = false;

  constructor(
    private readonly deps: {
      readonly db: Database;
      readonly facts: TopicFacts;
      readonly topics: readonly Topic[];
      /** Topics that this service writes. Only its right to write them is checked. */
      readonly writes: readonly string[];
      readonly now: () => string;
      readonly log: Log;
      /** The current settings of these topics, by name. */
      readonly settings: () => Promise<ReadonlyMap<string, ReadonlyMap<string, string>>>;
      /** Publishes this service's own rows of a state topic that was made again. */
      readonly republish: (topic: string) => Promise<void>;
    },
  ) {}

  private get names(): readonly string[] {
    return this.deps.topics.map(({ name }) => name);
  }

  /** Runs before anything is read. It learns the topics, or finds those that were made again while no instance ran. */
  async begin(): Promise<void> {
    const rows = await this.deps.db.read<Omit<Incarnation, 'noticedAt'> & { topic: string; at: Date }>(
      'SELECT topic, id, generation, starts, noticed_at AS at FROM topic_ids',
    );
    for (const { topic, at, ...stored } of rows) this.known.set(topic, { ...stored, noticedAt: at.toISOString() });
    await this.compare(await this.idsNow());
    await this.lookForGaps();
  }

  add(reading: Reading): void {
    this.readings.push(reading);
  }

  /** The topic as it is known; undefined before `begin`. */
  of(topic: string): Incarnation | undefined {
    return this.known.get(topic);
  }

  /** Topics that were made again a short time ago. An instance that has not noticed may still commit offsets of the old topic. */
  madeAgainLately(): ReadonlySet<string> {
    const since = Date.parse(this.deps.now()) - lately;
    return new Set(
      [...this.known].flatMap(([topic, incarnation]) =>
        incarnation.generation > 0 && Date.parse(incarnation.noticedAt) > since ? [topic] : [],
      ),
    );
  }

  /** Topics that do not exist at the moment. */
  missing(): readonly string[] {
    return this.gone;
  }

  /**
   * Partitions whose oldest unread record is older than half of its topic's retention. It will be deleted after the other half.
   */
  expiring(): readonly string[] {
    return this.atRisk;
  }

  /** State topics with records that were deleted unread, until a person acknowledges that. A stop may be among those records. */
  lacks(): ReadonlySet<string> {
    return this.lacking;
  }

  /** Whether there was a gap at the last check that the service has not reported. */
  hasUnreported(): boolean {
    return this.toReport;
  }

  private async lookForGaps(): Promise<void> {
    const rows = await this.deps.db.read<{ topic: string; lacking: boolean; unreported: boolean }>(
      `SELECT topic, bool_or(reason = 'records-deleted') AS lacking, bool_or(reported_at IS NULL) AS unreported
       FROM gaps WHERE acknowledged_at IS NULL GROUP BY topic`,
    );
    this.toReport = rows.some(({ unreported }) => unreported);
    const open = new Set(rows.flatMap(({ topic, lacking }) => (lacking ? [topic] : [])));
    this.lacking = new Set(
      this.deps.topics.flatMap(({ name, kind }) => (kind === 'state' && open.has(name) ? [name] : [])),
    );
  }

  /** Throws TopicMadeAgain if one of these topics is no longer the known one, and lets it be read from its beginning. */
  async confirm(topics: readonly string[]): Promise<ReadonlyMap<string, Incarnation>> {
    const ids = await this.deps.facts.ids(topics);
    for (const topic of topics) {
      const id = ids.get(topic);
      if (id === undefined || id === this.known.get(topic)?.id) continue;
      void this.check();
      throw new TopicMadeAgain(topic);
    }
    return this.known;
  }

  /** Checks everything once. A failure is logged and never thrown. A call during a check waits for that check. */
  check(): Promise<void> {
    this.checking ??= this.look()
      .catch((error: unknown) => this.deps.log.warn(`topics not looked at: ${describe(error).detail}`))
      .finally(() => {
        this.checking = undefined;
      });
    return this.checking;
  }

  /** Resolves when no check is under way. */
  async ended(): Promise<void> {
    await this.checking;
  }

  private async look(): Promise<void> {
    const ids = await this.idsNow();
    await this.compare(ids);
    const here = this.names.filter((name) => ids.has(name));
    // The positions come first. The beginnings of the logs, which are read after them, can only be later.
    const positions = await Promise.all(this.readings.map((reading) => reading.positions()));
    const starts = await this.deps.facts.offsets(here, 'first');
    const behind = new Map<string, number>();
    const due: { readonly place: string; readonly at: number }[] = [];
    for (const [n, reading] of this.readings.entries())
      for (const [place, start] of starts) {
        const { topic, partition } = partsOf(place);
        if (!reading.topics.includes(topic)) continue;
        const at = positions[n]?.get(place) ?? (reading.whole && (this.known.get(topic)?.starts[partition] ?? 0));
        if (typeof at !== 'number') continue;
        // Records that are deleted already will not be deleted soon.
        due.push({ place, at: Math.max(at, start) });
        if (at >= start || reading.busy(place)) continue;
        behind.set(`${n} ${place}`, at);
        // It must be seen twice: records that were fetched before they were deleted are handled meanwhile, and the position
        // moves.
        if (this.lastBehind.get(`${n} ${place}`) !== at) continue;
        await this.lost(place, at, start);
        reading.deleted(place);
      }
    this.lastBehind = behind;
    await this.lookForGaps();
    if (this.looks++ % looksPerAge === 0) await this.age(due, here);
  }

  /** Whether the due records will soon be deleted by age. */
  private async age(
    due: readonly { readonly place: string; readonly at: number }[],
    here: readonly string[],
  ): Promise<void> {
    const settings = await this.deps.settings();
    const retentionMs = new Map(
      this.deps.topics.flatMap(({ name, kind, retentionDays }) => {
        const ms = Number(settings.get(name)?.get('retention.ms') ?? retentionDays * day);
        // -1 means for ever.
        return kind === 'state' || ms < 0 ? [] : [[name, ms] as const];
      }),
    );
    const topics = here.filter((name) => retentionMs.has(name));
    const now = Date.parse(this.deps.now());
    const half = (topic: string) => now - (retentionMs.get(topic) ?? 0) / 2;
    const ends = await this.deps.facts.offsets(topics, 'end');
    const younger = await this.deps.facts.offsets(topics, half);
    const expiring = due.flatMap(({ place, at }) => {
      const from = younger.get(place);
      if (from === undefined || at >= (ends.get(place) ?? 0)) return [];
      return from === -1 || at < from ? [place] : [];
    });
    for (const place of expiring)
      if (!this.atRisk.includes(place))
        this.deps.log.error(
          `${place}: what is unread is older than half of its retention, and is deleted after the other half; see docs/sre.md, "Recovery cases"`,
        );
    this.atRisk = [...new Set(expiring)];
  }

  /** Notes that the records from `from` to `to` were deleted before they were read; only once for each beginning. */
  async lost(place: string, from: number, to: number): Promise<void> {
    const { topic, partition } = partsOf(place);
    const made = await this.deps.db.read<{ topic: string }>(
      `INSERT INTO gaps (topic, partition, from_offset, to_offset, topic_id, reason, noticed_at)
       VALUES ($1, $2, $3, $4, $5, 'records-deleted', $6) ON CONFLICT DO NOTHING RETURNING topic`,
      [topic, partition, from, to, this.known.get(topic)?.id ?? '', this.deps.now()],
    );
    if (made.length > 0)
      this.deps.log.error(
        `${place}: the records from offset ${from} to ${to - 1} were deleted before they were read; see docs/sre.md, "Recovery cases"`,
      );
    await this.lookForGaps();
  }

  /** A partition goes on at `to` although `from` was due. Only records that its log no longer has count as lost. */
  async jumped(place: string, from: number, to: number): Promise<void> {
    const { topic } = partsOf(place);
    const start = (await this.deps.facts.offsets([topic], 'first')).get(place) ?? 0;
    if (start > from) await this.lost(place, from, Math.min(start, to));
  }

  /**
   * Notes topics that this database did not know, with their beginnings: records that were deleted before do not count as lost.
   * If an earlier release, which knew no ids, read a topic past its present end, it was another topic.
   */
  private async learn(fresh: readonly (readonly [topic: string, id: string])[]): Promise<void> {
    if (fresh.length === 0) return;
    const topics = fresh.map(([topic]) => topic);
    const [starts, ends, positions] = await Promise.all([
      this.deps.facts.offsets(topics, 'first'),
      this.deps.facts.offsets(topics, 'end'),
      this.deps.db.read<{ place: string; at: number }>(
        `SELECT topic || '/' || partition AS place, next_offset AS at FROM record_positions
         UNION ALL SELECT topic || '/' || partition, next_offset FROM state_positions
         UNION ALL SELECT topic || '/' || partition, next_offset FROM work_positions`,
      ),
    ]);
    const beyond = new Set(
      positions.filter(({ place, at }) => at > (ends.get(place) ?? at)).map(({ place }) => partsOf(place).topic),
    );
    for (const [topic, id] of fresh) {
      const incarnation = { id: beyond.has(topic) ? 'unknown' : id, generation: 0, starts: startsOf(topic, starts) };
      this.known.set(topic, { ...incarnation, noticedAt: this.deps.now() });
    }
    const learnt = topics.map((topic) => this.known.get(topic));
    await this.deps.db.read(
      `INSERT INTO topic_ids (topic, id, starts, noticed_at)
       SELECT topic, id, starts::jsonb, $4 FROM unnest($1::text[], $2::text[], $3::text[]) AS n(topic, id, starts)
       ON CONFLICT DO NOTHING`,
      [
        topics,
        learnt.map((incarnation) => incarnation?.id),
        learnt.map((incarnation) => JSON.stringify(incarnation?.starts)),
        this.deps.now(),
      ],
    );
  }

  /** The ids of the topics that exist and may be described. Also reads what the service may do with them. */
  private async idsNow(): Promise<ReadonlyMap<string, string>> {
    const looks = await this.deps.facts.look([...new Set([...this.names, ...this.deps.writes])]);
    this.learnRights(looks);
    return new Map(
      this.names.flatMap((name) => {
        const id = looks.get(name)?.id;
        return id === undefined ? [] : [[name, id] as const];
      }),
    );
  }

  /** Asks which rights the service has on the topics. Throws if the broker does not answer. */
  async lookAtRights(): Promise<void> {
    await this.idsNow();
  }

  private learnRights(looks: ReadonlyMap<string, TopicLook>): void {
    const found = new Map<string, readonly string[]>();
    for (const [topic, { denied }] of looks) {
      const needed = [
        ...(this.names.includes(topic) ? (['read'] as const) : []),
        ...(this.deps.writes.includes(topic) ? (['write'] as const) : []),
      ];
      const lacking = needed.filter((right) => denied.has(right));
      if (lacking.length > 0) found.set(topic, denied.has('describe') ? [...lacking, 'describe'] : lacking);
    }
    for (const [topic, lacking] of found)
      if (lacking.join() !== this.refused.get(topic)?.join())
        this.deps.log.error(
          `${topic}: the broker refuses this service the right to ${lacking.join(' and ')} it; give it back as deploy/kafka/acls.tsv says, and the service goes on by itself`,
        );
    for (const topic of this.refused.keys())
      if (!found.has(topic)) this.deps.log.log(`${topic}: the service has its rights to it again`);
    this.refused = found;
  }

  /** Rights that the topology gives this service and that the broker refused at the last check, by topic. */
  rightsMissing(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.refused].map(([topic, lacking]) => [topic, lacking.join(', ')]));
  }

  /** Topics that could not be read at the last check. */
  unreadable(): ReadonlySet<string> {
    return new Set([...this.refused].flatMap(([topic, lacking]) => (lacking.includes('read') ? [topic] : [])));
  }

  private async compare(ids: ReadonlyMap<string, string>): Promise<void> {
    await this.learn([...ids].filter(([topic]) => !this.known.has(topic)));
    // A topic that may not be described may exist or not.
    const gone = this.names.filter((name) => !ids.has(name) && !this.refused.get(name)?.includes('describe'));
    for (const name of gone)
      if (!this.gone.includes(name)) this.deps.log.error(`${name}: there is no such topic any more`);
    this.gone = gone;
    const others = [...ids].filter(([topic, id]) => this.known.has(topic) && this.known.get(topic)?.id !== id);
    for (const [topic, id] of others) await this.madeAgain(topic, id);
    if (others.length === 0) return;
    const topics = others.map(([topic]) => topic);
    this.lastBehind = new Map();
    for (const reading of this.readings) {
      const affected = reading.topics.filter((name) => topics.includes(name));
      if (affected.length > 0) await reading.again(affected);
    }
  }

  private async madeAgain(topic: string, id: string): Promise<void> {
    const before = this.known.get(topic) as Incarnation;
    // Before the topic counts as seen: if the process dies in between, the next one publishes again.
    await this.deps.republish(topic);
    const generation = await this.deps.db.transaction(async (tx) => {
      const [row] = await tx.query<Pick<Incarnation, 'id' | 'generation'>>(
        'SELECT id, generation FROM topic_ids WHERE topic = $1 FOR UPDATE',
        [topic],
      );
      if (row && row.id !== before.id) return row.id === id ? row.generation : undefined;
      const positions = await this.forget(tx, topic);
      await tx.query(`UPDATE topic_ids SET id = $2, generation = $3, starts = '{}', noticed_at = $4 WHERE topic = $1`, [
        topic,
        id,
        before.generation + 1,
        this.deps.now(),
      ]);
      tx.write(
        `INSERT INTO gaps (topic, partition, from_offset, topic_id, reason, noticed_at)
         SELECT $1, partition, from_offset, $2, 'topic-made-again', $3 FROM unnest($4::int[], $5::bigint[]) AS n(partition, from_offset)
         ON CONFLICT DO NOTHING`,
        [topic, before.id, this.deps.now(), positions.map(([partition]) => partition), positions.map(([, at]) => at)],
      );
      return before.generation + 1;
    });
    // The topic was made again once more meanwhile. The next check finds that.
    if (generation === undefined) return;
    this.known.set(topic, { id, generation, starts: {}, noticedAt: this.deps.now() });
    this.deps.log.error(
      `${topic} was deleted and made again: it is read from its beginning, and what was not read of the old one is lost; see docs/sre.md, "Recovery cases"`,
    );
  }

  /** Sets the topic's positions back to its beginning, and returns the old ones. */
  private async forget(tx: Tx, topic: string): Promise<readonly (readonly [partition: number, at: number])[]> {
    const found = new Map<number, number>([[0, 0]]);
    for (const reading of this.readings.filter(({ topics }) => topics.includes(topic)))
      for (const [place, at] of await reading.positions()) {
        const parts = partsOf(place);
        if (parts.topic === topic) found.set(parts.partition, at);
      }
    // Records of the old topic that were handled are no sign of a restore.
    await tx.query('UPDATE work_positions SET again_until = 0 WHERE topic = $1', [topic]);
    for (const table of ['record_positions', 'state_positions', 'work_positions']) {
      const rows = await tx.query<{ partition: number; next_offset: number }>(
        `SELECT partition, next_offset FROM ${table} WHERE topic = $1 ORDER BY partition FOR UPDATE`,
        [topic],
      );
      for (const { partition, next_offset } of rows) found.set(partition, next_offset);
      await tx.query(`UPDATE ${table} SET next_offset = 0 WHERE topic = $1`, [topic]);
    }
    return [...found];
  }
}

const partsOf = (place: string): { topic: string; partition: number } => {
  const at = place.lastIndexOf('/');
  return { topic: place.slice(0, at), partition: Number(place.slice(at + 1)) };
};

const startsOf = (topic: string, starts: ReadonlyMap<string, number>): Record<string, number> =>
  Object.fromEntries(
    [...starts].flatMap(([place, at]) => (partsOf(place).topic === topic ? [[partsOf(place).partition, at]] : [])),
  );
