import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { DeploymentFile } from './deployment.js';
import { Charter, Play, PolicyContent, Route, Rules, Sequence } from './policy.js';
import { type Deployment, shippedDeployment } from './topology.js';

/** A file of the configuration folder, `path` relative to it with `/`: `charters/paid-media-agent.yaml`. */
export interface ConfigFile {
  readonly path: string;
  readonly text: string;
}

/** What is wrong with a configuration: where to look (file, line from 1, path to the field) and what was expected. */
export interface ConfigProblem {
  readonly file: string;
  readonly line?: number;
  readonly field: string;
  readonly says: string;
}

export type ReadConfig =
  | { readonly ok: true; readonly content: PolicyContent }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/**
 * Reads the configuration folder's files into one policy bundle: `charters/`, `plays/` and `sequences/` hold one each per
 * file, `rules.yaml` the rules, `routes.yaml` a list. Other files are not looked at. Lists come out ordered by id, so the
 * digest does not depend on file names. Every problem is reported, not the first only; nothing is guessed or defaulted. Without a
 * deployment, the names of agents and executors are not checked: for who reports that it cannot be read beside this.
 */
export function readConfig(
  files: readonly ConfigFile[],
  deployment: Pick<Deployment, 'agents' | 'executors'> | undefined,
): ReadConfig {
  const problems: ConfigProblem[] = [];
  const charters = readAll(files, 'charters', Charter, problems);
  const plays = readAll(files, 'plays', Play, problems);
  const sequences = readAll(files, 'sequences', Sequence, problems);
  const rules = readOne(files, 'rules.yaml', Rules, problems);
  const routes = readOne(files, 'routes.yaml', Route.array(), problems);

  unique(charters, 'agent', (c) => c.agent, problems);
  unique(plays, 'id', (p) => p.id, problems);
  unique(sequences, 'id', (s) => s.id, problems);
  for (const part of charters) checkCharter(part, deployment?.agents, problems);
  for (const part of plays) checkPlay(part, charters, sequences, problems);
  if (routes) checkRoutes(routes, charters, deployment?.executors, problems);

  if (problems.length > 0 || !rules || !routes) return { ok: false, problems };
  const content = PolicyContent.parse({
    charters: ordered(charters.map(contentOf), (c) => c.agent),
    plays: ordered(plays.map(contentOf), (p) => p.id),
    sequences: ordered(sequences.map(contentOf), (s) => s.id),
    rules: rules.value,
    routes: routes.value,
  });
  return { ok: true, content };
}

export type ReadDeployment =
  | { readonly ok: true; readonly deployment: Deployment }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/**
 * Reads `sources.yaml` of the configuration folder's files: the installation's sources, agents and executors. Agents and executors
 * that it does not list are those as shipped. Every problem is reported, a missing file too.
 */
export function readDeployment(files: readonly ConfigFile[]): ReadDeployment {
  const problems: ConfigProblem[] = [];
  const file = readOne(files, 'sources.yaml', DeploymentFile, problems);
  if (!file) return { ok: false, problems };
  const { sources, agents = shippedDeployment.agents, executors = shippedDeployment.executors } = file.value;
  return { ok: true, deployment: { sources, agents, executors } };
}

/** One line for a terminal or a log: `plays/surge.yaml:12 tasks.0.agent: …`. */
export const problemLine = ({ file, line, field, says }: ConfigProblem): string =>
  `${file}${line === undefined ? '' : `:${line}`}${field === '' ? '' : ` ${field}`}: ${says}`;

type Path = readonly (string | number)[];

/** A part that has its shape, and how to complain about a field of it. */
interface Part<T> {
  readonly value: T;
  problem(path: Path, says: string): ConfigProblem;
}

const contentOf = <T>({ value }: Part<T>): T => value;

function readAll<T>(files: readonly ConfigFile[], folder: string, schema: z.ZodType<T>, problems: ConfigProblem[]) {
  const found = files.filter(({ path }) => path.startsWith(`${folder}/`) && path.endsWith('.yaml'));
  return ordered(found, (file) => file.path)
    .map((file) => readPart(file, schema, problems))
    .filter((part) => part !== undefined);
}

function readOne<T>(files: readonly ConfigFile[], name: string, schema: z.ZodType<T>, problems: ConfigProblem[]) {
  const file = files.find(({ path }) => path === name);
  if (file) return readPart(file, schema, problems);
  problems.push({ file: name, field: '', says: 'is missing' });
  return undefined;
}

