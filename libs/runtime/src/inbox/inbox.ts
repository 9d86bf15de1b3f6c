import { outputId, type Topic, topics } from '@countersign/contracts';
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
import { insertKeys, keyRows, storedOutputs, storeOutputs } from './inbox-rows.js';

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

/** By partition, then by offset, because the order counts within a partition. */
const byPlace = ({ record: a }: Entry, { record: b }: Entry): number =>
  a.partition - b.partition || Number(a.offset) - Number(b.offset);

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
  async process(topic: Topic, entries: readonly Entry[], handle: Handle): Promise<Handled> {
    if (entries.length === 0) return { fresh: 0, redelivered: 0, duplicate: 0, dead: 0 };
    try {
      return await this.attempt(topic, entries, handle);
    } catch (error) {
      if (isTransient(error)) throw error;
      this.deps.log.warn(
        `${topic.name}: a batch of ${entries.length} failed (${describe(error).detail}); trying its events one by one`,
      );
      const total: Handled = { fresh: 0, redelivered: 0, duplicate: 0, dead: 0 };
      for (const entry of entries) {
        const counts = await this.alone(topic, entry, handle);
        for (const name of Object.keys(total) as (keyof Handled)[]) total[name] += counts[name];
      }
      return total;
    }
  }

  private async attempt(topic: Topic, entries: readonly Entry[], handle: Handle): Promise<Handled> {
    const began = moment();
    let spans = new Map<Entry, Processing>();
    try {
      const { taken, emitted, messages, handled, scheduled } = await this.deps.db.transaction(
        (tx) => {
          for (const span of spans.values()) span.end('lost-race');
          spans = new Map();
          return this.once(topic, entries, handle, tx, { spans, began });
        },
        () => [...spans.values()].map((span) => span.traceparent),
        'once',
      );
      messagesMeasured(emitted);
      try {
        await this.deps.publish(messages);
      } finally {
        // They are committed: where the batch comes again, nobody schedules them again.
        this.deps.onScheduled(scheduled);
      }
      for (const span of spans.values()) span.end();
      batchMeasured({
        service: this.deps.spec.name,
        topic: topic.name,
        began,
        records: entries.length,
        handled,
        times: () => taken.flatMap(({ event }) => event?.time ?? []),
      });
      return handled;
    } catch (error) {
      const { code } = describe(error);
      for (const span of spans.values()) span.end(code);
      batchFailed(this.deps.spec.name, topic.name, began, code);
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
        return await this.attempt(topic, [entry], handle);
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
        return await this.attempt(topic, [buried as Entry], bury);
      }
    }
  }

  private async once(
    topic: Topic,
    entries: readonly Entry[],
    handle: Handle,
    tx: Tx,
    { spans, began }: { readonly spans: Map<Entry, Processing>; readonly began: Moment },
  ) {
    const at = this.deps.now();
    const unit = new UnitOfWork(this.deps.spec.name, at, tx, this.deps.bounds);
    const handled: Handled = { fresh: 0, redelivered: 0, duplicate: 0, dead: 0 };

    // The record with the lowest offset of an id in the batch is the event. The others are its duplicates.
    const first = new Map<string, Entry>();
    const repeats: Entry[] = [];
    for (const entry of entries) {
      const name = causeKey(entry);
      if (first.has(name)) repeats.push(entry);
      else first.set(name, entry);
    }
    const isDead = (entry: Entry) => entry.fault !== undefined && !this.isAside(topic.name, entry);
    const inserted = await insertKeys(tx, topic.name, [...first.values()], isDead, at);
    const fresh = [...first.values()].filter((e) => inserted.has(causeKey(e)));
    const known = [...first.values()].filter((e) => !inserted.has(causeKey(e)));

    // This must be a later statement. One together with the insert would not see outputs that another instance committed
    // meanwhile.
    const rows = await keyRows(tx, topic.name, known);
    const redelivered: Entry[] = [];
    const second: Entry[] = [];
    const judge = (entry: Entry, row: { sha256: string; partition: number; offset: string | number }): void => {
      if (row.partition === entry.record.partition && String(row.offset) === entry.record.offset) {
        redelivered.push(entry);
      } else if (row.sha256 === entry.sha) {
        handled.duplicate++;
        if (this.deps.spec.duplicates?.(topic.name)) {
          second.push(
            asideOf(topic.name, entry, '~duplicate', {
              code: 'duplicate',
              detail: 'the same event was received before',
            }),
          );
        }
      } else {
        second.push(
          asideOf(topic.name, entry, '~reused', {
            code: 'id-reused',
            detail: 'this id was used before with other bytes',
            field: 'id',
          }),
        );
      }
    };
    for (const entry of known) {
      const row = rows.get(causeKey(entry));
      // If the row was deleted between the two statements, it was past its retention. That is as good as a redelivery.
      if (row) judge(entry, row);
    }
    for (const entry of repeats) {
      const original = first.get(causeKey(entry)) as Entry;
      judge(
        entry,
        rows.get(causeKey(entry)) ?? {
          sha256: original.sha,
          partition: original.record.partition,
          offset: original.record.offset,
        },
      );
    }
    if (second.length > 0) {
      const freshSecond = await insertKeys(tx, topic.name, second, isDead, at);
      for (const entry of second) (freshSecond.has(causeKey(entry)) ? fresh : redelivered).push(entry);
    }
    handled.redelivered = redelivered.length;

    fresh.sort(byPlace);
    const toHandle = fresh.filter((e) => e.event && !e.fault);
    const aside = fresh.filter((e) => this.isAside(topic.name, e));
    const dead = fresh.filter((e) => e.fault && !aside.includes(e));
    handled.fresh = toHandle.length;
    handled.dead = dead.length;

    if (toHandle.length > 0 || aside.length > 0) {
      for (const e of toHandle) spans.set(e, this.span(topic, e, began, toHandle.length));
      const batch = batchOf(
        unit,
        topic.name,
        toHandle.map((e) => received(topic.name, e, spans.get(e))),
        aside.map((e) => setAside(topic.name, e)),
      );
      await handle(batch);
    }
    const carrier = new Map(fresh.map((e) => [causeKey(e), e]));
    for (const entry of dead) carrier.set(causeKey(await this.bury(tx, unit, topic, entry)), entry);
    const { past } = this.deps.bounds;
    if (past && fresh.some(({ record }) => past.hadRead(topic.name, record))) await unit.withhold();
    unit.flush();

    const stored: { entry: Entry; seq: number; output: Emitted }[] = [];
    const perEntry = new Map<Entry, number>();
    for (const name of unit.causesAmong(carrier.keys())) {
      const entry = carrier.get(name) as Entry;
      const [source = '', id = ''] = name.split('\u0000');
      for (const output of unit.messagesOf({ source, id })) {
        const seq = perEntry.get(entry) ?? 0;
        perEntry.set(entry, seq + 1);
        stored.push({ entry, seq, output });
      }
    }
    storeOutputs(tx, topic.name, stored, at);
    const again = await storedOutputs(tx, topic.name, redelivered);
    const messages = [...stored.map(({ entry, output }) => ({ entry, output })), ...again];
    messages.sort((a, b) => byPlace(a.entry, b.entry));
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
