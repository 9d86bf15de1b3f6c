import { z } from 'zod';
import { listOf } from './at-most.js';
import {
  checkCharter,
  checkPlay,
  checkRates,
  checkRoutes,
  checkRules,
  checkSequence,
  type Known,
  oddities,
} from './config-checks.js';
import { type ConfigFile, type ConfigProblem, type Part, type Path, readPart } from './config-file.js';
import { DeploymentFile } from './deployment.js';
import { nearest } from './nearest.js';
import { type Notifications, notificationsFile, readNotifications, remarksOn } from './notifications.js';
import {
  type Charter,
  CharterFile,
  mostPeople,
  Play,
  PolicyContent,
  Rates,
  Routes,
  Rules,
  Sequence,
} from './policy.js';
import { Name } from './primitives.js';
import { type Deployment, shippedDeployment } from './topology.js';

/** The content of `people.yaml`: everybody whom charters and plays may name. It does not decide who may log in. */
const PeopleFile = z.strictObject({ people: listOf(Name, mostPeople, 1) });

export type ReadConfig =
  | {
      readonly ok: true;
      readonly content: PolicyContent;
      readonly deployment: Deployment;
      /** Warnings: not faults, but perhaps mistakes. */
      readonly notes: readonly ConfigProblem[];
    }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/**
 * Reads the configuration folder's files: `charters/`, `plays/` and `sequences/` hold one each per file, `rules.yaml` the rules,
 * `routes.yaml` a list, `rates.yaml` the exchange rates if there are any, `people.yaml` whom these may name, `sources.yaml` who takes
 * part. `notifications.yaml` is the console's own and no part of the policy; it is checked with the others. Any other file is a
 * problem. The policy's lists come out ordered by id, so the
 * digest does not depend on file names. Every problem is reported, not the first only: a part that does not have its shape, and
 * whatever can never match or never run. Nothing is guessed or defaulted.
 *
 * @param deployment who takes part, for a folder whose services have another file for that; else `sources.yaml` says it
 */
export function readConfig(files: readonly ConfigFile[], deployment?: Deployment): ReadConfig {
  const problems: ConfigProblem[] = files.flatMap(misplaced);
  const complain = (part: Part<unknown>, path: Path, detail: string) => void problems.push(part.problem(path, detail));
  const charters = readAll(files, 'charters', CharterFile, problems);
  const plays = readAll(files, 'plays', Play, problems);
  const sequences = readAll(files, 'sequences', Sequence, problems);
  const rules = readOne(files, 'rules.yaml', Rules, problems);
  const routes = readOne(files, 'routes.yaml', Routes, problems);
  const rates = readOptional(files, ratesFile, Rates, problems);
  const people = readOne(files, 'people.yaml', PeopleFile, problems);
  const installed = deployment ?? deploymentIn(files, problems);
  const notifications = notificationsIn(files, problems);

  unique(charters, 'agent', (c) => c.agent, problems);
  unique(plays, 'id', (p) => p.id, problems);
  unique(sequences, 'id', (s) => s.id, problems);
  const known: Known = {
    people: people?.value.people,
    agents: installed?.agents,
    executors: installed?.executors,
    sources: installed?.sources.map(({ source }) => source),
    // If one element of a list is broken, no element is reported as missing.
    chartered: whole(files, 'charters', charters)?.map(({ agent }) => agent),
    sequences: whole(files, 'sequences', sequences)?.map(({ id }) => id),
  };
  for (const part of charters) checkCharter(part, known, rules, complain);
  for (const part of sequences) checkSequence(part, complain);
  for (const part of plays) checkPlay(part, charters, known, complain);
  if (rules) checkRules(rules, known, complain);
  if (rates) checkRates(rates, complain);
  if (routes) checkRoutes(routes, charters, known, complain);

  if (problems.length > 0 || !rules || !routes || !installed) return { ok: false, problems };
  const content = PolicyContent.parse({
    charters: ordered(charters.map(contentOf), (c) => c.agent),
    plays: ordered(plays.map(contentOf), (p) => p.id),
    sequences: ordered(sequences.map(contentOf), (s) => s.id),
    rules: rules.value,
    routes: routes.value,
    ...(rates && { rates: rates.value }),
  });
  const size = JSON.stringify(content).length;
  if (size > maxBytes)
    return {
      ok: false,
      problems: [{ file: '.', field: '', detail: `has ${size} characters in all; an event takes ${maxBytes}` }],
    };
  const notes: ConfigProblem[] = notifications ? remarksOn(notifications) : [];
  notes.push(...nobodyNotified(charters, notifications));
  oddities(charters, plays, sequences, rules, (part, path, detail) => void notes.push(part.problem(path, detail)));
  return { ok: true, content, deployment: installed, notes };
}

/** Kinds at the tier notify, if notifications.yaml notifies nobody of what an agent does alone. */
function nobodyNotified(
  charters: readonly Part<Charter>[],
  notifications: Part<Notifications> | undefined,
): ConfigProblem[] {
  if (notifications?.value.tell.some(({ event }) => event === 'acted-alone')) return [];
  return charters.flatMap((part) =>
    Object.entries(part.value.kinds)
      .filter(([, tier]) => tier === 'notify')
      .map(([kind]) =>
        part.problem(
          ['kinds', kind],
          `nobody would be notified: ${notificationsFile} has no rule for the event acted-alone`,
        ),
      ),
  );
}

