import type { InspectionResult } from '@countersign/client';
import { count, type Paint, printable, titled } from '@countersign/client/core';
import type { ProbeReport, Row } from './judge.js';

const words: Readonly<Record<Row['verdict'], string>> = {
  held: 'held',
  ran: 'RAN',
  'no-record': 'NO RECORD',
  'twin-failed': 'TWIN FAILED',
  'not-tried': '-',
};

/** A row per attempt, then how many of them ran. */
export function probeText(paint: Paint, report: ProbeReport): string {
  const { rows, tried, ran, ok, run } = printable(report);
  const lines = [
    titled(
      paint,
      ['tried', 'must', 'happened', ''],
      rows.map(({ what, expected, happened, verdict }) => [what, expected, happened, words[verdict]]),
    ),
    '',
  ];
  const skipped = rows.length - tried;
  const detail = `${ran} of ${tried} ran${skipped > 0 ? `, ${count(skipped, 'attempt')} not tried` : ''}; probe ${run}.`;
  lines.push(ok ? paint.green(detail) : paint.red(detail));
  return lines.join('\n');
}

/** What the console is told of it. Where nothing was tried, nothing is known. */
export function resultOf({ ok, rows }: ProbeReport): InspectionResult {
  const checks = rows.map(({ id, what, verdict }) => ({
    name: id,
    detail: what.slice(0, 300),
    checked: verdict === 'not-tried' ? 0 : 1,
    findings: verdict === 'held' || verdict === 'not-tried' ? 0 : 1,
  }));
  const hasFindings = checks.some(({ findings }) => findings > 0);
  return { outcome: ok ? 'clean' : hasFindings ? 'findings' : 'broken', checks };
}
