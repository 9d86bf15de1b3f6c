import { expect, test } from 'vitest';
import { ownedIn } from './group-membership.js';
import { PartitionProgress } from './partition-progress.js';

test('what was handled moves the position and the lag; what was only fetched moves the lag alone', () => {
  const progress = new PartitionProgress();
  progress.reached('t/0', '5', '9');
  progress.behind('t/0', '6', '10');
  expect([progress.lag(), [...progress.positions()]]).toEqual([{ 't/0': 4 }, [['t/0', 5]]]);
});

test.each([
  [undefined, 9, undefined],
  [5, 4, undefined],
  [5, 5, undefined],
  [5, 6, 5],
  [5, NaN, undefined],
])('where %s was due and kafkajs asked for %s, it jumped from %s', (due, asked, from) => {
  const progress = new PartitionProgress();
  if (due !== undefined) progress.placed('t/0', due);
  expect(progress.jumpedFrom('t/0', asked)).toBe(from);
});

test('after a join no position is known, and of the partitions of others nothing is told', () => {
  const progress = new PartitionProgress();
  for (const place of ['t/0', 't/1', 'a/b/1']) progress.reached(place, '1', '2');
  progress.rejoined(ownedIn({ t: [1], 'a/b': [1] }));
  expect([progress.lag(), progress.positions().size]).toEqual([{ 't/1': 1, 'a/b/1': 1 }, 0]);
});
