import { type Fault, outputId, type Topic, topics } from '@countersign/contracts';
import { type Moment, moment, type Processing, startProcessing } from '@countersign/telemetry';
import type { Limits } from '../api/limits.js';
import type { Batch, Cause, ServiceSpec, Tx } from '../api/runtime.js';
import type { Database } from '../database/database.js';
import { batchFailed, batchMeasured, messagesMeasured } from '../engine/measures.js';
import { describe, isTransient } from '../failures.js';
import type { Scheduled } from '../jobs/jobs.js';
import {
  asideOf,
  type Entry,
  type RawRecord,
  readEntry,
  received,
  setAside,
  takenAt,
  textFault,
  textHeaders,
} from '../kafka/entries.js';
import type { Emitted } from '../outbox/outgoing.js';
import type { Publish } from '../outbox/publisher.js';
import { type Bounds, causeKey, UnitOfWork } from '../outbox/unit-of-work.js';
import { printable } from '../text.js';
import { batchOf } from './batch.js';
import { insertKeys, keyOf, keyRows, type Placed, storedOutputs, storeOutputs } from './inbox-rows.js';

export type Handle = (batch: Batch) => Promise<void>;

export interface InboxDependencies {
  readonly spec: Pick<ServiceSpec, 'name' | 'unreadable' | 'duplicates' | 'concerns'>;
  readonly db: Database;
  readonly publish: Publish;
  readonly limits: Limits;
  readonly now: () => string;
  readonly bounds: Bounds;
  readonly onScheduled: (jobs: readonly Scheduled[]) => void;
  readonly log: { warn(message: string): void; error(message: string): void };
  readonly sleep?: (ms: number) => Promise<void>;
}

/** The outcome of a batch, for counters. */
export interface Handled {
  fresh: number;
  redelivered: number;
  duplicate: number;
  dead: number;
}

/** The entries of one topic. */
export interface Slice {
  readonly topic: Topic;
  readonly entries: readonly Entry[];
}

/** By topic, by partition, then by offset, because the order counts within a partition. */
const byPlace = (a: Placed, b: Placed): number => {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1;
  return (
    a.entry.record.partition - b.entry.record.partition || Number(a.entry.record.offset) - Number(b.entry.record.offset)
  );
};

const nothingHandled = (): Handled => ({ fresh: 0, redelivered: 0, duplicate: 0, dead: 0 });
const addTo = (total: Handled, counts: Handled): void => {
  for (const name of Object.keys(total) as (keyof Handled)[]) total[name] += counts[name];
};

/**
 * The batch protocol, with exactly one effect per event. It inserts the keys first, handles the fresh events, stores the outputs
 * with the rows, commits, and publishes. A repeat publishes the stored outputs again, with the same bytes.
 */
export class Inbox {
  constructor(private readonly deps: InboxDependencies) {}

  /** The records that concern the service, read by the topic's contract. */
  entries(topic: Topic, records: readonly RawRecord[]): readonly Entry[] {
    const { concerns } = this.deps.spec;
    return records
      .map((record) => readEntry(topic, record))
      .filter((entry) => !concerns || !entry.event || concerns(received(topic.name, entry)));
  }

  /**
   * Handles entries of one topic, those of each partition in order. Throws transient errors; the caller then repeats the same
   * records.
   */
  process(topic: Topic, entries: readonly Entry[], handle: Handle): Promise<Handled> {
    return this.processTogether([{ topic, entries }], handle);
  }

  /** The same for entries of several topics with one handler, in one transaction and one batch. */
  async processTogether(given: readonly Slice[], handle: Handle): Promise<Handled> {
    const slices = given.filter(({ entries }) => entries.length > 0);
    const total = nothingHandled();
    // Outputs are stored under the source and id of their event. These name one event only within its topic.
    if (slices.length > 1 && sharesIds(slices)) {
      for (const slice of slices) addTo(total, await this.processTogether([slice], handle));
      return total;
    }
    if (slices.length === 0) return total;
    try {
      return await this.attempt(slices, handle);
    } catch (error) {
      if (isTransient(error)) throw error;
      const count = slices.reduce((sum, { entries }) => sum + entries.length, 0);
      const names = slices.map(({ topic }) => topic.name).join(', ');
      this.deps.log.warn(
        `${names}: a batch of ${count} failed (${describe(error).detail}); trying its events one by one`,
      );
      for (const { topic, entries } of slices)
        for (const entry of entries) addTo(total, await this.alone(topic, entry, handle));
      return total;
    }
  }

