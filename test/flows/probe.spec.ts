import { ownActionId } from '@countersign/contracts';
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

test('the approvals that the probe forged are in their stories, and nothing of them is under way', async () => {
  // One of them has the id of an event that was read before. It is a dead letter, and no step of a story.
  const repeated: readonly unknown[] = visitor.events
    .filter(({ id, source }, n, all) => all.findIndex((event) => event.id === id && event.source === source) < n)
    .map(({ data }) => data);
  const forged = visitor
    .eventsOf('ActionApproved', (a) => a.actionId !== ownActionId(a.proposalId, a.review))
    .filter((approval) => !repeated.includes(approval));
  expect(forged.length).toBeGreaterThan(5);
  const { run, secrets } = visitor;
  const get = (path: string) =>
    fetch(`${run.http.console}${path}`, { headers: { authorization: `Bearer ${secrets.consoleToken}` } });
  for (const { permitId, proposalId } of forged) {
    const found = await visitor.until(`the story of permit ${permitId}`, async () => {
      const response = await get(`/v1/stories/${permitId}`);
      return response.ok && ((await response.json()) as { story: { id: string; outcome: string } });
    });
    expect(found.story).toMatchObject({ id: proposalId, outcome: 'executed' });
  }
  const queue = await visitor.answer<{ approved: { count: number; first: { actionId: string }[] } }>('queue', '--all');
  const underWay = queue.approved.first.map(({ actionId }) => actionId);
  expect(underWay).toHaveLength(queue.approved.count);
  expect(forged.filter(({ actionId }) => underWay.includes(actionId))).toEqual([]);
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
