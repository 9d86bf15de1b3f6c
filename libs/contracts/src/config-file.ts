import {
  type Document,
  isAlias,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml';
import { safeParse, type z } from 'zod';
import { didYouMean } from './nearest.js';

/** A file of the configuration folder, `path` relative to it with `/`: `charters/paid-media-agent.yaml`. */
export type ConfigFile =
  | { readonly path: string; readonly text: string }
  /** A file that could not be read, and why. */
  | { readonly path: string; readonly fault: string };

/** A fault of a configuration: its place (file, line and column from 1, path to the field) and what was expected. */
export interface ConfigProblem {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  readonly field: string;
  readonly detail: string;
}

/** One line for a terminal or a log: `plays/surge.yaml:12 tasks.0.agent: …`. */
export const problemLine = ({ file, line, field, detail }: ConfigProblem): string =>
  `${file}${line === undefined ? '' : `:${line}`}${field === '' ? '' : ` ${field}`}: ${detail}`;

/** The path to a field: names of members and positions in lists. */
export type Path = readonly (string | number)[];

/** A file that is valid by its schema, and the function that reports a fault of a field. */
export interface Part<T> {
  readonly file: string;
  readonly value: T;
  problem(path: Path, detail: string): ConfigProblem;
}

/** Reads one file by its schema. All faults are added to `problems`, each with its place. */
export function readPart<T>(file: ConfigFile, schema: z.ZodType<T>, problems: ConfigProblem[]): Part<T> | undefined {
  const { path: name } = file;
  if ('fault' in file) {
    problems.push({ file: name, field: '', detail: file.fault });
    return undefined;
  }
  const lines = new LineCounter();
  let document: Document.Parsed;
  let given: unknown;
  try {
    document = parseDocument(file.text, { lineCounter: lines, prettyErrors: false });
    const broken = faults(document);
    for (const { at, detail } of broken) problems.push({ file: name, ...placeOf(lines, at), field: '', detail });
    if (broken.length > 0) return undefined;
    given = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    problems.push({ file: name, field: '', detail: unreadable(error) });
    return undefined;
  }
  const problem = (path: Path, detail: string): ConfigProblem => ({
    file: name,
    ...placeOf(lines, offsetOf(document, path)),
    field: path.join('.'),
    detail,
  });
  problems.push(...inexact(document).map(({ path, detail }) => problem(path, detail)));
  const parsed = schema.safeParse(given);
  if (parsed.success) return { file: name, value: parsed.data, problem };
  const found = parsed.error.issues.flatMap(perSetting);
  for (const issue of found.slice(0, mostProblems))
    for (const detail of complaintsOf(issue, schema, given)) problems.push(problem(...detail));
  const more = found.length - mostProblems;
  if (more > 0) problems.push({ file: name, field: '', detail: `and ${more} more problems` });
  return undefined;
}

/** The most faults of one file that anybody reads. If nothing in a file fits, the rest say the same. */
const mostProblems = 100;

interface Fault {
  readonly at: number;
  readonly detail: string;
}

/** Faults that YAML itself reports, and members that no schema would see. */
function faults(document: Document.Parsed): Fault[] {
  const { errors, warnings, contents } = document;
  const repeated = errors.filter(({ code }) => code === 'DUPLICATE_KEY');
  const [broken] = errors.filter(({ code }) => code !== 'DUPLICATE_KEY');
  const found = [...(broken ? [broken] : []), ...repeated, ...warnings].map(({ code, message, pos }) => ({
    at: pos[0],
    detail: yamlMessages[code] ?? message,
  }));
  if (found.length > 0) return found;
  if (contents === null) return [{ at: 0, detail: 'is empty' }];
  visit(document, {
    Pair(_key, { key }) {
      const name = isScalar(key) ? key.value : undefined;
      if (typeof name === 'string' && name !== '__proto__') return undefined;
      if (isNode(key))
        found.push({ at: key.range?.[0] ?? 0, detail: `${nameless(key, name)} is no name of a setting` });
      return undefined;
    },
  });
  return found;
}

/** Whole numbers that no double can hold exactly. YAML would round them, and nobody would notice. */
function inexact(document: Document.Parsed): { readonly path: Path; readonly detail: string }[] {
  const found: { path: Path; detail: string }[] = [];
  visit(document, {
    Scalar(key, node, above) {
      const { value, source } = node;
      if (key === 'key' || typeof value !== 'number' || Number.isNaN(value)) return;
      if (Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value))) return;
      const given = (source ?? String(value)).slice(0, 40);
      const detail = `${given} is too large a number to be held exactly: at most ${Number.MAX_SAFE_INTEGER} is expected, or a text in quotes`;
      found.push({ path: pathTo([...above, node]), detail });
    },
  });
  return found;
}

/** The names and positions that lead to the last of these nodes. Each node is inside the one before it. */
const pathTo = (nodes: readonly unknown[]): Path =>
  nodes.flatMap((node, i): Path => {
    const parent = nodes[i - 1];
    if (isPair(node)) return isScalar(node.key) ? [String(node.key.value)] : [];
    return isSeq(parent) ? [parent.items.indexOf(node)] : [];
  });

/** An alias may stand for a name that already exists, or for one that no schema would see. YAML checks neither. */
const nameless = (key: Node, name: unknown): string =>
  isAlias(key) ? `the alias *${key.source}` : String(name ?? 'this');

const yamlMessages: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'this member is there already: Map keys must be unique',
  MULTIPLE_DOCS: 'holds several documents; put each into a file of its own',
  TAB_AS_INDENT: 'a tab indents this line; YAML takes spaces only',
};

