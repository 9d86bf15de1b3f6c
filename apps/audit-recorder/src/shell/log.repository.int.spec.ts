import { createTestDatabase } from '@countersign/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chain, kafkaFact } from '../core/testing.js';
import { findByIds, type Reader, readEntries, readLeaves } from './log.repository.js';
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

test('checkpoints are read in pages, those of a page of leaves before it, and none is lost with the leaves', async () => {
  await log.query(
    `INSERT INTO checkpoints (size, note, at) SELECT n, 'note ' || n, now() FROM generate_series(1, 3000) AS n`,
  );
  const entries = async (size: number, signed: number): Promise<[string, number][]> => {
    const found: [string, number][] = [];
    for await (const page of readEntries(read, size, signed))
      found.push('notes' in page ? [page.notes.at(-1) ?? '', page.notes.length] : ['leaves', page.leaves.length]);
    return found;
  };
  expect(await entries(6, 5)).toEqual([
    ['note 5', 5],
    ['leaves', 6],
  ]);
  expect(await entries(6, 2_500)).toEqual([
    ['note 6', 6],
    ['leaves', 6],
    ['note 1006', 1_000],
    ['note 2006', 1_000],
    ['note 2500', 494],
  ]);
  expect(await entries(0, 3_000)).toEqual([
    ['note 1000', 1_000],
    ['note 2000', 1_000],
    ['note 3000', 1_000],
  ]);
  expect(await entries(6, -1)).toEqual([['leaves', 6]]);
});
