import type { Range } from '@countersign/client';
import type { DataOf, Deployment, Event, EventType, Fault, Policy } from '@countersign/contracts';
import type { TaskFact, VerifyKeys } from '@countersign/gate';

/** The place of a record, and when the broker accepted it. */
export interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly at: string;
}

/** A record that its contract can read. If a record was published twice, it is seen twice. */
export interface Seen<T extends EventType = EventType> {
  readonly place: Place;
  readonly event: Event<T>;
}

/** A verdict as the validator published it. */
export type VerdictSeen = Seen<'ActionApproved'> | Seen<'ActionRefused'> | Seen<'ActionEscalated'>;

/** What the validator's tables have about a verdict; read after the topics. */
export interface StoredVerdict {
  /** It has the verdict, or its permit. */
  readonly known: boolean;
  /** The stored inputs of the verdict; null if none are stored. */
  readonly facts: unknown;
}

/** A verdict to be judged again; `kept` is null if the tables could not be read. */
export interface Chosen {
  readonly seen: VerdictSeen;
  readonly stored: StoredVerdict | null;
}

/** An inbound signal: only its identity, never its content. */
export interface Inbound {
  readonly place: Place;
  readonly source: string | null;
  readonly id: string | null;
}

/** What the sandbox systems show, read before the topics: every effect here was approved on them. */
export interface Sandbox {
  readonly at: string;
  /** The newest thousand of each. */
  readonly messages: readonly { readonly messageId: string; readonly sentAt: string }[];
  readonly tasks: readonly { readonly taskId: string; readonly createdAt: string }[];
}

/** A row of the validator's reservations with its permit; read before the topics. */
export interface Reserved {
  readonly permitId: string;
  readonly issuedAt: string;
  readonly ledger: string;
  readonly amount: number;
  readonly state: 'held' | 'committed' | 'released';
}

/** The record, read after the topics. */
export interface RecordSeen {
  readonly ok: boolean;
  readonly size: number;
  readonly confirmed: number;
  /** When the oldest leaf that no checkpoint covers was appended. */
  readonly unconfirmedSince: string | null;
  readonly problems: readonly string[];
  /** `topic/partition/offset` to the SHA-256 in the leaf; null if the leaf has a commitment. */
  readonly leaves: ReadonlyMap<string, string | null>;
  /** Leaves of compacted topics that may be missing there, because a later record of their key is also on the record. */
  readonly superseded: ReadonlySet<string>;
  /** The digests of the actions in each proposal on the record, by author and id, because their topics delete them after a time. */
  readonly proposed: ReadonlyMap<string, ReadonlySet<string>>;
  /** The tasks that were assigned, by id, because sequences outlast their topic. */
  readonly assigned: ReadonlyMap<string, TaskFact>;
}

/** Every record on the topics, whether its contract can read it or not. Each must be found on the record. */
export interface Written {
  readonly place: Place;
  /** The digest of the bytes in the form that the record uses. */
  readonly sha256: string;
}

/** A version of a key of a state topic, on the topic or on the record; never its content. */
export interface StateSeen {
  readonly place: Place;
  readonly key: string;
  readonly version: number;
  readonly changedAt: string;
  /** Of the value's bytes. */
  readonly sha256: string;
  /** The digest of the value without version and time, so of its content. */
  readonly content: string;
  /** Its writer states in it that it passed over the version below, which somebody else wrote. */
  readonly aboveForeign: boolean;
}

/** A record of a state topic that readers do not accept as state, although it names a version. */
export interface NoState {
  readonly place: Place;
  readonly key: string;
  readonly version: number;
  /** The version is above any that is possible at its time. */
  readonly ahead: boolean;
}

/** A key for which a service holds something else than its writer does. 0: it has none. */
export interface Held {
  readonly reader: string;
  readonly topic: string;
  readonly key: string;
  readonly holds: number;
  readonly own: number;
  readonly changedAt: string | null;
}

/** What the services hold of the state topics; read before the topics. */
export interface HeldState {
  /** When the tables were read, or a little before. */
  readonly at: string;
  /** The version of each key in its writer's table, by topic, NUL and key. */
  readonly own: ReadonlyMap<string, number>;
  /** Topics whose writers' tables were read. */
  readonly writers: ReadonlySet<string>;
  readonly differ: readonly Held[];
  /** The policy in each reader's table, whatever its digests say. */
  readonly policies: readonly { readonly holder: string; readonly policy: Policy | null }[];
  readonly checked: number;
}

/**
 * Records that were deleted before a service read them, as its health page reports them. The page omits a gap once a person has
 * acknowledged it.
 */
export interface Missed {
  readonly service: string;
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  /** Exclusive; null: to the end of a topic that was deleted. */
  readonly to: number | null;
  readonly noticedAt: string;
}

/** Everything that is checked. Null: it could not be read, and what depends on it is not checked. */
export interface Observed {
  readonly at: string;
  /** The present participants: nothing is expected of an agent or an executor that is gone. */
  readonly participants: Pick<Deployment, 'agents' | 'executors'>;
  /** How long a step may take before its absence counts. */
  readonly graceSeconds: number;
  /** The time in which an executor must have read a stop or a withdrawal. */
  readonly toleranceSeconds: number;
  readonly keys: VerifyKeys;
  readonly seen: readonly Seen[];
  readonly inbound: readonly Inbound[];
  readonly unreadable: readonly { readonly place: Place; readonly fault: Fault }[];
  readonly written: readonly Written[];
  /** What was read of each partition, as `topic/partition`. */
  readonly ranges: ReadonlyMap<string, Range>;
  readonly states: readonly StateSeen[];
  readonly noStates: readonly NoState[];
  /** By state topic, how many of its records cannot be seen any more: compacted or deleted, and not stored on the record. */
  readonly unseen: ReadonlyMap<string, number>;
  readonly held: HeldState | null;
  readonly sandbox: Sandbox | null;
  readonly reserved: readonly Reserved[] | null;
  readonly record: RecordSeen | null;
  readonly missed: readonly Missed[];
  /** `verdicts`: how many there are to choose from. */
  readonly again: { readonly verdicts: number; readonly chosen: readonly Chosen[] };
  /** From the record: versions of profiles on which the chosen verdicts depend and that their topic has deleted. */
  readonly profilesThen: readonly DataOf<'ProfileChanged'>[];
}

export const placeName = ({ topic, partition, offset }: Pick<Place, 'topic' | 'partition' | 'offset'>): string =>
  `${topic}/${partition}/${offset}`;