function unreadable(error: unknown): string {
  if (error instanceof RangeError) return 'is nested too deep to be a configuration';
  const detail = error instanceof Error ? error.message : 'cannot be read';
  return /alias/i.test(detail)
    ? `its aliases cannot be expanded, or grow too large (${detail}); write them out`
    : detail;
}

const placeOf = (lines: LineCounter, at: number): { line: number; column: number } => {
  const { line, col } = lines.linePos(at);
  return { line: Math.max(1, line), column: Math.max(1, col) };
};

/** Where a field is. A missing field has no place, so its nearest existing ancestor is used. */
function offsetOf(document: Document.Parsed, path: Path): number {
  for (let end = path.length; end > 0; end -= 1) {
    const node = document.getIn(path.slice(0, end), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

type Issue = z.core.$ZodIssue;

/** Reports each setting that does not exist. */
const perSetting = (issue: Issue): Issue[] =>
  issue.code === 'unrecognized_keys' ? issue.keys.map((key) => ({ ...issue, keys: [key] })) : [issue];

/** A fault of a schema in words, with the most similar valid word if there is one. */
function complaintsOf(issue: Issue, schema: z.ZodType, given: unknown): [Path, string][] {
  const path = issue.path.filter((step) => typeof step !== 'symbol');
  const value = path.reduce<unknown>(member, given);
  if (issue.code === 'unrecognized_keys') {
    const known = keysOf(path.reduce<Inside>(inside, { schema, value: given }));
    return issue.keys.map((key) => [[...path, key], `is not a setting that exists${didYouMean(key, known)}`]);
  }
  if (issue.code === 'invalid_value')
    return [[path, `${issue.message}${didYouMean(String(value), issue.values.map(String))}`]];
  if (issue.code === 'invalid_union' && issue.discriminator !== undefined) {
    const { schema: union } = path.slice(0, -1).reduce<Inside>(inside, { schema, value: given });
    const words = optionsOf(union).flatMap((option) => literalsOf(option, issue.discriminator as string));
    return [
      [path, `one of ${words.map((word) => `"${word}"`).join(', ')} is expected${didYouMean(String(value), words)}`],
    ];
  }
  if (issue.code === 'invalid_type' && typeof value === 'string' && /^(number|int|boolean)$/.test(issue.expected)) {
    const bare = value.trim() !== '' && (value === 'true' || value === 'false' || Number.isFinite(Number(value)));
    return [[path, `${issue.message}${bare ? `; write ${value.trim()} without quotes` : ''}`]];
  }
  if (issue.code === 'invalid_format' && typeof value === 'string')
    return [
      [path, `${issue.message}${otherwise(path.reduce<Inside>(inside, { schema, value: given }).schema, value)}`],
    ];
  return [[path, issue.message]];
}

/** The same text in the case that its schema accepts. */
function otherwise(schema: z.core.$ZodType | undefined, text: string): string {
  const kebab = text
    .trim()
    .toLowerCase()
    .replace(/[\s_]+/g, '-');
  const meant = [text.trim(), text.trim().toUpperCase(), kebab].find(
    (word) => schema && safeParse(schema, word).success,
  );
  return meant === undefined ? '' : `; did you mean "${meant}"?`;
}

const member = (value: unknown, step: string | number): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, step)
    ? (value as Record<string | number, unknown>)[step]
    : undefined;

interface Inside {
  readonly schema: z.core.$ZodType | undefined;
  readonly value: unknown;
}

/** One step into a schema, together with the value that it checks. */
function inside({ schema, value }: Inside, step: string | number): Inside {
  const { def } = bare(schema, value)?._zod ?? {};
  const next = member(value, step);
  if (isDef<z.core.$ZodObjectDef>(def, 'object')) return { schema: def.shape[step], value: next };
  if (isDef<z.core.$ZodArrayDef>(def, 'array')) return { schema: def.element, value: next };
  if (isDef<z.core.$ZodRecordDef>(def, 'record')) return { schema: def.valueType, value: next };
  return { schema: undefined, value: next };
}

/** The names that an object's schema knows. */
function keysOf({ schema, value }: Inside): string[] {
  const { def } = bare(schema, value)?._zod ?? {};
  if (isDef<z.core.$ZodObjectDef>(def, 'object')) return Object.keys(def.shape);
  if (isDef<z.core.$ZodRecordDef>(def, 'record')) return [...(def.keyType._zod.values ?? [])].map(String);
  return [];
}

/** A schema without its wrappers. Of a union, the option that the value names. */
function bare(schema: z.core.$ZodType | undefined, value: unknown): z.core.$ZodType | undefined {
  const def = schema?._zod.def;
  if (isDef<z.core.$ZodOptionalDef>(def, 'optional')) return bare(def.innerType, value);
  if (isDef<z.core.$ZodPipeDef>(def, 'pipe')) return bare(def.out, value);
  if (isDef<z.core.$ZodDiscriminatedUnionDef>(def, 'union'))
    return def.options.find((option) =>
      literalsOf(option, def.discriminator).includes(String(member(value, def.discriminator))),
    );
  return schema;
}

const optionsOf = (schema: z.core.$ZodType | undefined): readonly z.core.$ZodType[] => {
  const def = schema?._zod.def;
  return isDef<z.core.$ZodUnionDef>(def, 'union') ? def.options : [];
};

function literalsOf(option: z.core.$ZodType, name: string): string[] {
  const { def } = option._zod;
  const values = isDef<z.core.$ZodObjectDef>(def, 'object') ? def.shape[name]?._zod.values : undefined;
  return [...(values ?? [])].map(String);
}

const isDef = <D extends z.core.$ZodTypeDef>(def: z.core.$ZodTypeDef | undefined, type: D['type']): def is D =>
  def?.type === type;
