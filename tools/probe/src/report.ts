import type { InspectionResult } from '@countersign/client';
import { count, type Paint, printable, titled } from '@countersign/client/core';
import { type ProbeReport, type Row, wasTried } from './judge.js';

const words: Readonly<Record<Row['verdict'], string>> = {
  held: 'held',
  ran: 'RAN',
  'no-record': 'NO RECORD',
  'twin-failed': 'TWIN FAILED',
  'not-tried': '-',
  'not-measured': 'NOT MEASURED',
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
  const [skipped = 0, heldUp = 0] = (['not-tried', 'not-measured'] as const).map(
    (verdict) => rows.filter((row) => row.verdict === verdict).length,
  );
  // Nought of nought is no result.
  const result = tried === 0 ? 'Nothing was tried, so nothing is known' : `${ran} of ${tried} ran`;
  const parts = [
    ...(heldUp > 0 ? [`${count(heldUp, 'attempt')} not measured, because the honest action was refused`] : []),
    ...(skipped > 0 ? [`${count(skipped, 'attempt')} not tried`] : []),
  ];
  const detail = `${[result, ...parts].join(', ')}; probe ${run}.`;
  lines.push(ok ? paint.green(detail) : paint.red(detail));
  return lines.join('\n');
}

/** What the console is told of it. Where nothing was tried, nothing is known. */
export function resultOf({ ok, rows }: ProbeReport): InspectionResult {
  const checks = rows.map(({ id, what, verdict }) => ({
    name: id,
    detail: what.slice(0, 300),
    checked: wasTried(verdict) ? 1 : 0,
    findings: wasTried(verdict) && verdict !== 'held' ? 1 : 0,
  }));
  const hasFindings = checks.some(({ findings }) => findings > 0);
  return { outcome: ok ? 'clean' : hasFindings ? 'findings' : 'broken', checks };
}
