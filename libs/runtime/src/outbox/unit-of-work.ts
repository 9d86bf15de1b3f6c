import {
  contractFault,
  type DataOf,
  type EventType,
  outputId,
  schemaOf,
  sourceOf,
  type TopicOf,
  toBinary,
} from '@countersign/contracts';
import type { Cause, NewJob, Output, PublishedEvent, StateOutput, Tx, TypeOn, Work } from '../api/runtime.js';
import type { Past } from '../inbox/past.js';
import { type Emitted, outgoing } from './outgoing.js';
import { cut, packed } from './packed.js';

export const causeKey = (cause: { source: string; id: string }): string => `${cause.source}\u0000${cause.id}`;

const firstOfState = 1_000_000;

const idOf = ({ headers }: Emitted): string => headers.ce_id as string;

/** A job as its row holds it. */
interface Scheduled {
  readonly kind: string;
  readonly id: string;
  readonly dueAt: string;
  readonly payload: unknown;
}

/** The type of an event on a topic: the given one, or the only one that the topic has. */
function typeOn({ name, types }: TopicOf, chosen?: EventType): EventType {
  const type = chosen ?? (types.length === 1 ? types[0] : undefined);
  if (type === undefined || !types.includes(type)) throw new Error(`${name} has ${types.join(', ')}, not ${type}`);
  return type;
}

interface OwnRow {
  readonly key: string;
  readonly version: number;
  readonly data: unknown;
}

/** Throws if readers would refuse a state and keep the previous one for ever. Its cause then becomes a dead letter. */
function readable(topic: string, key: string, type: string, data: unknown): void {
  const parsed = schemaOf(type)?.safeParse(data);
  if (!parsed) throw new Error(`${topic} ${key}: ${type} has no contract`);
  if (!parsed.success)
    throw new Error(`${topic} ${key}: no reader could read this ${type}: ${contractFault(parsed.error).detail}`);
}

/**
 * The rows of these keys, locked in key order. Most rows exist already, so it looks for them before it makes the missing ones.
 */
async function lockedRows(tx: Tx, topic: string, keys: readonly string[]): Promise<readonly OwnRow[]> {
  const hold = (wanted: readonly string[]) =>
    tx.query<OwnRow>(
      'SELECT key, version, data FROM own_state WHERE topic = $1 AND key = ANY($2) ORDER BY key FOR UPDATE',
      [topic, wanted],
    );
  const without = (wanted: readonly string[], rows: readonly OwnRow[]): readonly string[] => {
    const found = new Set(rows.map((row) => row.key));
    return wanted.filter((key) => !found.has(key));
  };
  const existing = await hold(keys);
  const missing = without(keys, existing);
  if (missing.length === 0) return existing;
  const made = await tx.query<OwnRow>(
    `INSERT INTO own_state (topic, key, version) SELECT $1, key, 0 FROM unnest($2::text[]) AS key ORDER BY key
     ON CONFLICT DO NOTHING RETURNING key, version, data`,
    [topic, missing],
  );
  const others = without(missing, made);
  return [...existing, ...made, ...(others.length > 0 ? await hold(others) : [])];
}

/** What a service may publish, and the events that it published before a restore. */
export interface Bounds {
  readonly writable: ReadonlySet<string>;
  readonly eventBytes: number;
  readonly past?: Past;
}

/** A unit of work. It collects events, state and jobs until `flush` writes them into the transaction. */
export class UnitOfWork implements Work {
  private readonly emitted = new Map<string, Emitted[]>();
  private readonly own = new Map<
    string,
    { version: number; data: unknown; changed?: { headers: string; value: string } }
  >();
  private readonly numbers = new Map<string, number>();
  private readonly jobs: { cause: Cause; job: Scheduled }[] = [];
  private readonly forks: UnitOfWork[] = [];

  constructor(
    private readonly service: string,
    readonly at: string,
    readonly tx: Tx,
    /**
     * An output that the broker would refuse is a bug of the code that emits it: the topic is not the service's, or the event is
     * too large.
     */
    private readonly bounds: Bounds,
    /** The trace context for causes that have none. */
    private readonly traceparent?: string | undefined,
  ) {}

