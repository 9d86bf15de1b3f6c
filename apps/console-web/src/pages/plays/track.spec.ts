import { expect, test } from 'vitest';
import { currentSteps, type RunStep, trackOf } from './track.js';

const step = (kind: RunStep['kind'], state: RunStep['state'], agent: string | null = null): RunStep => ({
  ...{ kind, state, agent, title: `${kind} ${agent ?? ''}`.trim(), detail: '' },
  ...{ at: null, until: null, story: null, review: null },
});
const titles = (steps: readonly RunStep[]) => steps.map(({ title }) => title);

test('the tasks of a run are one mark, and the most urgent of them counts', () => {
  const steps = [
    step('trigger', 'done'),
    step('task', 'done', 'a'),
    step('task', 'late', 'b'),
    step('proposals', 'here'),
  ];
  expect(trackOf(steps)).toEqual([
    { name: 'Start', state: 'done' },
    { name: '2 tasks', state: 'late' },
    { name: 'Proposals', state: 'here' },
  ]);
  expect(titles(currentSteps(steps))).toEqual(['task b', 'proposals']);
});

test('a run at its checkpoint has no number of tasks yet', () => {
  const steps = [
    ...[step('trigger', 'done'), step('checkpoint', 'waits')],
    ...[step('task', 'ahead'), step('proposals', 'ahead')],
  ];
  expect(trackOf(steps).map(({ name, state }) => `${name} ${state}`)).toEqual([
    ...['Start done', 'A person waits', 'Tasks ahead', 'Proposals ahead'],
  ]);
  expect(titles(currentSteps(steps))).toEqual(['checkpoint']);
});

test('of a run that is over the step at which it ended tells how', () => {
  const ended = [
    step('trigger', 'done'),
    step('checkpoint', 'ended'),
    step('task', 'ahead'),
    step('proposals', 'ahead'),
  ];
  expect(titles(currentSteps(ended))).toEqual(['checkpoint']);
  const done = [step('trigger', 'done'), step('task', 'done', 'a'), step('proposals', 'done')];
  expect(titles(currentSteps(done))).toEqual(['proposals']);
  expect(currentSteps([])).toEqual([]);
});
