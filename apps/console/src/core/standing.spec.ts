import { expect, test } from 'vitest';
import type { Step } from './play-words.js';
import { type Place, withRuns } from './standing.js';

const step = (kind: Step['kind'], title: string, agent?: string): Step => ({
  ...{ kind, title, lines: [] },
  ...(agent !== undefined && { agent }),
});
const place = (given: Partial<Place>): Place => ({
  ...{ step: 'task', agent: null, purpose: null, here: 1, waits: 0, late: 0 },
  ...given,
});

test('each step that a run can stand at has its number, and no number is lost when the policy has changed', () => {
  const steps = [
    step('trigger', 'It starts when'),
    step('cool-down', 'It holds back'),
    step('task', 'Be seen', 'a-agent'),
    step('task', 'Follow up', 'b-agent'),
    step('proposals', 'Each proposal is judged'),
  ];
  const found = withRuns(steps, [
    place({ agent: 'a-agent', purpose: 'Be seen', here: 3, late: 2 }),
    place({ step: 'proposals', here: 4, waits: 4 }),
    place({ step: 'checkpoint', here: 2, waits: 2 }),
    place({ agent: 'a-agent', purpose: 'Its former purpose', late: 1 }),
  ]);
  expect(found.steps.map(({ title, runs }) => [title, runs])).toEqual([
    ['It starts when', undefined],
    ['It holds back', undefined],
    ['Be seen', { here: 3, waits: 0, late: 2 }],
    ['Follow up', { here: 0, waits: 0, late: 0 }],
    ['Each proposal is judged', { here: 4, waits: 4, late: 0 }],
  ]);
  expect(found.elsewhere).toEqual({ here: 3, waits: 2, late: 1 });
});