function readPart<T>(file: ConfigFile, schema: z.ZodType<T>, problems: ConfigProblem[]): Part<T> | undefined {
  const lines = new LineCounter();
  const document = parseDocument(file.text, { lineCounter: lines, prettyErrors: false });
  const syntax = document.errors[0];
  if (syntax) {
    problems.push({ file: file.path, line: lines.linePos(syntax.pos[0]).line, field: '', says: syntax.message });
    return undefined;
  }
  const lineOf = (path: Path): number => {
    // A field that is missing has no line of its own; its nearest ancestor has.
    for (let end = path.length; end > 0; end -= 1) {
      const node = document.getIn(path.slice(0, end), true) as { range?: [number, number, number] | null } | undefined;
      if (node?.range) return lines.linePos(node.range[0]).line;
    }
    return 1;
  };
  const problem = (path: Path, says: string): ConfigProblem => ({
    file: file.path,
    line: lineOf(path),
    field: path.join('.'),
    says,
  });
  const parsed = schema.safeParse(document.toJS());
  if (parsed.success) return { value: parsed.data, problem };
  for (const issue of parsed.error.issues) {
    const path = issue.path.filter((step) => typeof step !== 'symbol');
    if (issue.code !== 'unrecognized_keys') problems.push(problem(path, issue.message));
    else for (const key of issue.keys) problems.push(problem([...path, key], 'is not a setting that exists'));
  }
  return undefined;
}

function unique<T>(parts: readonly Part<T>[], field: string, idOf: (value: T) => string, problems: ConfigProblem[]) {
  const seen = new Set<string>();
  for (const part of parts) {
    const id = idOf(part.value);
    if (seen.has(id)) problems.push(part.problem([field], `another file has "${id}" already`));
    seen.add(id);
  }
}

function checkCharter(part: Part<Charter>, agents: readonly string[] | undefined, problems: ConfigProblem[]) {
  const { agent, timeZone } = part.value;
  if (agents && !agents.includes(agent)) problems.push(part.problem(['agent'], `no such agent; ${known(agents)}`));
  try {
    new Intl.DateTimeFormat('en', { timeZone });
  } catch {
    problems.push(part.problem(['timeZone'], `"${timeZone}" is not an IANA time zone such as Europe/Paris`));
  }
}

function checkPlay(
  part: Part<Play>,
  charters: readonly Part<Charter>[],
  sequences: readonly Part<Sequence>[],
  problems: ConfigProblem[],
) {
  for (const [i, task] of part.value.tasks.entries()) {
    const charter = charters.find(({ value }) => value.agent === task.agent)?.value;
    if (!charter) {
      const agents = charters.map(({ value }) => value.agent);
      problems.push(part.problem(['tasks', i, 'agent'], `has no charter; ${known(agents)}`));
      continue;
    }
    for (const [k, kind] of task.kinds.entries()) {
      if (charter.kinds[kind] === undefined) {
        const says = `the charter of ${task.agent} does not allow ${kind}; it allows ${Object.keys(charter.kinds).join(', ')}`;
        problems.push(part.problem(['tasks', i, 'kinds', k], says));
      }
    }
    const sequence = task.settings?.sequence;
    if (sequence !== undefined && !sequences.some(({ value }) => value.id === sequence)) {
      const ids = sequences.map(({ value }) => value.id);
      problems.push(part.problem(['tasks', i, 'settings', 'sequence'], `no such sequence; ${known(ids)}`));
    }
  }
}

function checkRoutes(
  part: Part<Route[]>,
  charters: readonly Part<Charter>[],
  executors: readonly string[] | undefined,
  problems: ConfigProblem[],
) {
  for (const [i, route] of part.value.entries()) {
    if (executors && !executors.includes(route.executor)) {
      problems.push(part.problem([i, 'executor'], `no such executor; ${known(executors)}`));
    }
  }
  const routed = new Set(part.value.filter((r) => r.accounts === undefined).flatMap((r): string[] => r.kinds));
  const allowed = new Set(charters.flatMap(({ value }) => Object.keys(value.kinds)));
  for (const kind of [...allowed].sort()) {
    if (!routed.has(kind))
      problems.push(part.problem([], `no route for all accounts runs ${kind}, which a charter allows`));
  }
}

const known = (names: readonly string[]): string =>
  names.length === 0 ? 'there is none' : `there is ${names.join(', ')}`;

const ordered = <T>(items: readonly T[], by: (item: T) => string): T[] =>
  [...items].sort((a, b) => (by(a) < by(b) ? -1 : 1));
