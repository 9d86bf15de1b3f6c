import { expect, test } from 'vitest';
import { rates, slotOf } from './rates.js';

test('steps are told of the last minute and the last hour, and each minute by itself', () => {
  const found = rates([
    { stage: 'verdicts', label: 'approved', minutesAgo: 0, n: 2 },
    { stage: 'verdicts', label: 'refused', minutesAgo: 0, n: 1 },
    { stage: 'verdicts', label: 'approved', minutesAgo: 59, n: 4 },
    { stage: 'verdicts', label: 'approved', minutesAgo: 60, n: 99 },
  ]);
  const verdicts = found.find(({ stage }) => stage === 'verdicts');
  expect(verdicts).toMatchObject({ lastMinute: 3, lastHour: 7, byLabel: { approved: 6, refused: 1 } });
  expect([verdicts?.perMinute[0], verdicts?.perMinute[59], verdicts?.perMinute.length]).toEqual([4, 3, 60]);
  expect(found.map(({ stage }) => stage)).toEqual(['signals', 'tasks', 'proposals', 'verdicts', 'settlements']);
});

test('what a clock says to be in the future happened now', () => {
  const at = '2026-11-21T10:00:07.000Z';
  expect(slotOf('2026-11-21T09:59:59.000Z', at)).toBe('2026-11-21T09:59:50.000Z');
  expect(slotOf('2031-01-01T00:00:00.000Z', at)).toBe('2026-11-21T10:00:00.000Z');
});
