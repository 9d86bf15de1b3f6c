import type { Limits } from '../api/limits.js';
import type { ServiceSpec } from '../api/runtime.js';
import type { Database } from '../database/database.js';
import type { Clock } from '../engine/clock.js';
import { backoff, describe, isTransient } from '../failures.js';
import { together } from '../inbox/together.js';
import type { Held } from '../kafka/consumer-options.js';
import { type Entry, type RawRecord, received } from '../kafka/entries.js';
import { fitsText } from '../text.js';
import type { StateReader } from './state.js';

/**
 * How long a slice waits in place for state that is just being read. During this time kafkajs fetches no topic at all, so it is
 * short. For a longer wait the partition pauses.
 */
const raceMs = 250;

/** State that an event was made from. */
interface Need {
  readonly entry: Entry;
  readonly topic: string;
  readonly key: string;
  readonly version: number;
  there: boolean;
}

/** A partition whose next event waits. */
interface Hold {
  /** The offset of the event. */
  readonly offset: string;
  /** When the records up to an offset were first seen, oldest first, by the monotonic clock. */
  readonly seen: readonly { readonly upTo: bigint; readonly at: number }[];
  readonly tries: number;
}

const nameOf = ({ topic, key, version }: Need): string => `${topic}\u0000${key}\u0000${version}`;

/** The same with the records that were seen now. Entries before `from` are dropped. */
function sawOf(seen: Hold['seen'], records: readonly RawRecord[]): Hold['seen'] {
  const [from, upTo] = [BigInt(records[0]?.offset ?? 0), BigInt(records.at(-1)?.offset ?? 0)];
  const rest = seen.filter((step) => step.upTo >= from);
  return (rest.at(-1)?.upTo ?? -1n) >= upTo ? rest : [...rest, { upTo, at: performance.now() }];
}

/**
 * Lets events wait for the state that they were made from. An event waits until that state is read. It stops waiting when
 * `stateWaitMs` have passed since the broker took it and the tables have reached ends of their topics that were read after that
 * moment: then the state does not exist, and the event goes on with the state that is there. While this service's own reading is
 * behind, the event waits longer. Otherwise it would be judged by old state, and a play that does not begin then never begins.
 *
 * A longer wait pauses only the partition of the event. The time of each event counts by itself, so many events wait at the same
 * time, and a partition never waits longer than its next event.
 */
export class StateWaits {
  private readonly holds = new Map<string, Hold>();
  /**
   * The last visit to each partition, unless the partition was forgotten since. Only this visit may change the partition's hold.
   */
  private readonly visits = new Map<string, symbol>();
  /** Slices of several partitions share a statement. */
  private readonly look: (needs: readonly Need[]) => Promise<void>;

  constructor(
    private readonly deps: {
      readonly needs: NonNullable<ServiceSpec['needs']>;
      readonly db: Pick<Database, 'read'>;
      readonly limits: Limits;
      readonly clock: Pick<Clock, 'agoMs'>;
      readonly reader: () => Pick<StateReader, 'comparedAgo' | 'more'> | undefined;
      readonly log: { warn(message: string): void };
    },
  ) {
    this.look = together((needs: readonly Need[]) => this.lookUp(needs), deps.limits.batchEvents);
  }

  /**
   * Handles records of one partition up to the first event that has to wait. Resolves to the number of handled records if that is
   * not all. The others come again after a pause.
   */
  async handle(
    topic: string,
    records: readonly RawRecord[],
    read: (records: readonly RawRecord[]) => readonly Entry[],
    process: (entries: readonly Entry[]) => Promise<void>,
  ): Promise<Held | undefined> {
    const [first] = records;
    if (!first) return undefined;
    const place = `${topic}/${first.partition}`;
    const visit = Symbol();
    this.visits.set(place, visit);
    const counts = (): boolean => this.visits.get(place) === visit;
    const before = this.holds.get(place);
    const seen = sawOf(before?.seen ?? [], records);
    const hold = (offset: string): Held => {
      const tries = before ? before.tries + 1 : 0;
      if (counts()) this.holds.set(place, { offset, seen, tries });
      const { backoffMs, backoffMaxMs } = this.deps.limits;
      return { handled: 0, pauseMs: backoff(tries, backoffMs, backoffMaxMs) };
    };
    // The records behind a waiting event need not be read each time.
    if (before?.offset === first.offset && (await this.firstToWait(topic, read([first]), seen, false)).waits)
      return hold(first.offset);
    const entries = read(records);
    // Only one partition of a topic waits in place at a time. Otherwise the writer of a topic could use up this wait again and
    // again, one partition after another.
    const patient = ![...this.holds.keys()].some((name) => name.startsWith(`${topic}/`));
    const { waits, without } = await this.firstToWait(topic, entries, seen, patient);
    if (without > 0) this.deps.log.warn(`${place}: ${without} events go on without state that nobody has`);
    if (!waits) {
      await process(entries);
      if (counts()) this.holds.delete(place);
      return undefined;
    }
    const free = entries.slice(0, entries.indexOf(waits));
    if (free.length > 0) await process(free);
    return { ...hold(waits.record.offset), handled: records.indexOf(waits.record) };
  }

