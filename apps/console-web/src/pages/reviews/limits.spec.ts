import { expect, test } from 'vitest';
import { limitRows } from './limits.js';

const touch = { ledger: 'touch:c-1', held: 0, committed: 1, cap: 3 };
const spend = { ledger: 'spend:campaign:c-2:2026-11-21', held: 0, committed: 10_000, cap: 100_000, currency: 'EUR' };

test('a limit counts the action in: an amount of money, or one', () => {
  expect(limitRows([touch, spend], undefined, 60_000)).toEqual([
    { ledger: touch.ledger, currency: undefined, asked: { sum: 2, cap: 3 }, now: undefined },
    { ledger: spend.ledger, currency: 'EUR', asked: { sum: 70_000, cap: 100_000 }, now: undefined },
  ]);
});

test('what it was when a person was asked stands beside what it is now, with the cap of each', () => {
  expect(limitRows([touch], [{ ...touch, held: 1, committed: 2, cap: 2 }], undefined)).toEqual([
    { ledger: touch.ledger, currency: undefined, asked: { sum: 2, cap: 3 }, now: { sum: 4, cap: 2 } },
  ]);
});

const figuresOf = (rows: ReturnType<typeof limitRows>) =>
  rows.map(({ ledger, asked, now }) => [ledger, asked?.sum, now?.sum]);

test('a limit on the spend of a day is the same limit on the next day', () => {
  const tomorrow = { ...spend, ledger: 'spend:campaign:c-2:2026-11-22', committed: 0 };
  expect(figuresOf(limitRows([spend], [tomorrow], 60_000))).toEqual([['spend:campaign:c-2', 70_000, 60_000]]);
  expect(figuresOf(limitRows([spend], [spend], 60_000))).toEqual([[spend.ledger, 70_000, 70_000]]);
});

test('the limit of a month is another one than that of a day, and the same in the next month', () => {
  const month = { ...spend, ledger: 'spend:campaign:c-2:2026-11' };
  const next = { ...month, ledger: 'spend:campaign:c-2:2026-12', committed: 0 };
  expect(figuresOf(limitRows([month, spend], [next, spend], 60_000))).toEqual([
    ['spend:campaign:c-2:each-month', 70_000, 60_000],
    [spend.ledger, 70_000, 70_000],
  ]);
});

test('an amount in another currency than the limit is counted in the currency of the limit', () => {
  expect(figuresOf(limitRows([{ ...spend, asked: 55_400 }], undefined, 60_000))).toEqual([
    [spend.ledger, 65_400, undefined],
  ]);
});

test('a limit that only one side names has a row of its own', () => {
  const other = { ...spend, ledger: 'spend:campaign:c-3:2026-11-21', committed: 0 };
  // What is no spend has no day, whatever its name ends with.
  const dated = { ...touch, ledger: 'touch:c-1:2026-11-22' };
  expect(figuresOf(limitRows([spend, touch], [other, dated], 60_000))).toEqual([
    [spend.ledger, 70_000, undefined],
    [touch.ledger, 2, undefined],
    [other.ledger, undefined, 60_000],
    [dated.ledger, undefined, 2],
  ]);
});
