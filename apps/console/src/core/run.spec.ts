import { expect, test } from 'vitest';
import { type RunNow, runState, runSteps } from './run.js';

const at = '2026-11-21T10:00:00.000Z';
const soon = '2026-11-21T10:30:00.000Z';
const past = '2026-11-21T09:30:00.000Z';
const longPast = '2026-11-20T09:00:00.000Z';

type Task = RunNow['tasks'][number];
const task = (more: Partial<Task> = {}): Task => ({
  ...{ taskId: 't-1', agent: 'seo-agent', purpose: 'Follow up', assignedAt: past, dueAt: soon },
  ...{ outcome: null, reason: null, proposals: 0, answeredAt: null },
  ...more,
});
const proposed = (proposals: number): Task =>
  task({ outcome: 'proposed', reason: 'it can', proposals, answeredAt: '2026-11-21T09:40:00.000Z' });
const none: RunNow['proposals'] = { counts: [], changedAt: null, more: false };
const run = (more: Partial<RunNow> = {}): RunNow => ({
  ...{ startedAt: longPast, correlationId: 's-1', checkpoint: null, tasks: [], proposals: none },
  ...more,
});
const checkpoint = (more: Partial<NonNullable<RunNow['checkpoint']>> = {}) => ({
  ...{ id: 'c-1', deadline: soon, answer: null, ending: null },
  ...more,
});
const answer = (decision: 'approve' | 'reject') => ({ decision, by: 'lea', at: '2026-11-21T09:35:00.000Z' });
type Counts = RunNow['proposals']['counts'];
const counted = (counts: Partial<Record<Counts[number]['state'], number>>, more = false): RunNow['proposals'] => ({
  ...{ counts: Object.entries(counts).map(([state, n]) => ({ state, n })) as unknown as Counts },
  ...{ changedAt: past, more },
});

const drawn = (given: RunNow): string[] =>
  runSteps(given, at).map(({ kind, state, title, detail }) => `${kind} ${state}: ${title}. ${detail}`.trimEnd());