  emit<To extends TopicOf>(cause: Cause, topic: To, given: Output<TypeOn<To>>): string {
    const output: { key: string; subject?: string; type?: EventType; data: unknown } = given;
    return idOf(this.add(cause, topic.name, output.key, typeOn(topic, output.type), output.data, output.subject));
  }

  async ownState<T extends EventType>(
    { name: topic }: TopicOf<T>,
    keys: readonly string[],
  ): Promise<Map<string, { version: number; data: DataOf<T> | null }>> {
    const wanted = [...new Set(keys)].filter((key) => !this.own.has(`${topic}\u0000${key}`)).sort();
    if (wanted.length > 0) {
      const rows = await lockedRows(this.tx, topic, wanted);
      for (const row of rows) this.own.set(`${topic}\u0000${row.key}`, { version: row.version, data: row.data });
    }
    return new Map(
      [...new Set(keys)].map((key) => {
        const { version, data } = this.own.get(`${topic}\u0000${key}`) ?? { version: 0, data: null };
        return [key, { version, data: data as DataOf<T> | null }];
      }),
    );
  }

  putState<To extends TopicOf>(cause: Cause, topic: To, output: StateOutput<TypeOn<To>>): number {
    const name = `${topic.name}\u0000${output.key}`;
    const type = typeOn(topic);
    const current = this.own.get(name);
    if (!current) throw new Error(`putState before ownState: ${topic.name} ${output.key}`);
    const version = current.version + 1;
    const data = { ...output.data, version, changedAt: this.at } as unknown as DataOf<TypeOn<To>>;
    readable(topic.name, output.key, type, data);
    const { headersText, value } = this.add(cause, topic.name, output.key, type, data, undefined, 'state');
    this.own.set(name, { version, data, changed: { headers: headersText, value } });
    return version;
  }

  /** For a key that `ownState` locked: the next version will be above this one, which was published already. */
  passOver(topic: string, key: string, version: number): void {
    const current = this.own.get(`${topic}\u0000${key}`);
    if (!current) throw new Error(`passOver before ownState: ${topic} ${key}`);
    current.version = Math.max(current.version, version);
  }

  schedule<P>(cause: Cause, { kind, ...job }: NewJob<P>): void {
    const traced = { ...cause, traceparent: cause.traceparent ?? this.traceparent };
    this.jobs.push({ cause: traced, job: { ...job, kind: kind.name } });
  }

  async published(
    by: 'id' | 'subject',
    values: readonly string[],
  ): Promise<ReadonlyMap<string, readonly PublishedEvent[]>> {
    return (await this.bounds.past?.published(this.tx, by, values)) ?? new Map();
  }

  /**
   * Drops outputs that were published before a restore. The published event stands, even if its cause would now make another one.
   */
  async withhold(): Promise<void> {
    const ids = [...this.emitted.values()].flat().map(idOf);
    const published = await this.published('id', ids);
    if (published.size === 0) return;
    for (const [name, messages] of this.emitted)
      this.emitted.set(
        name,
        messages.filter((output) => !published.has(idOf(output))),
      );
  }

  /** The scheduled jobs, also those of its forks, so that the runner knows of them before its next look. */
  get scheduled(): readonly Scheduled[] {
    return [...this.jobs.map(({ job }) => job), ...this.forks.flatMap((fork) => fork.scheduled)];
  }

  /** The outputs of one cause so far, in order. */
  messagesOf(cause: { source: string; id: string }): readonly Emitted[] {
    return this.emitted.get(causeKey(cause)) ?? [];
  }

  /**
   * The causes that emitted events, as `causeKey` names them. Throws if one is not known, because its outputs would not be
   * stored.
   */
  causesAmong(known: Iterable<string>): readonly string[] {
    const names = new Set(known);
    const causes = [...this.emitted.keys()];
    const strange = causes.find((name) => !names.has(name));
    if (strange !== undefined)
      throw new Error(`emit: the cause ${strange.replace('\u0000', ' ')} is not one of this call`);
    return causes;
  }

