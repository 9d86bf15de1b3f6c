import type { Deployment } from '@countersign/contracts';
import { Misused } from './edit.js';

export type Source = Deployment['sources'][number];

/** The Kafka sources, as which this command line can publish. */
const kafkaSources = ({ sources }: Deployment): readonly Source[] => sources.filter(({ via }) => via === 'kafka');

/**
 * The Kafka source of a name, else `upstream`, else the first that there is: the ids of what is replayed depend on it. Throws
 * `Misused` where there is none, and says which there are.
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

/** Another of several than this one. */
export const anotherThan = (excluded: string, all: readonly string[]): string | undefined =>
  all.find((name) => name !== excluded);
