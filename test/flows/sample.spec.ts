import type { DataOf } from '@countersign/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shared, type Visitor, visit } from './installation.js';
import { playFor } from './played.js';

let visitor: Visitor;
beforeAll(async () => {
  visitor = await visit(await shared());
});
afterAll(() => visitor?.leave());

const play = () => playFor(visitor);

interface Funnel {
  readonly signals: { readonly accepted: number };
  readonly settled: Readonly<Record<string, number>>;
}

/** What the outside world has seen. */
const effects = async () => ({
  messages: await visitor.sandbox('mailer/messages'),
  campaigns: await visitor.sandbox('ads/campaigns'),
  enrolments: await visitor.sandbox('crm/enrolments'),
  tasks: await visitor.sandbox('crm/tasks'),
});

const settledFor = (approved: DataOf<'ActionApproved'>) =>
  visitor.eventsOf('ActionSettled', (s) => s.permitId === approved.permitId && s.executor === approved.executor);

/** What was approved for the executor that comes along, without the forgeries of other files, which were rejected where they stand. */
const approvals = () => {
  const rejected = new Set(visitor.eventsOf('PermitRejected').map((r) => `${r.partition}/${r.offset}`));
  return visitor.events.flatMap(({ type, partition, offset, data }) => {
    const approved = data as DataOf<'ActionApproved'>;
    const counts = type === 'ActionApproved' && approved.executor === 'action-executor';
    return counts && !rejected.has(`${partition}/${offset}`) ? [approved] : [];
  });
};

/** Nothing is under way any more, but what waits for a person or an outsider. */
const quiet = () => visitor.until('everything to settle', () => approvals().every((a) => settledFor(a).length > 0));

test('every story of the sample ends as it should, and each number of the funnel follows from the one before', async () => {
  const results = await play();
  expect(results.filter(({ ok }) => !ok)).toEqual([]);
  expect(results).toHaveLength(9);
  await quiet();

  const ids = {
    tasks: () => visitor.eventsOf('TaskAssigned').map((t) => t.taskId),
    settledTasks: () => visitor.eventsOf('TaskSettled').map((t) => t.taskId),
    proposed: () => visitor.eventsOf('ActionProposed').map((p) => p.proposalId),
  };
  await visitor.until('an answer to every task', () => ids.settledTasks().length >= ids.tasks().length);
  expect(ids.settledTasks().sort()).toEqual(ids.tasks().sort());
  const judged = () =>
    new Set(
      [
        ...visitor.eventsOf('ActionApproved'),
        ...visitor.eventsOf('ActionRefused'),
        ...visitor.eventsOf('ActionEscalated'),
      ].map((v) => v.proposalId),
    );
  expect(new Set(ids.proposed()).size).toBe(ids.proposed().length);
  await visitor.until('a verdict on every proposal', () => ids.proposed().every((id) => judged().has(id)));
  for (const approved of approvals()) expect(settledFor(approved)).toHaveLength(1);

  // The command line tells the same numbers as the topics.
  const count = (outcome: string) => visitor.eventsOf('ActionSettled', (s) => s.outcome === outcome).length;
  await visitor.until('the console to have counted', async () => {
    const { funnel } = await visitor.answer<{ funnel: Funnel }>('status');
    return (
      funnel.settled.executed === count('executed') &&
      funnel.signals.accepted === visitor.eventsOf('SignalAccepted').length
    );
  });
});

test('the same sample played again runs nothing twice and tells the same', async () => {
  const first = await play();
  await quiet();
  const before = {
    effects: await effects(),
    settled: visitor.eventsOf('ActionSettled').length,
    ids: visitor.eventsOf('ActionProposed').map((p) => p.proposalId),
  };
  const duplicates = () => visitor.eventsOf('SignalRejected', (r) => r.reasons[0]?.code === 'duplicate').length;
  const known = duplicates();
  expect(await play()).toEqual(first);
  await visitor.until('the signals of the second time to be known', () => duplicates() >= known + 800);
  await quiet();
  expect({
    effects: await effects(),
    settled: visitor.eventsOf('ActionSettled').length,
    ids: visitor.eventsOf('ActionProposed').map((p) => p.proposalId),
  }).toEqual(before);
});
