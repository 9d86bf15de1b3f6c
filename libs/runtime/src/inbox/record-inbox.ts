import { type DataOf, type Envelope, type Fault, readEvent, type Topic } from '@countersign/contracts';
import { type Moment, moment, type Processing, startRecording } from '@countersign/telemetry';
import type { Limits } from '../api/limits.js';
import type { RecordConsumer, SeenRecord, Tx } from '../api/runtime.js';
import type { Database } from '../database/database.js';
import { batchFailed, batchMeasured } from '../engine/measures.js';
import { describe } from '../failures.js';
import type { Scheduled } from '../jobs/jobs.js';
import { nextOf, type RawRecord } from '../kafka/entries.js';
import { acknowledge } from '../kafka/gaps.js';
import { type Incarnation, TopicMadeAgain } from '../kafka/topic-watch.js';
import { type Bounds, UnitOfWork } from '../outbox/unit-of-work.js';

/** A record of any topic, on its way to a record consumer. */
export interface PlacedRecord {
  readonly topic: Topic;
  readonly record: RawRecord;
}

export interface RecordInboxDependencies {
  readonly service: string;
  readonly db: Database;
  readonly limits: Limits;
  readonly now: () => string;
  readonly bounds: Bounds;
  readonly log: { log(message: string): void; warn(message: string): void };
  readonly onScheduled: (jobs: readonly Scheduled[]) => void;
  /** The topics as they are at this moment, asked after records were fetched. Throws if a topic was made again. */
  readonly confirm?: (topics: readonly string[]) => Promise<ReadonlyMap<string, Incarnation>>;
}

/**
 * The protocol of a service that stores every record: each once, by its Kafka coordinates, with any content. Records of a
 * partition come in order, so one position per partition says what is stored already. Its row is locked for the transaction. If
 * two instances get the same records, the second finds them stored.
 */
export class RecordInbox {
  constructor(
    private readonly deps: RecordInboxDependencies,
    private readonly recordConsumer: RecordConsumer,
  ) {}

  /** Stores records of any partitions, those of each in order. Throws every failure; the caller then repeats the same records. */
  async process(records: readonly PlacedRecord[]): Promise<void> {
    const began = moment();
    let spans: readonly Processing[] = [];
    try {
      const topics = [...byTopic(records).keys()].sort();
      const known = await this.deps.confirm?.(topics);
      const { fresh, scheduled } = await this.deps.db.transaction(
        async (tx) => {
          for (const span of spans) span.end('lost-race');
          spans = [];
          const unit = new UnitOfWork(this.deps.service, this.deps.now(), tx, this.deps.bounds);
          // Held for the transaction. An instance that finds a topic made again resets its positions before or after this
          // transaction, not during it.
          const [, fresh] = await Promise.all([known && stillThese(tx, topics, known), advance(tx, records)]);
          if (fresh.length > 0) {
            const seen = seenWithSpans(this.deps.service, fresh, began, known);
            spans = seen.spans;
            await this.recordConsumer.store({
              at: unit.at,
              tx,
              records: seen.records,
              schedule: (cause, job) => unit.schedule(cause, job),
            });
            const acknowledgements = seen.records.flatMap(({ event }) =>
              event?.type === 'GapAcknowledged' ? [{ event, data: event.data as DataOf<'GapAcknowledged'> }] : [],
            );
            await acknowledge(unit, this.deps.service, acknowledgements, this.deps.log);
            unit.flush();
          }
          return { fresh, scheduled: unit.scheduled };
        },
        () => spans.map((span) => span.traceparent),
        'once',
      );
      for (const span of spans) span.end();
      this.measured(records, fresh, began);
      this.deps.onScheduled(scheduled);
    } catch (error) {
      const { code } = describe(error);
      for (const span of spans) span.end(code);
      for (const topic of byTopic(records).keys()) batchFailed(this.deps.service, topic, began, code);
      throw error;
    }
  }

  /**
   * Moves a partition's position from `from` to `next`, if nothing between them is to be stored. If the position is not at
   * `from`, it stays: an earlier record is not stored yet, or a later one already is.
   */
  async pass(topic: string, partition: number, from: string, next: string): Promise<void> {
    await this.deps.db.read(
      `INSERT INTO record_positions AS p (topic, partition, next_offset)
       VALUES ($1, $2, CASE WHEN $3::bigint = 0 THEN $4::bigint ELSE 0 END)
       ON CONFLICT (topic, partition) DO UPDATE SET next_offset = $4 WHERE p.next_offset = $3`,
      [topic, partition, from, next],
    );
  }

  private measured(records: readonly PlacedRecord[], fresh: readonly Seen[], began: Moment): void {
    const freshByTopic = byTopic(fresh);
    for (const [topic, all] of byTopic(records)) {
      const added = freshByTopic.get(topic) ?? [];
      const handled = { fresh: added.length, redelivered: all.length - added.length, duplicate: 0, dead: 0 };
      const times = () => added.flatMap(({ event }) => event?.time ?? []);
      batchMeasured({ service: this.deps.service, topic, began, records: all.length, handled, times });
    }
  }
}

