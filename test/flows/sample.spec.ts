import { join } from 'node:path';
import type { DataOf } from '@countersign/contracts';
import { firstStart, playSample, sample, sampleSeed } from '@countersign/sample';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shared, type Visitor, visit } from './installation.js';

let visitor: Visitor;
beforeAll(async () => {
  visitor = await visit(await shared());
});
afterAll(() => visitor?.leave());

const play = async () => {
  const { start, seed } = firstStart(join(visitor.home, 'sample.json'), new Date().toISOString(), sampleSeed);
  const ports = visitor.ports();
  try {
    return await playSample(sample(start, seed), ports, { patienceMs: 120_000 });
  } finally {
    await ports.close();
  }
};

/** What the outside world has seen. */
const effects = async () => ({
  messages: await visitor.sandbox('mailer/messages'),
  campaigns: await visitor.sandbox('ads/campaigns'),
  enrolments: await visitor.sandbox('crm/enrolments'),
  tasks: await visitor.sandbox('crm/tasks'),
});

const settledFor = (approved: DataOf<'ActionApproved'>) =>
  visitor.of('ActionSettled', (s) => s.permitId === approved.permitId && s.executor === approved.executor);

/** Nothing is under way any more, but what waits for a person, an outsider or its send time. */
const quiet = () =>
  visitor.until('everything to settle', () =>
    visitor
      .of('ActionApproved', (a) => a.executor === 'action-executor')
      .every((approved) => settledFor(approved).length > 0),
  );

test('every story of the sample ends as it should, and each number of the funnel follows from the one before', async () => {
  const told = await play();
  expect(told.filter(({ ok }) => !ok)).toEqual([]);
  expect(told).toHaveLength(9);
  await quiet();

  const tasks = visitor.of('TaskAssigned');
  const settledTasks = visitor.of('TaskSettled');
  expect(settledTasks.map((t) => t.taskId).sort()).toEqual(tasks.map((t) => t.taskId).sort());
  const proposed = visitor.of('ActionProposed').map((p) => p.proposalId);
  const verdicts = [...visitor.of('ActionApproved'), ...visitor.of('ActionRefused'), ...visitor.of('ActionEscalated')];
  expect(new Set(verdicts.map((v) => v.proposalId))).toEqual(new Set(proposed));
  expect(new Set(proposed).size).toBe(proposed.length);
  for (const approved of visitor.of('ActionApproved', (a) => a.executor === 'action-executor')) {
    expect(settledFor(approved)).toHaveLength(1);
  }
  const { funnel } = await visitor.answer<{
    funnel: { settled: { executed: number }; verdicts: { approved: number } };
  }>('status');
  expect(funnel.verdicts.approved).toBe(visitor.of('ActionApproved').length);
});

test('the same sample played again runs nothing twice and tells the same', async () => {
  const first = await play();
  await quiet();
  const before = {
    effects: await effects(),
    settled: visitor.of('ActionSettled').length,
    ids: visitor.of('ActionProposed').map((p) => p.proposalId),
  };
  const duplicates = () => visitor.of('SignalRejected', (r) => r.reasons[0]?.code === 'duplicate').length;
  const known = duplicates();
  expect(await play()).toEqual(first);
  await visitor.until('the signals of the second time to be known', () => duplicates() >= known + 800);
  await quiet();
  expect({
    effects: await effects(),
    settled: visitor.of('ActionSettled').length,
    ids: visitor.of('ActionProposed').map((p) => p.proposalId),
  }).toEqual(before);
});
