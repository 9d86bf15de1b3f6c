import { clock, type Paint, printable, table } from '@countersign/client/core';
import { type ConfigProblem, problemLine } from '@countersign/contracts';

export interface Difference {
  readonly file: string;
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
}
export interface Check {
  readonly valid: boolean;
  readonly problems: readonly ConfigProblem[];
  readonly notes: readonly ConfigProblem[];
  readonly warnings: readonly string[];
  readonly digest: string | null;
  readonly inForce: number;
  readonly differs: boolean;
  readonly differences: readonly Difference[];
}
export interface Versions {
  readonly inForce: number | null;
  readonly versions: readonly { version: number; digest: string; by: string; publishedAt: string }[];
  readonly next: string | null;
}

/** One policy that was published. */
export interface Published {
  readonly version: number;
  readonly digest: string;
  readonly by: string;
  readonly publishedAt: string;
  readonly content: {
    readonly charters: readonly { readonly agent: string }[];
    readonly plays: readonly { readonly id: string }[];
    readonly sequences: readonly { readonly id: string }[];
  };
}

export function publishedText(given: Published): string {
  const { version, digest, by, publishedAt, content } = printable(given);
  const names = [
    ['charters', content.charters.map(({ agent }) => agent)],
    ['plays', content.plays.map(({ id }) => id)],
    ['sequences', content.sequences.map(({ id }) => id)],
  ] as const;
  return [
    `Policy ${version} by ${by} at ${clock(publishedAt)}, digest ${digest}`,
    table(names.map(([name, all]) => [`  ${name}`, all.join(', ')])),
  ].join('\n');
}

export const problemLines = (found: readonly ConfigProblem[]): string => printable(found.map(problemLine)).join('\n');

/** For each file, the settings with their old and new values. */
export function differencesText(paint: Paint, given: readonly Difference[]): string {
  if (given.length === 0) return 'No difference.';
  const differences = printable(given);
  const files = [...new Set(differences.map(({ file }) => file))];
  return files
    .map((file) => {
      const rows = differences
        .filter((difference) => difference.file === file)
        .flatMap(({ path, before, after }) => [
          `  ${path === '' ? changeOfAll(before, after) : path}`,
          ...(before === null ? [] : side(paint.red, '-', before)),
          ...(after === null ? [] : side(paint.green, '+', after)),
        ]);
      return [paint.bold(file), ...rows].join('\n');
    })
    .join('\n');
}

const changeOfAll = (before: string | null, after: string | null): string =>
  before === null ? 'is new' : after === null ? 'is gone' : 'all of it';
const side = (colour: (text: string) => string, sign: string, text: string): string[] =>
  text.split('\n').map((line) => colour(`    ${sign} ${line}`));

/** What a check of a folder found, and what its publication would change. */
export function checkText(paint: Paint, check: Check): string {
  if (!check.valid)
    return `${paint.red(problemLines(check.problems))}\nThe folder is not valid. Policy ${check.inForce} stays in force.`;
  const beside = [problemLines(check.notes), ...printable(check.warnings)].filter((line) => line !== '');
  const over = check.inForce === 0 ? 'No policy is in force' : `Policy ${check.inForce} is in force`;
  const rest = check.differs
    ? `${differencesText(paint, check.differences)}\n${over}; the folder would change the above. Nothing is published yet. Digest ${check.digest}`
    : `${over}, and the folder says the same.`;
  return [...beside.map(paint.yellow), rest].join('\n');
}

export function versionsText({ inForce, versions, next }: Versions): string {
  if (versions.length === 0) return 'No policy has been published; everything is refused.';
  const rows = printable(versions).map(({ version, by, publishedAt, digest }) => [
    String(version),
    clock(publishedAt),
    by,
    digest.slice(0, 12),
    version === inForce ? 'in force' : '',
  ]);
  return `${table(rows)}${next === null ? '' : `\nOlder ones: --before ${next}`}`;
}
