import { expect, test } from 'vitest';
import { afterSettlement, takesPlace } from './settlement.js';

const outcomes = ['executed', 'failed', 'refused', 'expired', 'unresolved', 'undone'] as const;

test.each(outcomes)('a permit without a settlement is %s by the first one', (outcome) => {
  expect(afterSettlement('issued', outcome)).toBe(outcome);
});

test('the end of a permit stands: only unresolved gives way to an end, and executed to undone', () => {
  expect(takesPlace).toEqual([
    ['executed', 'undone'],
    ['unresolved', 'executed'],
    ['unresolved', 'failed'],
    ['unresolved', 'refused'],
    ['unresolved', 'expired'],
    ['unresolved', 'undone'],
  ]);
});
