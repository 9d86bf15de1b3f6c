import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PartitionPauses } from './partition-pauses.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const resumed: string[] = [];
const pausing = (place: string) => () => () => void resumed.push(place);
beforeEach(() => void resumed.splice(0));

test('a failure is told until it is handled, also when its pause is over; failures in a row are counted', () => {
  const pauses = new PartitionPauses();
  pauses.failed('t/0', 'bad', 10, pausing('t/0'));
  vi.advanceTimersByTime(10);
  expect([pauses.paused(), pauses.failuresOf('t/0'), resumed]).toEqual([{ 't/0': 'bad' }, 1, ['t/0']]);
  pauses.failed('t/0', 'worse', 10, pausing('t/0'));
  expect([pauses.paused(), pauses.failuresOf('t/0')]).toEqual([{ 't/0': 'worse' }, 2]);
  pauses.handled('t/0');
  expect([pauses.paused(), pauses.failuresOf('t/0')]).toEqual([{}, 0]);
});

test('what is held back is no failure', () => {
  const pauses = new PartitionPauses();
  pauses.hold('t/0', 10, pausing('t/0'));
  expect(pauses.paused()).toEqual({});
  vi.advanceTimersByTime(10);
  expect(resumed).toEqual(['t/0']);
});

test('a join resumes what is held back and what is not ours any more; a failure of ours whose pause lasts goes on pausing', () => {
  const pauses = new PartitionPauses();
  pauses.failed('over', 'bad', 10, pausing('over'));
  vi.advanceTimersByTime(10);
  for (const place of ['ours', 'theirs']) pauses.failed(place, 'bad', 60_000, pausing(place));
  pauses.hold('held', 60_000, pausing('held'));
  resumed.length = 0;
  pauses.rejoined((place) => place !== 'theirs');
  expect([resumed, pauses.paused()]).toEqual([['over', 'theirs', 'held'], { ours: 'bad' }]);
});

test('of deleted records nothing is told any more once they may be tried again', () => {
  const pauses = new PartitionPauses();
  pauses.failed('t/0', 'bad', 10, pausing('t/0'));
  pauses.deleted('t/0');
  expect(pauses.paused()).toEqual({ 't/0': 'bad' });
  vi.advanceTimersByTime(10);
  pauses.deleted('t/0');
  expect(pauses.paused()).toEqual({});
});

test('a partition that went to another instance cannot be resumed, and that is no error', () => {
  const pauses = new PartitionPauses();
  pauses.hold('t/0', 10, () => () => {
    throw new Error('not assigned');
  });
  expect(() => vi.advanceTimersByTime(10)).not.toThrow();
});

test('after a stop nothing is resumed', () => {
  const pauses = new PartitionPauses();
  pauses.failed('t/0', 'bad', 10, pausing('t/0'));
  pauses.hold('t/1', 10, pausing('t/1'));
  pauses.stop();
  vi.advanceTimersByTime(1_000);
  expect(resumed).toEqual([]);
});
