import { afterAll, beforeAll, expect, test } from 'vitest';
import { shared, type Visitor, visit } from './installation.js';

let visitor: Visitor;
beforeAll(async () => {
  visitor = await visit(await shared());
});
afterAll(() => visitor?.leave());

interface Row {
  readonly id: string;
  readonly verdict: string;
  readonly happened: string;
}

test('[case 12] no known way around the gate runs anything, each leaves a record, and every honest twin runs once', async () => {
  const report = await visitor.answer<{ ok: boolean; ran: number; tried: number; rows: Row[] }>('probe');
  expect(report.rows.filter((row) => row.verdict !== 'held')).toEqual([]);
  expect(report).toMatchObject({ ok: true, ran: 0, tried: report.rows.length });
});

test('what the probe leaves behind breaks no invariant, and the audit sees all of it', async () => {
  const report = await visitor.answer<{
    violations: unknown[];
    invariants: { invariant: string; checked: number; note?: string }[];
    counts: Record<string, number>;
  }>('audit', 'invariants', '--grace', '120');
  expect(report.violations).toEqual([]);
  // Everything could be looked at, and there was something to look at.
  expect(report.invariants.filter((line) => line.note !== undefined || line.checked === 0)).toEqual([]);
  expect(report.counts.withoutPermit).toBeGreaterThan(0);
  expect(report.counts.strangersSettlements).toBeGreaterThan(0);
});
