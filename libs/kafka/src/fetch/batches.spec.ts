import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { withinBounds } from './batches.js';
import { unpack } from './unpack.js';

const int = (bytes: 2 | 4 | 8, n: number | bigint): Buffer => {
  const made = Buffer.alloc(bytes);
  if (bytes === 8) made.writeBigInt64BE(BigInt(n));
  else made.writeIntBE(Number(n), 0, bytes);
  return made;
};
/** Small numbers only. */
const varint = (n: number): Buffer => Buffer.from([n < 0 ? -2 * n - 1 : 2 * n]);
function record(delta: number, value: string): Buffer {
  const body = Buffer.concat([
    Buffer.from([0]),
    varint(0),
    varint(delta),
    varint(-1),
    varint(value.length),
    Buffer.from(value),
    varint(0),
  ]);
  return Buffer.concat([varint(body.length), body]);
}
const records = (...values: string[]): Buffer => Buffer.concat(values.map((value, n) => record(n, value)));

function batch(first: number, count: number, codec: number, packed: Buffer, attributes = 0): Buffer {
  const rest = Buffer.concat([
    ...[int(4, 0), Buffer.from([2]), int(4, 0), int(2, codec | attributes), int(4, count - 1)],
    ...[int(8, 0), int(8, 0), int(8, 77), int(2, 3), int(4, 0), int(4, count), packed],
  ]);
  return Buffer.concat([int(8, first), int(4, rest.length), rest]);
}
/** An answer to Fetch with one topic, and one transaction that was aborted in its first partition. */
function answer(version: number, ...partitions: Buffer[]): Buffer {
  return Buffer.concat([
    ...[int(4, 0), ...(version >= 7 ? [int(2, 0), int(4, 0)] : []), int(4, 1), int(2, 1), Buffer.from('t')],
    int(4, partitions.length),
    ...partitions.flatMap((set, partition) => [
      ...[int(4, partition), int(2, 0), int(8, 99), int(8, 99), ...(version >= 5 ? [int(8, 0)] : [])],
      ...(partition === 0 ? [int(4, 1), int(8, 5), int(8, 6)] : [int(4, -1)]),
      ...[...(version >= 11 ? [int(4, -1)] : []), int(4, set.length), set],
    ]),
  ]);
}
const bounds = { batchBytes: 1_000, batchRecords: 50, answerBytes: 20_000 };
const versions = [4, 5, 6, 7, 8, 9, 10, 11];

describe.each(versions)('an answer of version %i', (version) => {
  test('without compressed batches is returned as it is', () => {
    const came = answer(version, batch(0, 2, 0, records('a', 'b')), Buffer.alloc(0));
    expect(withinBounds(came, version, bounds)).toEqual({ answer: came, refused: new Map() });
    expect(withinBounds(came, version, bounds).answer).toBe(came);
  });

  test('has its compressed batches unpacked, and everything else left as it is', () => {
    const plain = batch(10, 1, 0, records('plain'));
    const came = (packed: boolean) =>
      answer(
        version,
        Buffer.concat([
          plain,
          packed ? batch(11, 2, 1, gzipSync(records('a', 'b')), 0x18) : batch(11, 2, 0, records('a', 'b'), 0x18),
        ]),
        Buffer.concat([
          packed ? batch(0, 1, 4, zstdCompressSync(records('z'))) : batch(0, 1, 0, records('z')),
          packed ? plain.subarray(0, 30) : Buffer.alloc(0),
        ]),
      );
    expect(withinBounds(came(true), version, bounds)).toEqual({ answer: came(false), refused: new Map() });
  });

  test('has one empty record in the place of a batch beyond the bounds, in words, and what comes behind it', () => {
    const large = records(...Array.from({ length: 40 }, () => 'x'.repeat(40)));
    const behind = batch(45, 1, 0, records('behind'));
    const came = answer(version, Buffer.concat([batch(5, 40, 1, gzipSync(large)), behind]));
    const { answer: made, refused } = withinBounds(came, version, bounds);
    expect([...refused]).toEqual([
      ['t/0/44', 'a batch of 40 records, offsets 5 to 44, is refused: it unpacks to more than 1000 bytes'],
    ]);
    // It stands at the last offset: 39 on from the batch's first.
    const stands = Buffer.concat([
      batch(5, 40, 0, Buffer.alloc(0)).subarray(0, 57),
      int(4, 1),
      Buffer.from([12, 0, 0, 78, 1, 1, 0]),
    ]);
    stands.writeInt32BE(stands.length - 12, 8);
    expect(made).toEqual(answer(version, Buffer.concat([stands, behind])));
  });
});

