import { z } from 'zod';
import { SourceConfig } from './policy.js';
import { Name } from './primitives.js';
import { type Deployment, isService, services, shippedDeployment } from './topology.js';

/**
 * What `sources.yaml` of the configuration folder lists: where signals come from, and which agents and executors there are, where
 * these are not those as shipped. Each has a login of its own, so their names differ from each other's and from the services'.
 */
export const DeploymentFile = z
  .strictObject({
    sources: z.array(SourceConfig).min(1),
    agents: z.array(Name).min(1).optional(),
    executors: z.array(Name).min(1).optional(),
  })
  .superRefine((file, context) => {
    for (const { path, says } of misnamed(file)) context.addIssue({ code: 'custom', path: [...path], message: says });
  });
export type DeploymentFile = z.infer<typeof DeploymentFile>;

/**
 * The file that lists the sources, agents and executors, for services and command line the same: `SOURCES_FILE`, else `sources.yaml`
 * of `CONFIG_DIR`. Undefined where neither is set.
 */
export const deploymentFileOf = (env: Readonly<Record<string, string | undefined>>): string | undefined =>
  env.SOURCES_FILE || (env.CONFIG_DIR ? `${env.CONFIG_DIR.replace(/\/+$/, '')}/sources.yaml` : undefined);

/** Those who log in from elsewhere: sources that write to Kafka, and agents and executors that are no services of ours. */
export const outsidersOf = ({ sources, agents, executors }: Deployment): readonly string[] => [
  ...sources.filter(({ via }) => via === 'kafka').map(({ name }) => name),
  ...[...agents, ...executors].filter((name) => !isService(name)),
];

interface Misnamed {
  readonly path: readonly (string | number)[];
  readonly says: string;
}

function misnamed({ sources, agents = [], executors = [] }: DeploymentFile): Misnamed[] {
  const found: Misnamed[] = [];
  for (const [i, { name }] of sources.entries()) {
    if (sources.findIndex((other) => other.name === name) < i)
      found.push({ path: ['sources', i, 'name'], says: `another source has "${name}" already` });
  }
  const principals: { name: string; path: (string | number)[]; ours: readonly string[] }[] = [
    ...sources.flatMap(({ name, via }, i) =>
      via === 'kafka' ? [{ name, path: ['sources', i, 'name'], ours: [] }] : [],
    ),
    ...agents.map((name, i) => ({ name, path: ['agents', i], ours: shippedDeployment.agents })),
    ...executors.map((name, i) => ({ name, path: ['executors', i], ours: shippedDeployment.executors })),
  ];
  const seen = new Set<string>();
  for (const { name, path, ours } of principals) {
    const others = [...services, ...principals.map((p) => p.name)];
    const like = others.find((other) => other !== name && (other.startsWith(name) || name.startsWith(other)));
    if (isService(name) && !ours.includes(name))
      found.push({ path, says: `"${name}" is a service that has another part` });
    else if (seen.has(name)) found.push({ path, says: `"${name}" is listed already, and one login has one part only` });
    // A login may use every consumer group that begins with its name.
    else if (like)
      found.push({ path, says: `one of "${name}" and "${like}" begins with the other; choose another name` });
    seen.add(name);
  }
  return found;
}