/** A policy is published as one event. */
const maxBytes = 800_000;

export type ReadDeployment =
  | { readonly ok: true; readonly deployment: Deployment }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/**
 * Reads `sources.yaml` of the configuration folder's files: the installation's sources, agents and executors. If it does not list
 * agents or executors, the shipped ones apply. Every problem is reported, including a missing file.
 */
export function readDeployment(files: readonly ConfigFile[]): ReadDeployment {
  const problems: ConfigProblem[] = [];
  const deployment = deploymentIn(files, problems);
  return deployment ? { ok: true, deployment } : { ok: false, problems };
}

function deploymentIn(files: readonly ConfigFile[], problems: ConfigProblem[]): Deployment | undefined {
  const file = readOne(files, 'sources.yaml', DeploymentFile, problems);
  if (!file) return undefined;
  const { sources, agents = shippedDeployment.agents, executors = shippedDeployment.executors } = file.value;
  return { sources, agents, executors };
}

function notificationsIn(files: readonly ConfigFile[], problems: ConfigProblem[]): Part<Notifications> | undefined {
  const file = files.find(({ path }) => path === notificationsFile);
  const read = file && readNotifications(file);
  if (read?.ok === false) problems.push(...read.problems);
  return read?.ok ? read.part : undefined;
}

const contentOf = <T>({ value }: Part<T>): T => value;
const folders = ['charters', 'plays', 'sequences'];
const places = folders.map((folder) => `${folder}/`);
const single = ['rules.yaml', 'routes.yaml', 'people.yaml', 'sources.yaml'];
const isOf = (folder: string, path: string): boolean =>
  path.startsWith(`${folder}/`) && /(^|\/)[^./][^/]*\.yaml$/.test(path);

/** The exchange rates. */
const ratesFile = 'rates.yaml';
/** Files that may be absent: the exchange rates, and the file of the console that is no part of the policy. */
const beside = [notificationsFile, ratesFile];

/** Reports a file that nothing reads, because its author expects that it is read. Texts for people may be in the folder. */
function misplaced({ path }: ConfigFile): ConfigProblem[] {
  if ([...single, ...beside].includes(path) || folders.some((folder) => isOf(folder, path)) || path.endsWith('.md'))
    return [];
  const problem = (detail: string): ConfigProblem[] => [{ file: path, field: '', detail: `is not read: ${detail}` }];
  const [folder = '', ...rest] = path.split('/');
  const named = path.replace(/\.[^/]*$/, '');
  if (/(^|\/)\.[^/]*$/.test(path)) return problem('its name begins with a dot');
  if (rest.length === 0) {
    const meant = nearest(path, [...single, ...beside]) ?? single.find((file) => file.startsWith(`${named}.`));
    return problem(meant ? `did you mean "${meant}"?` : `there is ${[...single, ...places].join(', ')}`);
  }
  if (folders.includes(folder))
    return problem(`its name does not end in .yaml; rename it to "${named}.yaml", or move it away`);
  const meant = nearest(folder, folders);
  return problem(meant ? `did you mean "${meant}/"?` : `there is ${places.join(', ')}`);
}

function readAll<T>(files: readonly ConfigFile[], folder: string, schema: z.ZodType<T>, problems: ConfigProblem[]) {
  const found = files.filter(({ path }) => isOf(folder, path));
  return ordered(found, (file) => file.path)
    .map((file) => readPart(file, schema, problems))
    .filter((part) => part !== undefined);
}

const whole = <T>(files: readonly ConfigFile[], folder: string, parts: readonly Part<T>[]): readonly T[] | undefined =>
  parts.length === files.filter(({ path }) => isOf(folder, path)).length ? parts.map(contentOf) : undefined;

function readOne<T>(files: readonly ConfigFile[], name: string, schema: z.ZodType<T>, problems: ConfigProblem[]) {
  const file = files.find(({ path }) => path === name);
  if (file) return readPart(file, schema, problems);
  problems.push({ file: name, field: '', detail: 'is missing' });
  return undefined;
}

/** A file that is not there, or has nothing but comments, sets nothing. */
function readOptional<T>(files: readonly ConfigFile[], name: string, schema: z.ZodType<T>, problems: ConfigProblem[]) {
  const file = files.find(({ path }) => path === name);
  const empty = !file || ('text' in file && file.text.split('\n').every((line) => /^\s*(#|$)/.test(line)));
  return empty ? undefined : readPart(file, schema, problems);
}

function unique<T>(parts: readonly Part<T>[], field: string, idOf: (value: T) => string, problems: ConfigProblem[]) {
  const seen = new Map<string, string>();
  for (const part of parts) {
    const id = idOf(part.value);
    const other = seen.get(id);
    if (other !== undefined) problems.push(part.problem([field], `another file has "${id}" already: ${other}`));
    else seen.set(id, part.file);
  }
}

const ordered = <T>(items: readonly T[], by: (item: T) => string): T[] =>
  [...items].sort((a, b) => (by(a) < by(b) ? -1 : 1));
