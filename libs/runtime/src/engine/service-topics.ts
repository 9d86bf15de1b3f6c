import { type Topic, topicNamed, topics } from '@countersign/contracts';
import type { LookedUp, ServiceSpec } from '../api/runtime.js';

/** The role of each topic of the installation for one service. */
export interface ServiceTopics {
  /** Every topic of the installation. */
  readonly all: readonly Topic[];
  /** Topics that the topology lets the service read. */
  readonly readable: readonly Topic[];
  /** The names of topics that it may write. */
  readonly writable: ReadonlySet<string>;
  /** Topics that it writes or reads. They must exist, and their settings are checked. */
  readonly used: readonly Topic[];
  /** Topics that it reads in any way, its own state included. Their ids and rights are watched. */
  readonly watched: readonly Topic[];
  /** State topics that it writes. */
  readonly ownState: readonly Topic[];
  /** Topics of which it has a table: state of others, and events that it looks up. */
  readonly followed: readonly Topic[];
  /** Of the followed topics, those whose events are looked up. */
  readonly lookedUp: ReadonlyMap<string, LookedUp>;
  /** The topic on which it confirms the controls in its table; undefined if it follows none, or may not write it. */
  readonly confirms: string | undefined;
  /**
   * Logs that it writes as the result of work. A confirmation is not work: it only describes the table, and each start publishes
   * it again.
   */
  readonly worksOn: readonly Topic[];
}

type Spec = Pick<ServiceSpec, 'name' | 'state' | 'ownState' | 'lookedUp'>;

/** Finds the role of each topic for a service, from the topology and the service's spec. */
export function serviceTopics(spec: Spec, all: readonly Topic[]): ServiceTopics {
  const named = (list: readonly { readonly name: string }[] = []) => list.map(({ name }) => topicNamed(name, all));
  const readable = all.filter(({ readers }) => readers.includes(spec.name));
  const written = all.filter(({ writer }) => writer === spec.name);
  const lookedUp = new Map((spec.lookedUp ?? []).map((lookup) => [lookup.topic.name, lookup as unknown as LookedUp]));
  const watched = new Set([...readable, ...named(spec.state), ...named(spec.ownState)]);
  const writable = new Set(written.map(({ name }) => name));
  const confirms = topics.controlsConfirmed(spec.name).name;
  return {
    all,
    readable,
    writable,
    used: all.filter((topic) => readable.includes(topic) || written.includes(topic)),
    watched: all.filter((topic) => watched.has(topic)),
    ownState: named(spec.ownState),
    followed: [...named(spec.state), ...named([...lookedUp.keys()].map((name) => ({ name })))],
    lookedUp,
    confirms: writable.has(confirms) && spec.state?.includes(topics.controls) ? confirms : undefined,
    worksOn: written.filter(({ kind, types, name }) => kind === 'log' && types.length > 0 && name !== confirms),
  };
}
