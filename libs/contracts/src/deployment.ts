import { z } from 'zod';
import { listOf } from './at-most.js';
import { SourceConfig } from './policy.js';
import { Name } from './primitives.js';
import { type Deployment, isService, services, shippedDeployment } from './topology.js';

/**
 * The content of `sources.yaml` in the configuration folder: where signals come from, and the agents and executors, if they differ
 * from the shipped ones. Each has a login of its own, so all names differ from each other and from the services' names.
 */
export const DeploymentFile = z
  .strictObject({
    sources: listOf(SourceConfig, 1000, 1),
    agents: listOf(Name, 1000, 1).optional(),
    executors: listOf(Name, 1000, 1).optional(),
  })
  .superRefine((file, context) => {
    for (const { path, detail } of misnamed(file))
      context.addIssue({ code: 'custom', path: [...path], message: detail });
  });
export type DeploymentFile = z.infer<typeof DeploymentFile>;

/**
 * The file that lists the sources, agents and executors, the same for services and command line: `SOURCES_FILE`, otherwise
 * `sources.yaml` of `CONFIG_DIR`. Undefined if neither is set.
 */
export const deploymentFileOf = (env: Readonly<Record<string, string | undefined>>): string | undefined =>
  env.SOURCES_FILE || (env.CONFIG_DIR ? `${env.CONFIG_DIR.replace(/\/+$/, '')}/sources.yaml` : undefined);

/** Principals that log in from elsewhere: sources that write to Kafka, and agents and executors that are not services of ours. */
export const outsidersOf = ({ sources, agents, executors }: Deployment): readonly string[] => [
  ...sources.filter(({ via }) => via === 'kafka').map(({ name }) => name),
  ...[...agents, ...executors].filter((name) => !isService(name)),
];

interface Misnamed {
  readonly path: readonly (string | number)[];
  readonly detail: string;
}

function misnamed({ sources, agents = [], executors = [] }: DeploymentFile): Misnamed[] {
  const found: Misnamed[] = [];
  for (const [i, { name }] of sources.entries()) {
    if (sources.findIndex((other) => other.name === name) < i)
      found.push({ path: ['sources', i, 'name'], detail: `another source has "${name}" already` });
  }
  const principals: { name: string; path: (string | number)[]; ours: readonly string[] }[] = [
    ...sources.flatMap(({ name, via }, i) =>
      via === 'kafka' ? [{ name, path: ['sources', i, 'name'], ours: [] }] : [],
    ),
    ...agents.map((name, i) => ({ name, path: ['agents', i], ours: shippedDeployment.agents })),
    ...executors.map((name, i) => ({ name, path: ['executors', i], ours: shippedDeployment.executors })),
  ];
  found.push(...sharedSources(sources));
  const seen = new Set<string>();
  for (const { name, path, ours } of principals) {
    const others = [...services, ...reserved, ...principals.map((p) => p.name)];
    const like = others.find((other) => other !== name && (other.startsWith(name) || name.startsWith(other)));
    if (reserved.includes(name))
      found.push({ path, detail: `"${name}" is reserved: the installation itself has this name` });
    else if (isService(name) && !ours.includes(name))
      found.push({ path, detail: `"${name}" is a service that has another part` });
    else if (seen.has(name))
      found.push({ path, detail: `"${name}" is listed already, and one login has one part only` });
    // This prevents access to another principal's consumer group, even if the broker still has an old ACL, or a person's own ACL by
    // prefix.
    else if (like)
      found.push({ path, detail: `one of "${name}" and "${like}" begins with the other; choose another name` });
    seen.add(name);
  }
  return found;
}

/** Names that the installation uses on its broker in addition to the services: its administrator, and the place of its mark. */
const reserved: readonly string[] = ['admin', 'auditor', 'countersign'];

/** An event is identified by its source and id. If two sources had the same one, either could use up the other's ids. */
function sharedSources(sources: DeploymentFile['sources']): Misnamed[] {
  return sources.flatMap(({ source }, i): Misnamed[] => {
    const path = ['sources', i, 'source'];
    if (source === ours || source.startsWith(`${ours}/`))
      return [{ path, detail: `events from ${ours} are the installation's own` }];
    if (!/^[\x21-\x7e]+$/.test(source) || source.endsWith('/'))
      return [{ path, detail: 'printable ASCII without spaces is expected, not ending in a slash' }];
    const other = sources.find(
      (declared, k) => k !== i && (declared.source === source ? k < i : source.startsWith(`${declared.source}/`)),
    );
    return other
      ? [{ path, detail: `"${other.name}" has the source ${other.source} already, and all that begins with it` }]
      : [];
  });
}

const ours = '/countersign';
