import { type Topic, topicNamed, topics } from '@countersign/contracts';
import type { LookedUp, ServiceSpec } from '../api/runtime.js';

/** What each topic of the installation is to one service. */
export interface ServiceTopics {
  /** Every topic of the installation. */
  readonly all: readonly Topic[];
  /** Those that the topology lets it read. */
  readonly readable: readonly Topic[];
  /** The names of those that it may write. */
  readonly writable: ReadonlySet<string>;
  /** Those that it writes or reads: they have to be there, and their settings are looked at. */
  readonly used: readonly Topic[];
  /** Those that it reads in one way or another, its own state included: their ids and rights are watched. */
  readonly watched: readonly Topic[];
  /** State topics that it writes. */
  readonly ownState: readonly Topic[];
  /** Topics that it keeps a table of: state of others, and events that it looks up. */
  readonly followed: readonly Topic[];
  /** Of those followed, what is kept of events that are looked up. */
  readonly lookedUp: ReadonlyMap<string, LookedUp>;
  /** Where it confirms the controls that its table has; undefined where it follows none, or may not. */
  readonly confirms: string | undefined;
  /** Logs that it writes when it works. A confirmation is no work: it tells of a table as it is, and a start says it once more. */
  readonly worksOn: readonly Topic[];
}

type Spec = Pick<ServiceSpec, 'name' | 'state' | 'ownState' | 'lookedUp'>;

/** Finds what each topic is to a service, by the topology and the service's spec. */
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
