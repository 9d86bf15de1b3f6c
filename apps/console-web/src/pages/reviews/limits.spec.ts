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

test('a limit that another day or policy took away or brought has a row of its own', () => {
  const tomorrow = { ...spend, ledger: 'spend:campaign:c-2:2026-11-22', committed: 0 };
  expect(
    limitRows([spend], [tomorrow], 60_000).map(({ ledger, asked, now }) => [ledger, asked?.sum, now?.sum]),
  ).toEqual([
    [spend.ledger, 70_000, undefined],
    [tomorrow.ledger, undefined, 60_000],
  ]);
});