test.each<[name: string, given: RunNow, steps: readonly string[], state: string]>([
  [
    'waits at its checkpoint',
    run({ checkpoint: checkpoint() }),
    [
      'trigger done: It started.',
      'checkpoint waits: A person agrees first. It waits for a person. Without an answer no task goes out.',
      'task ahead: It gives tasks. No task is out yet.',
      'proposals ahead: Each proposal is judged. There is no proposal yet.',
    ],
    'waiting',
  ],
  [
    'was agreed to a moment ago',
    run({ checkpoint: checkpoint({ answer: answer('approve') }) }),
    [
      'trigger done: It started.',
      'checkpoint here: A person agrees first. lea agreed. No task is out yet.',
      'task ahead: It gives tasks. No task is out yet.',
      'proposals ahead: Each proposal is judged. There is no proposal yet.',
    ],
    'running',
  ],
  [
    'was agreed to, and gave no task',
    run({ checkpoint: checkpoint({ answer: answer('approve'), deadline: past }) }),
    [
      'trigger done: It started.',
      'checkpoint late: A person agrees first. lea agreed. No task is out yet.',
      'task ahead: It gives tasks. No task is out yet.',
      'proposals ahead: Each proposal is judged. There is no proposal yet.',
    ],
    'overdue',
  ],
  [
    'was agreed to a day ago, and gave no task',
    run({ checkpoint: checkpoint({ answer: answer('approve'), deadline: longPast }) }),
    [
      'trigger done: It started.',
      'checkpoint failed: A person agrees first. lea agreed. No task went out.',
      'task ahead: It gives tasks. It did not come to this.',
      'proposals ahead: Each proposal is judged. It did not come to this.',
    ],
    'failed',
  ],
  [
    'was rejected',
    run({ checkpoint: checkpoint({ answer: answer('reject') }) }),
    [
      'trigger done: It started.',
      'checkpoint ended: A person agrees first. lea rejected it. No task went out.',
      'task ahead: It gives tasks. It did not come to this.',
      'proposals ahead: Each proposal is judged. It did not come to this.',
    ],
    'not-agreed',
  ],
  [
    'was agreed to while a stop held',
    run({
      checkpoint: checkpoint({
        answer: answer('approve'),
        ending: {
          outcome: 'suppressed',
          reviewId: 'r-1',
          by: 'lea',
          reason: { code: 'stopped', detail: 'approved by lea, but tom stopped everything: a test' },
          at: past,
        },
      }),
    }),
    [
      'trigger done: It started.',
      'checkpoint ended: A person agrees first. Approved by lea, but tom stopped everything: a test. No task went out.',
      'task ahead: It gives tasks. It did not come to this.',
      'proposals ahead: Each proposal is judged. It did not come to this.',
    ],
    'not-agreed',
  ],
  [
    'was not answered in time, as the orchestrator says before the clock of the console does',
    run({
      checkpoint: checkpoint({
        ending: {
          outcome: 'expired',
          reviewId: null,
          by: null,
          reason: { code: 'late', detail: 'nobody had answered' },
          at: past,
        },
      }),
    }),
    [
      'trigger done: It started.',
      'checkpoint ended: A person agrees first. No answer came in time. No task went out.',
      'task ahead: It gives tasks. It did not come to this.',
      'proposals ahead: Each proposal is judged. It did not come to this.',
    ],
    'not-agreed',
  ],
  [
    'was not answered in time',
    run({ checkpoint: checkpoint({ deadline: past }) }),
    [
      'trigger done: It started.',
      'checkpoint ended: A person agrees first. No answer came in time. No task went out.',
      'task ahead: It gives tasks. It did not come to this.',
      'proposals ahead: Each proposal is judged. It did not come to this.',
    ],
    'not-agreed',
  ],
  [
    'has given its task after a person agreed',
    run({ checkpoint: checkpoint({ answer: answer('approve') }), tasks: [task()] }),
    [
      'trigger done: It started.',
      'checkpoint done: A person agrees first. lea agreed.',
      'task here: Follow up. seo-agent has not answered yet.',
      'proposals ahead: Each proposal is judged. There is no proposal yet.',
    ],
    'running',
  ],
  [
    'has an agent that is late, and one that declined',
    run({
      tasks: [
        task({ dueAt: past }),
        task({
          ...{ taskId: 't-2', agent: 'b-agent', purpose: 'Be seen', outcome: 'declined' },
          ...{ reason: 'no campaign', answeredAt: past },
        }),
      ],
    }),
    [
      'trigger done: It started.',
      'task late: Follow up. seo-agent has not answered in time. It may still answer until a day after.',
      'task done: Be seen. b-agent declined: no campaign',
      'proposals ahead: Each proposal is judged. There is no proposal yet.',
    ],
    'overdue',
  ],
  [
    'has an agent that never answered',
    run({ tasks: [task({ dueAt: longPast })] }),
    [
      'trigger done: It started.',
      'task failed: Follow up. seo-agent never answered.',
      'proposals ended: Each proposal is judged. No agent proposed anything.',
    ],
    'failed',
  ],
  [
    'has proposals of which the console has not heard',
    run({ tasks: [proposed(2)] }),
    [
      'trigger done: It started.',
      'task done: Follow up. seo-agent proposed 2 actions.',
      'proposals here: Each proposal is judged. 2 are on the way.',
    ],
    'running',
  ],
  [
    'has proposals that wait for people',
    run({ tasks: [proposed(4)], proposals: counted({ waiting: 2, executed: 1, refused: 1 }) }),
    [
      'trigger done: It started.',
      'task done: Follow up. seo-agent proposed 4 actions.',
      'proposals waits: Each proposal is judged. 2 wait for a person, 1 is done and 1 was refused.',
    ],
    'waiting',
  ],
  [
    'has a proposal that was approved, and one that nobody can tell of',
    run({ tasks: [proposed(2)], proposals: counted({ approved: 1, unresolved: 1 }) }),
    [
      'trigger done: It started.',
      'task done: Follow up. seo-agent proposed 2 actions.',
      'proposals waits: Each proposal is judged. 1 with an unknown outcome and 1 approved and not run yet.',
    ],
    'waiting',
  ],
  [
    'has an action that failed',
    run({ tasks: [proposed(2)], proposals: counted({ failed: 1, executed: 1 }) }),
    [
      'trigger done: It started.',
      'task done: Follow up. seo-agent proposed 2 actions.',
      'proposals failed: Each proposal is judged. 1 failed and 1 is done.',
    ],
    'failed',
  ],
  [
    'is over, with more proposals than are counted',
    run({ tasks: [proposed(200)], proposals: counted({ executed: 199, undone: 1 }, true) }),
    [
      'trigger done: It started.',
      'task done: Follow up. seo-agent proposed 200 actions.',
      'proposals done: Each proposal is judged. Of the first 200: 199 are done and 1 was undone.',
    ],
    'ended',
  ],
  [
    'is over, as its only agent declined',
    run({ tasks: [task({ outcome: 'declined', reason: 'nothing to do', answeredAt: past })] }),
    [
      'trigger done: It started.',
      'task done: Follow up. seo-agent declined: nothing to do',
      'proposals ended: Each proposal is judged. No agent proposed anything.',
    ],
    'ended',
  ],
])('a run that %s is drawn so', (_name, given, steps, state) => {
  expect(drawn(given)).toEqual(steps);
  expect(runState(runSteps(given, at))).toBe(state);
});

test('each step has its time, what it waits until, its story and its review', () => {
  const given = run({
    checkpoint: checkpoint({ answer: answer('approve') }),
    tasks: [task(), { ...proposed(1), taskId: 't-2' }],
    proposals: counted({ waiting: 1 }),
  });
  expect(runSteps(given, at).map(({ at, until, story, review }) => ({ at, until, story, review }))).toEqual([
    { at: longPast, until: null, story: 's-1', review: null },
    { at: '2026-11-21T09:35:00.000Z', until: null, story: 'c-1', review: 'c-1' },
    { at: past, until: soon, story: 't-1', review: null },
    { at: '2026-11-21T09:40:00.000Z', until: null, story: 't-2', review: null },
    { at: past, until: null, story: null, review: null },
  ]);
  const [, waits] = runSteps(run({ checkpoint: checkpoint() }), at);
  expect(waits).toMatchObject({ at: longPast, until: soon, review: 'c-1' });
  const [, late] = runSteps(run({ tasks: [task({ dueAt: past })] }), at);
  expect(late).toMatchObject({ at: past, until: '2026-11-22T09:30:00.000Z' });
});
