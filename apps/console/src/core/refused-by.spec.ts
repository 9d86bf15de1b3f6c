import { expect, test } from 'vitest';
import { isStopped, refusedBy } from './refused-by.js';

const rules = (...names: string[]) => names.map((rule) => ({ rule }));

test.each([
  [['kill-control'], 'stop'],
  [['spend-cap', 'kill-control'], 'stop'],
  [['review', 'kill-control'], 'stop'],
  [['review'], 'person'],
  [['consent', 'review'], 'person'],
  [['review-deadline'], 'deadline'],
  [['spend-cap'], 'rule'],
] as const)('what %j refused was refused by a %s', (names, by) => {
  for (const stopped of [true, null]) expect(refusedBy({ reasons: rules(...names), stopped, code: null })).toBe(by);
});

test('a stop that is only not known is no stop that could be lifted', () => {
  expect(refusedBy({ reasons: rules('kill-control'), stopped: false, code: null })).toBe('rule');
  expect(refusedBy({ reasons: rules('kill-control', 'review'), stopped: false, code: null })).toBe('person');
});

test.each([
  ['stopped', 'stop'],
  ['control-changed', 'rule'],
  ['quiet-hours', 'rule'],
  [null, 'rule'],
])('what an executor refused with the code %s was refused by a %s', (code, by) => {
  expect(refusedBy({ reasons: [], stopped: null, code })).toBe(by);
});

test('a verdict is about a stop if its rule names the version of one', () => {
  const reason = { rule: 'kill-control', outcome: 'refuse' };
  expect(isStopped([{ ...reason, figures: { scope: 'all', by: 'lea', version: 3 } }])).toBe(true);
  expect(isStopped([{ ...reason, figures: { scope: 'all' } }])).toBe(false);
  // A verdict of before rules gave their figures.
  expect(isStopped([reason])).toBe(true);
  expect(
    isStopped([
      { ...reason, outcome: 'pass', figures: { version: 1 } },
      { rule: 'consent', outcome: 'refuse' },
    ]),
  ).toBe(false);
});