  /**
   * Forgets one partition, or all: after a join this instance may have others. A visit that is under way leaves no hold either,
   * because nobody would come to end it.
   */
  forget(place?: string): void {
    for (const known of [this.holds, this.visits]) {
      if (place === undefined) known.clear();
      else known.delete(place);
    }
  }

  /** Partitions that wait for unusually long, because this service's own reading is behind. */
  late(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      [...this.holds].flatMap(([place, { offset, seen }]) => {
        const ms = this.seenMs(seen, offset);
        if (ms <= 2 * this.deps.limits.stateWaitMs) return [];
        return [[place, `waits for state that is not read yet, for ${Math.round(ms / 1000)} s`]];
      }),
    );
  }

  /** The first event that has to wait (if the visit is patient, after a short wait), and how many events before it lack state. */
  private async firstToWait(
    topic: string,
    entries: readonly Entry[],
    seen: Hold['seen'],
    patient: boolean,
  ): Promise<{ readonly waits?: Entry; readonly without: number }> {
    const began = performance.now();
    try {
      let missing = this.needsOf(topic, entries);
      for (;;) {
        if (missing.length === 0) return { without: 0 };
        await this.look(missing);
        missing = missing.filter(({ there: present }) => !present);
        const waits = missing.find((need) => !this.enough(need, seen))?.entry;
        const lacking = [...new Set(missing.map(({ entry }) => entry))];
        if (!waits) return { without: lacking.length };
        if (!patient || performance.now() - began >= raceMs) return { waits, without: lacking.indexOf(waits) };
        // Most often the state is just being read.
        await (this.deps.reader()?.more(50) ?? new Promise((resolve) => setTimeout(resolve, 50)));
      }
    } catch (error) {
      if (isTransient(error)) throw error;
      // The fault of a single event is found when each event is tried alone.
      this.deps.log.warn(`${topic}: what its events need is not known: ${describe(error).detail}`);
      return { without: 0 };
    }
  }

  private needsOf(topic: string, entries: readonly Entry[]): Need[] {
    return entries
      .filter(({ event }) => event)
      .flatMap((entry) =>
        this.deps.needs(received(topic, entry)).map(({ topic: { name }, key, version }) => {
          return { entry, topic: name, key, version, there: false };
        }),
      )
      .filter(({ key }) => fitsText(key)); // No row can have another key, so there is nothing to wait for.
  }

  private async lookUp(needs: readonly Need[]): Promise<void> {
    const all = [...new Map(needs.map((need) => [nameOf(need), need]))];
    const rows = await this.deps.db.read<{ n: number }>(
      `SELECT n.n FROM unnest($1::text[], $2::text[], $3::bigint[]) WITH ORDINALITY AS n(topic, key, version, n)
       LEFT JOIN state_rows s ON s.topic = n.topic AND s.key = n.key AND s.topic = ANY($1) AND s.key = ANY($2)
       WHERE coalesce(s.version, 0) < n.version`,
      [all.map(([, { topic }]) => topic), all.map(([, { key }]) => key), all.map(([, { version }]) => version)],
    );
    const behind = new Set(rows.map(({ n }) => all[Number(n) - 1]?.[0]));
    for (const need of needs) need.there = !behind.has(nameOf(need));
  }

  /** How long this instance has known a record: never longer than the record is on its topic. */
  private seenMs(seen: Hold['seen'], offset: string): number {
    const at = seen.find(({ upTo }) => upTo >= BigInt(offset))?.at;
    return at === undefined ? 0 : performance.now() - at;
  }

  /** Whether an event has waited long enough for its state. Both ages are never higher than the time that has passed. */
  private enough({ entry: { record }, topic }: Need, seen: Hold['seen']): boolean {
    const taken = Number(record.timestamp);
    const ageMs = Math.max(this.seenMs(seen, record.offset), taken > 0 ? this.deps.clock.agoMs('broker', taken) : 0);
    const over = ageMs - this.deps.limits.stateWaitMs;
    if (over < 0) return false;
    const compared = this.deps.reader()?.comparedAgo() ?? {};
    return !Object.hasOwn(compared, topic) || (compared[topic]?.() ?? Infinity) <= over;
  }
}