  private async attempt(slices: readonly Slice[], handle: Handle): Promise<Handled> {
    const began = moment();
    const service = this.deps.spec.name;
    let spans = new Map<Entry, Processing>();
    try {
      const { taken, emitted, messages, handled, scheduled } = await this.deps.db.transaction(
        (tx) => {
          for (const span of spans.values()) span.end('lost-race');
          spans = new Map();
          return this.once(slices, handle, tx, { spans, began });
        },
        () => [...spans.values()].map((span) => span.traceparent),
        'once',
      );
      messagesMeasured(emitted);
      try {
        await this.deps.publish(messages);
      } finally {
        // The jobs are committed. If the batch comes again, nothing schedules them a second time.
        this.deps.onScheduled(scheduled);
      }
      for (const span of spans.values()) span.end();
      const total = nothingHandled();
      for (const { topic, entries } of slices) {
        const counts = handled.get(topic.name) as Handled;
        const times = () => taken.flatMap(({ topic: from, entry }) => (from === topic.name && entry.event?.time) || []);
        batchMeasured({ service, topic: topic.name, began, records: entries.length, handled: counts, times });
        addTo(total, counts);
      }
      return total;
    } catch (error) {
      const { code } = describe(error);
      for (const span of spans.values()) span.end(code);
      for (const { topic } of slices) batchFailed(service, topic.name, began, code);
      throw error;
    }
  }

  private span(topic: Topic, { record, event }: Entry, began: Moment, together: number): Processing {
    const { id = '', type = '', correlationid, traceparent } = event ?? {};
    const { partition, offset } = record;
    return startProcessing({
      topic: topic.name,
      partition,
      offset,
      group: this.deps.spec.name,
      id,
      type,
      correlationid,
      traceparent,
      together,
      began,
    });
  }

  /** Handles one event alone. After its last try it becomes a dead letter, and the others go on. */
  private async alone(topic: Topic, entry: Entry, handle: Handle): Promise<Handled> {
    const sleep = this.deps.sleep ?? ((ms: number) => new Promise((resolve) => setTimeout(resolve, ms)));
    for (let tries = 1; ; tries++) {
      try {
        return await this.attempt([{ topic, entries: [entry] }], handle);
      } catch (error) {
        if (isTransient(error)) throw error;
        if (tries < this.deps.limits.poisonTries) {
          await sleep(this.deps.limits.backoffMs * tries);
          continue;
        }
        const fault = { code: 'handler', detail: describe(error).detail };
        this.deps.log.error(`${topic.name} ${entry.id}: dead letter after ${tries} tries: ${fault.detail}`);
        const bury: Handle = async () => undefined;
        const buried = { ...entry, fault, tries };
        return await this.attempt([{ topic, entries: [buried as Entry] }], bury);
      }
    }
  }