  /** Another unit in the same transaction, whose outputs can be thrown away. */
  fork(): UnitOfWork {
    const fork = new UnitOfWork(this.service, this.at, this.tx, this.bounds, this.traceparent);
    this.forks.push(fork);
    return fork;
  }

  /** Takes messages that another unit made, under a cause of this unit. */
  adopt(cause: { source: string; id: string }, messages: readonly Emitted[]): void {
    this.emitted.set(causeKey(cause), [...this.messagesOf(cause), ...messages]);
  }

  /** Writes own state and jobs. The caller stores the outputs, because only the caller knows their row. */
  flush(): void {
    const changed = [...this.own].filter(([, row]) => row.changed);
    if (changed.length > 0) {
      // The value is the JSON of the data. It is sent once and stored twice: as the text to publish, and as data to read.
      const values = packed(changed.map(([, row]) => row.changed?.value ?? null));
      this.tx.write(
        `UPDATE own_state o SET version = n.version, data = n.value::jsonb, headers = n.headers, value = n.value, changed_at = $6
         FROM (SELECT topic, key, version, headers, ${cut('$5', 'start', 'length')} AS value
               FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $7::int[], $8::int[])
                 AS u(topic, key, version, headers, start, length)) n
         WHERE o.topic = ANY($1) AND o.key = ANY($2) AND o.topic = n.topic AND o.key = n.key`,
        [
          changed.map(([name]) => name.split('\u0000')[0]),
          changed.map(([name]) => name.split('\u0000')[1]),
          changed.map(([, row]) => row.version),
          changed.map(([, row]) => row.changed?.headers),
          values.bytes,
          this.at,
          values.starts,
          values.lengths,
        ],
      );
    }
    if (this.jobs.length > 0) {
      const payloads = packed(this.jobs.map(({ job }) => JSON.stringify(job.payload)));
      this.tx.write(
        `INSERT INTO jobs (kind, id, due_at, payload, cause, created_at)
         SELECT kind, id, due_at, ${cut('$4', 'start', 'length')}::jsonb, cause::jsonb, $6
         FROM unnest($1::text[], $2::text[], $3::timestamptz[], $5::text[], $7::int[], $8::int[]) AS n(kind, id, due_at, cause, start, length)
         ORDER BY kind, id ON CONFLICT DO NOTHING`,
        [
          this.jobs.map(({ job }) => job.kind),
          this.jobs.map(({ job }) => job.id),
          this.jobs.map(({ job }) => job.dueAt),
          payloads.bytes,
          this.jobs.map(({ cause }) => JSON.stringify(cause)),
          this.at,
          payloads.starts,
          payloads.lengths,
        ],
      );
    }
  }

  /** State has its own numbers. How much state an event changes depends on earlier state, and the ids of events must not. */
  private number(cause: Cause, kind: 'event' | 'state'): number {
    const name = `${kind}\u0000${causeKey(cause)}`;
    const n = this.numbers.get(name) ?? 0;
    this.numbers.set(name, n + 1);
    return kind === 'state' ? firstOfState + n : n;
  }

  private add(
    cause: Cause,
    topic: string,
    key: string,
    type: string,
    data: unknown,
    subject?: string,
    kind: 'event' | 'state' = 'event',
  ): Emitted {
    if (!this.bounds.writable.has(topic)) throw new Error(`${this.service} may not write ${topic}`);
    const list = this.emitted.get(causeKey(cause)) ?? [];
    this.emitted.set(causeKey(cause), list);
    const id = outputId(this.service, cause, this.number(cause, kind));
    const traceparent = cause.traceparent ?? this.traceparent;
    const message = toBinary({
      id,
      source: sourceOf(this.service),
      type,
      time: this.at,
      ...(subject !== undefined && { subject }),
      ...(cause.correlationid !== undefined && { correlationid: cause.correlationid }),
      causationid: cause.causationid ?? cause.id,
      ...(traceparent !== undefined && { traceparent }),
      data,
    });
    const emitted: Emitted = { ...outgoing({ topic, key, ...message }), data };
    if (emitted.bytes > this.bounds.eventBytes)
      throw new Error(`${type} of ${emitted.bytes} bytes: at most ${this.bounds.eventBytes} are published`);
    list.push(emitted);
    return emitted;
  }
}
