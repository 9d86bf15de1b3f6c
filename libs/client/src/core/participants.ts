import type { Deployment } from '@countersign/contracts';
import { Misused } from './edit.js';

export type Source = Deployment['sources'][number];

/** The Kafka sources as which this command line can publish. */
const kafkaSources = ({ sources }: Deployment): readonly Source[] => sources.filter(({ via }) => via === 'kafka');

/**
 * The Kafka source of a name, otherwise `upstream`, otherwise the first one: the ids of replayed signals depend on it. If there is
 * none, throws `Misused` and lists the sources that exist.
 */
export function publisherOf(deployment: Deployment, name?: string): Source {
  const known = kafkaSources(deployment);
  const found =
    known.find((source) => source.name === (name ?? 'upstream')) ?? (name === undefined ? known[0] : undefined);
  if (found) return found;
  const names = known.map((source) => source.name).join(', ');
  if (known.length > 0) throw new Misused(`--source ${name}: of the sources that write to Kafka there is ${names}`);
  throw new Misused('signals are published as a source with `via: kafka`, and the configuration lists none: add one');
}

/** A member of the list other than this one. */
export const anotherThan = (excluded: string, all: readonly string[]): string | undefined =>
  all.find((name) => name !== excluded);