  private async once(
    slices: readonly Slice[],
    handle: Handle,
    tx: Tx,
    { spans, began }: { readonly spans: Map<Entry, Processing>; readonly began: Moment },
  ) {
    const at = this.deps.now();
    const unit = new UnitOfWork(this.deps.spec.name, at, tx, this.deps.bounds);
    const topicNamed = new Map(slices.map(({ topic }) => [topic.name, topic]));
    const handled = new Map(slices.map(({ topic }) => [topic.name, nothingHandled()]));
    const count = (name: keyof Handled, placed: readonly Placed[]): void => {
      for (const { topic } of placed) (handled.get(topic) as Handled)[name]++;
    };

    // The record with the lowest offset of an id in the batch is the event. The others are its duplicates.
    const first = new Map<string, Placed>();
    const repeats: Placed[] = [];
    for (const { topic, entries } of slices)
      for (const entry of entries) {
        const name = keyOf(topic.name, entry);
        if (first.has(name)) repeats.push({ topic: topic.name, entry });
        else first.set(name, { topic: topic.name, entry });
      }
    const isDead = ({ topic, entry }: Placed) => entry.fault !== undefined && !this.isAside(topic, entry);
    const inserted = await insertKeys(tx, [...first.values()], isDead, at);
    const isNew = ({ topic, entry }: Placed) => inserted.has(keyOf(topic, entry));
    const fresh = [...first.values()].filter(isNew);
    const known = [...first.values()].filter((placed) => !isNew(placed));

    // This must be a later statement. One together with the insert would not see outputs that another instance committed
    // meanwhile.
    const rows = await keyRows(tx, known);
    const redelivered: Placed[] = [];
    const second: Placed[] = [];
    const judge = (
      placed: Placed,
      row: { readonly sha256: string; readonly partition: number; readonly offset: string | number },
    ): void => {
      const { topic, entry } = placed;
      const aside = (source: '~duplicate' | '~reused', fault: Fault): void => {
        second.push({ topic, entry: asideOf(topic, entry, source, fault) });
      };
      if (row.partition === entry.record.partition && String(row.offset) === entry.record.offset) {
        redelivered.push(placed);
      } else if (row.sha256 === entry.sha) {
        count('duplicate', [placed]);
        if (this.deps.spec.duplicates?.(topic))
          aside('~duplicate', { code: 'duplicate', detail: 'the same event was received before' });
      } else {
        aside('~reused', { code: 'id-reused', detail: 'this id was used before with other bytes', field: 'id' });
      }
    };
    for (const placed of known) {
      const row = rows.get(keyOf(placed.topic, placed.entry));
      // If the row was deleted between the two statements, it was past its retention. That is as good as a redelivery.
      if (row) judge(placed, row);
    }
    for (const placed of repeats) {
      const name = keyOf(placed.topic, placed.entry);
      const { sha, record } = (first.get(name) as Placed).entry;
      judge(placed, rows.get(name) ?? { sha256: sha, partition: record.partition, offset: record.offset });
    }
    if (second.length > 0) {
      const freshSecond = await insertKeys(tx, second, isDead, at);
      for (const placed of second)
        (freshSecond.has(keyOf(placed.topic, placed.entry)) ? fresh : redelivered).push(placed);
    }
    count('redelivered', redelivered);

    fresh.sort(byPlace);
    const toHandle = fresh.filter(({ entry }) => entry.event && !entry.fault);
    const aside = fresh.filter(({ topic, entry }) => this.isAside(topic, entry));
    const dead = fresh.filter((placed) => placed.entry.fault && !aside.includes(placed));
    count('fresh', toHandle);
    count('dead', dead);

    const [slice] = slices;
    if (slice && (toHandle.length > 0 || aside.length > 0)) {
      for (const { topic, entry } of toHandle)
        spans.set(entry, this.span(topicNamed.get(topic) as Topic, entry, began, toHandle.length));
      const batch = batchOf(
        unit,
        slice.topic.name,
        toHandle.map(({ topic, entry }) => received(topic, entry, spans.get(entry))),
        aside.map(({ topic, entry }) => setAside(topic, entry)),
      );
      await handle(batch);
    }
    const carrier = new Map(fresh.map((placed) => [causeKey(placed.entry), placed]));
    for (const placed of dead) {
      const cause = await this.bury(tx, unit, topicNamed.get(placed.topic) as Topic, placed.entry);
      carrier.set(causeKey(cause), placed);
    }
    const { past } = this.deps.bounds;
    if (past && fresh.some(({ topic, entry }) => past.hadRead(topic, entry.record))) await unit.withhold();
    unit.flush();

    const stored: (Placed & { seq: number; output: Emitted })[] = [];
    const perEntry = new Map<Entry, number>();
    for (const name of unit.causesAmong(carrier.keys())) {
      const placed = carrier.get(name) as Placed;
      const [source = '', id = ''] = name.split('\u0000');
      for (const output of unit.messagesOf({ source, id })) {
        const seq = perEntry.get(placed.entry) ?? 0;
        perEntry.set(placed.entry, seq + 1);
        stored.push({ ...placed, seq, output });
      }
    }
    storeOutputs(tx, stored, at);
    const again = await storedOutputs(tx, redelivered);
    const messages = [...stored, ...again].sort(byPlace);
    return {
      taken: toHandle,
      emitted: stored.map((s) => s.output),
      messages: messages.map((o) => o.output),
      handled,
      scheduled: unit.scheduled,
    };
  }

