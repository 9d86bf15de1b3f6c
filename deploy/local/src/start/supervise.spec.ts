import { expect, test } from 'vitest';
import { explainEnd, nextTry, triesInARow } from './supervise.js';

test('pauses double while it ends quickly, and after a bounded number of quick ends it is given up', () => {
  const pauses: number[] = [];
  let next = nextTry(0, 0);
  for (; next; next = nextTry(next.inARow, 0)) pauses.push(next.pauseMs);
  expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000]);
  expect(pauses).toHaveLength(triesInARow);
});

test('an end after a long life is the first of a row', () => {
  expect(nextTry(triesInARow, 60_000)).toEqual({ inARow: 1, pauseMs: 1_000 });
  expect(nextTry(triesInARow, 59_999)).toBeUndefined();
});

test.each([
  [{ code: null, signal: 'SIGKILL' }, ['first', 'last'], 'ended (SIGKILL); its last line: last', /want of memory/],
  [{ code: 3, signal: null }, ['oh'], 'ended (exit code 3); its last line: oh', /log says why/],
  [{ code: 0, signal: null }, [], 'ended (exit code 0) and wrote nothing', /log says why/],
  [{ code: null, signal: null }, ['port 1 is taken'], 'could not be started; its last line: port 1 is taken', /log/],
  [undefined, ['waiting'], 'was not ready in time; its last line: waiting', /log says why/],
  [
    { code: 1, signal: null },
    ['ERROR [x] does not start: PORT is wrong', 'bye'],
    'does not start: PORT is wrong',
    /will not help/,
  ],
] as const)('an end is told by how it came about and in the last words: %j', (exit, lines, what, help) => {
  const ending = explainEnd(exit, lines);
  expect(ending.what).toBe(what);
  expect(ending.help).toMatch(help);
});