test.each([
  ['more records than the bound', batch(0, 51, 0, Buffer.alloc(600)), 'it holds more than 50 records'],
  [
    'a codec that is not read',
    batch(0, 1, 2, Buffer.from('snappy')),
    'its codec, snappy, is not read here: gzip, lz4 and zstd are',
  ],
  [
    'a number that is no codec',
    batch(0, 1, 7, Buffer.from('?')),
    'its codec, 7, is not read here: gzip, lz4 and zstd are',
  ],
  ['what is no gzip', batch(0, 1, 1, Buffer.from('no gzip at all')), 'it is no whole gzip'],
  ['half of an lz4', batch(0, 1, 3, Buffer.from('BCJNGGBAgjk=', 'base64')), 'it is no whole lz4'],
  ['half of a zstd', batch(0, 1, 4, zstdCompressSync(records('a')).subarray(0, 12)), 'it is no whole zstd'],
  ['fewer records than it says', batch(0, 2, 1, gzipSync(records('a'))), 'what it unpacks to is not 2 records'],
  ['more records than it says', batch(0, 1, 1, gzipSync(records('a', 'b'))), 'what it unpacks to is not 1 records'],
  [
    'a record that ends before its value',
    batch(0, 1, 1, gzipSync(Buffer.from([12, 0, 0, 0, 1, 90, 0]))),
    'what it unpacks to is not 1 records',
  ],
])('a batch with %s is refused', (_, made, detail) => {
  expect([...withinBounds(answer(4, made), 4, bounds).refused.values()]).toEqual([
    expect.stringMatching(new RegExp(`refused: ${detail}$`)),
  ]);
});

test('what is beyond the bound of one answer is left to the next, which takes it from there', () => {
  const full = batch(0, 40, 1, gzipSync(records(...Array.from({ length: 40 }, (_, n) => `${n}`))));
  const next = batch(40, 40, 1, full.subarray(61));
  const both = withinBounds(answer(4, Buffer.concat([full, next])), 4, bounds).answer;
  expect(both).toEqual(withinBounds(answer(4, full), 4, bounds).answer);
  expect(withinBounds(answer(4, next), 4, bounds).answer.length).toBe(both.length);
});

test('whoever fills a partition with packed batches keeps back no other: each is unpacked first in some answer', () => {
  const full = batch(0, 40, 1, gzipSync(records(...Array.from({ length: 40 }, (_, n) => `${n}`))));
  const small = batch(0, 40, 1, gzipSync(records(...Array.from({ length: 40 }, () => ''))));
  const came = answer(4, full, small, full);
  let asked = 0;
  const unpacked = (begin: number) => {
    const { answer: made } = withinBounds(came, 4, bounds, (partitions) => {
      asked = partitions;
      return begin;
    });
    // What was unpacked is in its partition's place; the others have nothing.
    return [0, 1, 2].filter((n) => {
      const only = [0, 1, 2].map((m) => (m === n ? [full, small, full][m] : undefined) ?? Buffer.alloc(0));
      return made.equals(withinBounds(answer(4, ...only), 4, bounds).answer);
    });
  };
  expect([0, 1, 2].map(unpacked)).toEqual([[0], [1], [2]]);
  expect(asked).toBe(3);
  const made = new Set(Array.from({ length: 200 }, () => withinBounds(came, 4, bounds).answer.toString('base64')));
  expect(made.size).toBe(3);
});

test('what is no answer to a fetch is an error, not a guess', () => {
  expect(() => withinBounds(answer(4, batch(0, 1, 0, records('a'))).subarray(0, 60), 4, bounds)).toThrow(RangeError);
});

const text = '{"a":1,"account":"acme"} {"a":2,"account":"acme"} {"a":3,"account":"acme"} xyzxyzxyzxyzxyzxyz 0123456789';
/** Made by Kafka's own Java client. */
const byKafka = [
  [3, 'BCJNGGBAgjkAAADxCnsiYSI6MSwiYWNjb3VudCI6ImFjbWUifSAZAB8yGQAFHzMZAAA7eHl6AwCwIDAxMjM0NTY3ODkAAAAA'],
  [4, 'KLUv/QBY1AEA5AJ7ImEiOjEsImFjY291bnQiOiJhY21lIn0geyJhIjoyM3h5eiAwMTIzNDU2Nzg5AwC6bkByZ3A6AQEAAA=='],
] as const;
test.each(byKafka)('codec %i as Kafka writes it is read, up to the last byte that is allowed', (codec, packed) => {
  const read = (most: number) => unpack(codec, Buffer.from(packed, 'base64'), most);
  expect(read(text.length)).toEqual({ ok: true, bytes: Buffer.from(text) });
  expect(read(text.length - 1)).toEqual({ ok: false, detail: `it unpacks to more than ${text.length - 1} bytes` });
});