  /** Whether the service gets the record as a SetAside, in place of a dead letter. */
  private isAside(topic: string, { source }: Entry): boolean {
    return source === '~duplicate' || (source === '~unreadable' && this.deps.spec.unreadable?.(topic) === true);
  }

  /**
   * Stores the bytes and publishes the dead letter on the service's own topic. The bytes of an id that was used again are not
   * stored: no replay could handle them, and they may be personal. Returns the cause under which the output is stored.
   */
  private async bury(tx: Tx, unit: UnitOfWork, { name: topic, types }: Topic, entry: Entry): Promise<Cause> {
    const { record, sha, event } = entry;
    const fault = textFault(entry.fault ?? { code: 'unknown', detail: 'unknown' });
    const attempts = (entry as { tries?: number }).tries ?? 0;
    const cause: Cause = {
      source: '~dead',
      id: `${topic}/${record.partition}/${record.offset}`,
      correlationid: event?.correlationid ?? event?.id,
      causationid: event?.id ?? `${topic}/${record.partition}/${record.offset}`,
      traceparent: event?.traceparent,
    };
    const deadLetterId = outputId(this.deps.spec.name, cause, -1);
    const known = event ?? entry.hint;
    const key = record.key === null ? undefined : printable(record.key.toString());
    // The upstream chooses the key of an inbound signal, and the key may be an address. So it stays in the database.
    const publishedKey = types.length === 0 ? undefined : key;
    const stored = entry.source !== '~reused';
    tx.write(
      `INSERT INTO dead_letters (dead_letter_id, topic, partition, "offset", source, id, type, key, headers, value, fault, attempts, at, erased_at, taken_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT DO NOTHING`,
      [
        deadLetterId,
        topic,
        record.partition,
        record.offset,
        known?.source ?? null,
        known?.id ?? null,
        known?.type ?? null,
        stored ? (key ?? null) : null,
        stored ? JSON.stringify(textHeaders(record)) : '{}',
        stored ? record.value : null,
        JSON.stringify(fault),
        attempts,
        unit.at,
        stored ? null : unit.at,
        takenAt(record).takenAt ?? null,
      ],
    );
    unit.emit(cause, topics.deadLetters(this.deps.spec.name), {
      type: 'DeadLetter',
      key: publishedKey ?? deadLetterId,
      data: {
        deadLetterId,
        service: this.deps.spec.name,
        topic,
        partition: record.partition,
        offset: record.offset,
        ...(publishedKey !== undefined && { key: publishedKey }),
        ...(known?.source !== undefined && { source: known.source }),
        ...(known?.id !== undefined && { id: known.id }),
        ...(known?.type !== undefined && { type: known.type }),
        sha256: sha,
        fault,
        attempts,
        at: unit.at,
      },
    });
    return cause;
  }
}

/** Whether an event of one of these topics has the source and id of an event of another. */
function sharesIds(slices: readonly Slice[]): boolean {
  const seen = new Map<string, string>();
  for (const { topic, entries } of slices)
    for (const entry of entries) {
      const other = seen.get(causeKey(entry)) ?? topic.name;
      if (other !== topic.name) return true;
      seen.set(causeKey(entry), topic.name);
    }
  return false;
}
