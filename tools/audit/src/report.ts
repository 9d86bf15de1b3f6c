import type { InspectionResult } from '@countersign/client';
import { clock, count, distance, type Paint, printable, titled } from '@countersign/client/core';
import type { AuditReport } from './check.js';

const shown = 40;

/** The report for people: a line per invariant, then what is wrong, then what waits for whom. */
export function auditText(paint: Paint, report: AuditReport): string {
  const { at, invariants, violations, waiting, counts } = printable(report);
  const again = invariants.find(({ invariant }) => invariant === 'judged') ?? { checked: 0 };
  const lines = [
    titled(
      paint,
      ['invariant', 'checked', 'violations', 'waiting', ''],
      invariants.map((line) => [
        line.detail,
        String(line.checked),
        String(line.violations),
        String(line.waiting),
        line.note ?? '',
      ]),
    ),
    '',
    `${counts.signals} signals, ${counts.tasks} tasks, ${counts.proposals} proposals, ${counts.approvals} permits, ` +
      `${counts.executed} executed; ${count(counts.withoutPermit ?? 0, 'approval')} without a permit of its own, ` +
      `${counts.deadLetters} dead letters.`,
    `${again.checked} of ${counts.verdicts} verdicts judged again from stored facts` +
      (again.checked < (counts.verdictsChosen ?? 0) ? `, of ${counts.verdictsChosen} chosen.` : '.'),
  ];
  for (const { invariant, ids, detail } of violations.slice(0, shown)) {
    lines.push(paint.red(`${invariant}: ${detail} (${ids.slice(0, 4).join(', ')}${ids.length > 4 ? ', …' : ''})`));
  }
  if (violations.length > shown) lines.push(paint.red(`and ${violations.length - shown} more: --json has them all`));
  if (waiting.length > 0) {
    const rows = waiting
      .slice(0, shown)
      .map((w) => [w.what, w.id, w.for, distance(w.since, at), w.until === null ? '' : clock(w.until)]);
    lines.push('', titled(paint, ['waits', 'id', 'for', 'since', 'until'], rows));
    if (waiting.length > shown) lines.push(`and ${waiting.length - shown} more: --json has them all`);
  }
  lines.push(
    report.ok ? paint.green('Every invariant holds.') : paint.red(`${count(violations.length, 'violation')} found.`),
  );
  return lines.join('\n');
}

/** What the console receives about it: figures, and no ids. */
export const resultOf = ({ ok, invariants }: AuditReport): InspectionResult => ({
  outcome: ok ? 'clean' : 'findings',
  checks: invariants.map(({ invariant, detail, checked, violations, note }) => ({
    name: invariant,
    detail: (note === undefined ? detail : `${detail} (${note})`).slice(0, 300),
    checked,
    findings: violations,
  })),
});
