import { expect, test } from 'vitest';
import type { Chain } from '../system/meter.js';
import type { Meter } from '../system/watching.js';
import { settlementsOf } from './settlements.js';

const follow = (...answers: Chain[][]) =>
  settlementsOf(
    { take: async () => answers.shift() ?? [] } as unknown as Meter,
    { count: 3, startAt: 1_000, perSecond: 2 },
    (id) => Number(id.slice('b:'.length)),
  );
const chain = (id: string, at: number, ...ends: string[]): Chain => ({ id, at, ends });

test('each settlement counts once, with its time since the signal was due', async () => {
  const settlements = follow(
    [chain('b:0', 1_040, 'executed'), chain('b:2', 2_100, 'executed')],
    [chain('b:2', 9_000, 'executed'), chain('b:1', 1_600, 'executed')],
  );
  expect(await settlements.collect()).toBe(2);
  expect(settlements.latencies()).toEqual([40, 100]);
  expect(await settlements.collect()).toBe(1);
  expect(settlements.latencies()).toEqual([100]);
  expect(settlements.latencies()).toEqual([]);
  expect(settlements.settled()).toBe(3);
  expect(settlements.flow.settledAt).toEqual([1_040, 1_600, 2_100]);
});

test('other ends are counted by their name, and signals of another load not at all', async () => {
  const settlements = follow([
    chain('b:0', 1_040, 'expired'),
    chain('b:3', 1_050, 'executed'),
    chain('x', 1, 'executed'),
  ]);
  expect(await settlements.collect()).toBe(1);
  expect([...settlements.otherEnds]).toEqual([['expired', 1]]);
});
