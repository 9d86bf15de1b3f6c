import { beforeEach, expect, test } from 'vitest';
import { type DecodedRecord, markAborted } from './committed-only.js';

const marker = (type: 0 | 1): Buffer => Buffer.from([0, 0, 0, type]);
let offset: number;
beforeEach(() => {
  offset = 0;
});
const record = (producerId: string, more: Partial<DecodedRecord> = {}): DecodedRecord => ({
  offset: String(offset++),
  key: null,
  batchContext: { producerId, inTransaction: true },
  isControlRecord: false,
  ...more,
});
const end = (producerId: string, type: 0 | 1): DecodedRecord =>
  record(producerId, { isControlRecord: true, key: marker(type) });
/** The offsets that are handed over of these records, of which the broker says what was aborted. */
function handedOver(messages: readonly DecodedRecord[], aborted: readonly (readonly [string, number])[]): string[] {
  const abortedTransactions = aborted.map(([producerId, first]) => ({ producerId, firstOffset: String(first) }));
  const partition = { abortedTransactions, messages };
  markAborted(partition);
  expect(partition.abortedTransactions).toEqual([]);
  return messages.filter((message) => !message.isControlRecord).map((message) => message.offset);
}

test('of transactions that overlap only what was committed is handed over, in whatever order the broker names them', () => {
  const all = [record('a'), record('b'), record('c'), record('a'), end('b', 0), record('a'), end('a', 0), end('c', 1)];
  // The broker names them in the order in which they ended.
  expect(
    handedOver(all, [
      ['b', 1],
      ['a', 0],
    ]),
  ).toEqual(['2']);
});

test('a fetch that begins in the middle of several knows all of them at its first record', () => {
  offset = 6;
  const all = [record('b'), record('a'), end('a', 0), end('b', 0)];
  expect(
    handedOver(all, [
      ['a', 2],
      ['b', 4],
    ]),
  ).toEqual([]);
});

test('a key of four zero bytes is a key, and no marker', () => {
  const all = [record('a'), record('a', { key: Buffer.alloc(4) }), record('a'), end('a', 0)];
  expect(handedOver(all, [['a', 0]])).toEqual([]);
});

test('after its marker a producer may commit, and what is in no transaction is not touched', () => {
  const plain = { batchContext: { producerId: 'a', inTransaction: false } };
  const all = [record('a'), record('a', plain), end('a', 0), record('a'), end('a', 1)];
  expect(handedOver(all, [['a', 0]])).toEqual(['1', '3']);
});

test('a commit of one that the broker calls aborted from later on ends nothing', () => {
  const all = [record('a'), end('a', 1), record('a'), end('a', 0), record('b', { batchContext: undefined as never })];
  expect(handedOver(all, [['a', 2]])).toEqual(['0', '4']);
});
