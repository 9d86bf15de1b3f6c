import { createTestDatabase } from '@countersign/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chain, kafkaFact } from '../core/testing.js';
import { findByIds, type Reader, readLeaves } from './log.repository.js';
import { type Recorder, recorder, secrets } from './testing.js';

let files: ReturnType<typeof secrets>;
let database: Awaited<ReturnType<typeof createTestDatabase>>;
let log: Recorder;
const read: Reader = (sql, params) => log.query(sql, params as unknown[]);

/** Sizes of records that nobody can read, all under one id. */
const sizes = [40_000, 100, 40_000, 200, 40_000, 300];

beforeAll(async () => {
  files = secrets();
  database = await createTestDatabase();
  log = await recorder(database.url);
  const [event] = chain;
  if (!event) throw new Error('the chain has no event');
  const { topic } = kafkaFact(event, 0);
  await log.append(
    sizes.map((size, offset) => ({
      topic,
      partition: 0,
      offset: String(offset),
      key: null,
      headers: { ce_id: Buffer.from('one-id') },
      value: Buffer.alloc(size, 'x'),
    })),
  );
});
afterAll(async () => {
  await log.close();
  await database.close();
  files.remove();
});

test('the record is read in pages of a bound of bytes, each leaf once and in its order; one leaf is always read', async () => {
  const pages = async (bytes: number): Promise<number[][]> => {
    const found: number[][] = [];
    for await (const leaves of readLeaves(read, sizes.length, bytes)) found.push(leaves.map(({ index }) => index));
    return found;
  };
  expect(await pages(1)).toEqual([[0], [1], [2], [3], [4], [5]]);
  expect(await pages(60_000)).toEqual([
    [0, 1, 2],
    [3, 4, 5],
  ]);
  expect(await pages(1_000_000)).toEqual([[0, 1, 2, 3, 4, 5]]);
});

test('of more bytes under an id than are read together the largest records are left out', async () => {
  const found = async (bytes: number) => (await findByIds(read, ['one-id'], 100, bytes)).map(({ index }) => index);
  expect(await found(10_000)).toEqual([0, 1, 3, 5]);
  expect(await found(1_000_000)).toEqual([0, 1, 2, 3, 4, 5]);
});
