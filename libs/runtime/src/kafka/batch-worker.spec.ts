import { expect, test } from 'vitest';
import { recordsOf } from './batch-worker.js';

const message = (offset: string) => ({ offset, key: null, value: null, timestamp: '0', attributes: 0, headers: {} });
const batch = { partition: 3, messages: ['4', '6'].map(message), lastOffset: () => '9' };

test.each([
  [0, 1, [{ partition: 3, offset: '4' }]],
  [1, 2, [{ partition: 3, offset: '6', next: '10' }]],
  [
    0,
    9,
    [
      { partition: 3, offset: '4' },
      { partition: 3, offset: '6', next: '10' },
    ],
  ],
])(
  'the messages from %i to %i of a batch: the last one of the batch goes on behind all that it had',
  (from, to, records) => {
    expect(
      recordsOf(batch, from, to).map(({ partition, offset, next }) => ({ partition, offset, ...(next && { next }) })),
    ).toEqual(records);
  },
);