interface Seen extends PlacedRecord {
  readonly event?: Envelope;
  readonly fault?: Fault;
}

/** Moves the positions past these records, under the locks of their rows. Returns the records that were not stored yet. */
async function advance(tx: Tx, records: readonly PlacedRecord[]): Promise<readonly Seen[]> {
  const next = await lockPositions(tx, records);
  const fresh = records.filter(({ topic, record }) => {
    const place = placeOf(topic, record);
    const offset = Number(record.offset);
    if (offset < (next.get(place) ?? 0)) return false;
    next.set(place, Number(nextOf(record)));
    return true;
  });
  const moved = new Map(fresh.map((seen) => [placeOf(seen.topic, seen.record), seen]));
  if (moved.size > 0) {
    tx.write(
      `UPDATE record_positions p SET next_offset = n.next_offset
       FROM unnest($1::text[], $2::int[], $3::bigint[]) AS n(topic, partition, next_offset)
       WHERE p.topic = n.topic AND p.partition = n.partition`,
      [
        [...moved.values()].map(({ topic }) => topic.name),
        [...moved.values()].map(({ record }) => record.partition),
        [...moved.keys()].map((place) => next.get(place)),
      ],
    );
  }
  return fresh.map(({ topic, record }) => {
    const read = readEvent(topic, record);
    return { topic, record, ...(read.ok ? { event: read.event } : { fault: read.fault }) };
  });
}

/** Where each partition goes on. Missing rows are made. All rows are locked, in the same order everywhere. */
async function lockPositions(tx: Tx, records: readonly PlacedRecord[]): Promise<Map<string, number>> {
  const places = [...new Map(records.map((placed) => [placeOf(placed.topic, placed.record), placed])).values()];
  const columns = [places.map(({ topic }) => topic.name), places.map(({ record }) => record.partition)];
  const locked = async () => {
    const rows = await tx.query<{ topic: string; partition: number; next_offset: number }>(
      `SELECT p.topic, p.partition, p.next_offset FROM record_positions p
       JOIN unnest($1::text[], $2::int[]) AS n(topic, partition) ON p.topic = n.topic AND p.partition = n.partition
       ORDER BY p.topic, p.partition FOR UPDATE OF p`,
      columns,
    );
    return new Map(rows.map((row) => [`${row.topic}/${row.partition}`, row.next_offset]));
  };
  const found = await locked();
  if (found.size === places.length) return found;
  await tx.query(
    `INSERT INTO record_positions (topic, partition, next_offset)
     SELECT topic, partition, 0 FROM unnest($1::text[], $2::int[]) AS n(topic, partition) ORDER BY topic, partition ON CONFLICT DO NOTHING`,
    columns,
  );
  return locked();
}

/** Holds the topics as they are known. Throws if another instance has found that one was made again. */
async function stillThese(tx: Tx, topics: readonly string[], known: ReadonlyMap<string, Incarnation>): Promise<void> {
  const rows = await tx.query<{ topic: string; id: string }>(
    'SELECT topic, id FROM topic_ids WHERE topic = ANY($1) ORDER BY topic FOR SHARE',
    [topics],
  );
  const other = rows.find(({ topic, id }) => known.get(topic)?.id !== id);
  if (other) throw new TopicMadeAgain(other.topic);
}

/** The first incarnation of a topic gets no id, so the names of its records stay as they always were. */
const againOf = (incarnation: Incarnation | undefined) =>
  incarnation && incarnation.generation > 0 ? { topicId: incarnation.id } : {};

const placeOf = ({ name }: Topic, { partition }: RawRecord): string => `${name}/${partition}`;

function byTopic<P extends PlacedRecord>(records: readonly P[]): Map<string, P[]> {
  const found = new Map<string, P[]>();
  for (const placed of records) {
    const list = found.get(placed.topic.name);
    if (list) list.push(placed);
    else found.set(placed.topic.name, [placed]);
  }
  return found;
}

/**
 * The records as a record consumer gets them, and one span for the records of each topic. The cause of each record names its
 * span.
 */
function seenWithSpans(
  group: string,
  fresh: readonly Seen[],
  began: Moment,
  known: ReadonlyMap<string, Incarnation> | undefined,
) {
  const spans = new Map(
    [...byTopic(fresh)].map(([topic, seen]) => {
      const contexts = () => seen.map(({ event }) => event?.traceparent);
      return [topic, startRecording({ topic, group, count: seen.length, contexts, began })] as const;
    }),
  );
  const records = fresh.map(
    ({ topic: { name: topic }, record, event, fault }): SeenRecord => ({
      topic,
      partition: record.partition,
      offset: record.offset,
      key: record.key,
      headers: record.headers ?? {},
      value: record.value,
      ...(event && { event }),
      ...(fault && { fault }),
      ...againOf(known?.get(topic)),
      cause: {
        source: '~record',
        id: `${topic}/${record.partition}/${record.offset}`,
        traceparent: spans.get(topic)?.traceparent,
      },
    }),
  );
  return { records, spans: [...spans.values()] };
}
