import { clock, count, type Paint, printable, titled } from '@countersign/client/core';

/** Who asked to read the whole record. */
export interface RecordPasses {
  readonly passes: readonly {
    readonly passId: string;
    readonly use: 'export' | 'verify';
    readonly purpose: string;
    readonly by: string;
    readonly at: string;
  }[];
  readonly next: string | null;
}

export function passesText(paint: Paint, given: RecordPasses): string {
  const { passes, next } = printable(given);
  if (passes.length === 0) return 'Nobody has asked the console for the whole record in the time that it keeps.';
  const rows = passes.map(({ at, by, use, purpose, passId }) => `${clock(at)}  ${by}: ${use} “${purpose}”  ${passId}`);
  return [...rows, ...(next === null ? [] : [paint.dim(`Older ones: --before ${next}`)])].join('\n');
}

interface Inspection {
  readonly by: string;
  readonly state: 'running' | 'silent' | 'clean' | 'findings' | 'broken';
  readonly startedAt: string;
  readonly heardAt: string;
  readonly endedAt: string | null;
  readonly progress: { readonly step: string; readonly done: number; readonly total: number | null } | null;
  readonly checks: readonly {
    readonly name: string;
    readonly detail: string;
    readonly checked: number;
    readonly findings: number;
  }[];
}
/** Audits and probes, as the console knows them. */
export interface Inspections {
  readonly kinds: readonly {
    readonly kind: 'invariants' | 'probe';
    readonly open: Inspection | null;
    readonly last: Inspection | null;
  }[];
}

const commandOf = { invariants: 'countersign audit invariants', probe: 'countersign probe' } as const;

export function inspectionsText(paint: Paint, given: Inspections): string {
  return printable(given)
    .kinds.flatMap(({ kind, open, last }) => [
      paint.bold(commandOf[kind]),
      ...(open ? [`  ${openText(open)}`] : []),
      ...(last ? lastLines(paint, last) : []),
      ...(open || last ? [] : ['  Nobody has run it with this console yet.']),
    ])
    .join('\n');
}

function openText({ by, state, startedAt, heardAt, progress }: Inspection): string {
  const step = progress
    ? `: ${progress.step}${progress.total === null ? '' : `, ${progress.done} of ${progress.total}`}`
    : '';
  return state === 'silent'
    ? `not heard of since ${clock(heardAt)}; ${by} began it at ${clock(startedAt)}${step}. It has ended, or cannot reach the console: run it again`
    : `runs since ${clock(startedAt)}, by ${by}${step}`;
}

function lastLines(paint: Paint, { by, state, endedAt, checks }: Inspection): string[] {
  const found = checks.filter(({ findings }) => findings > 0);
  const findings = found.reduce((sum, check) => sum + check.findings, 0);
  const result =
    state === 'broken'
      ? paint.red('could not be finished')
      : findings > 0
        ? paint.red(count(findings, 'finding'))
        : paint.green(`nothing found in ${count(checks.length, 'check')}`);
  const lines = [`  ${endedAt === null ? '' : `${clock(endedAt)}, `}${by}: ${result}`];
  if (found.length > 0)
    lines.push(
      titled(
        paint,
        ['check', 'looked at', 'findings'],
        found.map((check) => [check.detail, String(check.checked), String(check.findings)]),
      ),
    );
  return lines;
}
