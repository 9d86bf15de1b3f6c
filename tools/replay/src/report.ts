import { type Paint, printable, tally, titled } from '@countersign/client/core';
import { own } from '@countersign/contracts';

/** What became of the rows of one table. */
export interface TableCount {
  readonly files: readonly string[];
  readonly rows: number;
  /** Rows that are, alone or summed with others, a signal. */
  readonly inSignals: number;
  /** Rows whose content another row's signal carries. */
  readonly joined: number;
  /** Rows that are no signal, by reason. */
  readonly notSignals: Readonly<Record<string, number>>;
  /** The first rows of each of these reasons, as `file:line`, the line on which the row ends. */
  readonly places: Readonly<Record<string, readonly string[]>>;
  readonly signals: number;
}

export interface ReplayReport {
  readonly kind: string;
  readonly tables: readonly TableCount[];
  readonly published: number;
  readonly accepted: number;
  /** Of the accepted ones, those young enough to trigger a play. */
  readonly triggering: number;
  /** By code: `duplicate` where the same rows were replayed before. */
  readonly rejected: Readonly<Record<string, number>>;
  readonly deadLetters: number;
  /** Published signals of which nothing was heard in time. */
  readonly unanswered: number;
  /** What does not add up, in words; nothing where all is well. */
  readonly problems: readonly string[];
}

/** The checks of a replay: every row has one fate, every published signal one outcome. */
export function problemsOf(report: Omit<ReplayReport, 'problems'>): string[] {
  const problems: string[] = [];
  for (const { files, rows, inSignals, joined, notSignals } of report.tables) {
    const fates = inSignals + joined + total(notSignals);
    if (fates !== rows) problems.push(`${files.join(', ')}: ${rows} rows, but ${fates} have a fate`);
  }
  const signals = report.tables.reduce((sum, table) => sum + table.signals, 0);
  if (signals !== report.published) problems.push(`${signals} signals were made, but ${report.published} published`);
  if (report.unanswered > 0)
    problems.push(`${report.unanswered} signals have no outcome: is signal-ingestion running?`);
  const outcomes = report.accepted + total(report.rejected) + report.deadLetters + report.unanswered;
  if (outcomes !== report.published) {
    problems.push(`${report.published} signals were published, but ${outcomes} have an outcome`);
  }
  if (report.deadLetters > 0)
    problems.push(`${report.deadLetters} signals are dead letters: countersign dead-letters list`);
  return problems;
}

const total = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0);

export function replayText(paint: Paint, given: ReplayReport): string {
  const report = printable(given);
  const rows = report.tables.map((t) =>
    [t.files.join(', '), t.rows, t.inSignals, t.joined, total(t.notSignals), t.signals].map(String),
  );
  const sum = (pick: (t: TableCount) => number) => String(report.tables.reduce((n, t) => n + pick(t), 0));
  rows.push([
    'all',
    sum((t) => t.rows),
    sum((t) => t.inSignals),
    sum((t) => t.joined),
    sum((t) => total(t.notSignals)),
    sum((t) => t.signals),
  ]);
  const reasons = report.tables.flatMap((t) =>
    Object.entries(t.notSignals).map(([reason, n]) => {
      const lines = (own(t.places, reason) ?? []).map((place) => place.slice(place.lastIndexOf(':') + 1));
      return [`  ${t.files.join(', ')}`, String(n), lines.join(', '), reason];
    }),
  );
  const lines = [titled(paint, ['file', 'rows', 'in signals', 'joined', 'no signal', 'signals'], rows)];
  if (reasons.length > 0) lines.push('', titled(paint, ['no signal', 'rows', 'first lines', 'reason'], reasons));
  const rejected = total(report.rejected);
  lines.push(
    '',
    `${report.published} published = ${report.accepted} accepted (${report.triggering} of them may trigger a play) + ` +
      `${rejected} rejected${rejected > 0 ? ` (${tally(report.rejected)})` : ''}` +
      (report.deadLetters > 0 ? ` + ${report.deadLetters} dead letters` : '') +
      (report.unanswered > 0 ? ` + ${report.unanswered} without an outcome` : ''),
  );
  lines.push(
    report.problems.length === 0
      ? paint.green('Every row has its fate, every signal its outcome.')
      : report.problems.map((problem) => paint.red(problem)).join('\n'),
  );
  return lines.join('\n');
}
