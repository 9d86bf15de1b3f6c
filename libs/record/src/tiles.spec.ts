import { expect, test } from 'vitest';
import { append, emptyFrontier, rootOf, sha256 } from './merkle.js';
import { storeOf } from './testing.js';
import { tileHashes, tilePath, tileWidth } from './tiles.js';

const leaves = Array.from({ length: 70_000 }, (_, n) => sha256(Uint8Array.of(n, n >> 8, n >> 16)));
const { read } = storeOf(leaves);

test('a tile has the path that the standard gives it', () => {
  expect(tilePath({ level: 0, index: 1_234_067, width: 256 })).toBe('tile/0/x001/x234/067');
  expect(tilePath({ level: 0, index: 0, width: 256 })).toBe('tile/0/000');
  expect(tilePath({ level: 1, index: 1000, width: 17 })).toBe('tile/1/x001/000.p/17');
});

test("the standard's tree of 70,000 leaves has the tiles that it names", () => {
  const widths = (level: number, indices: number[]) => indices.map((index) => tileWidth(level, index, 70_000));
  expect(widths(0, [0, 272, 273, 274])).toEqual([256, 256, 112, 0]);
  expect(widths(1, [0, 1, 2])).toEqual([256, 17, 0]);
  expect(widths(2, [0, 1])).toEqual([1, 0]);
  expect(widths(3, [0])).toEqual([0]);
  expect([tileWidth(0, 0, 256), tileWidth(1, 0, 256), tileWidth(0, 1, 256)]).toEqual([256, 1, 0]);
});

test('a tile holds leaf hashes at level 0 and the roots of full tiles above', async () => {
  const first = await tileHashes({ level: 0, index: 1, width: 256 }, read);
  expect(first).toEqual(new Uint8Array(Buffer.concat(leaves.slice(256, 512))));
  const above = await tileHashes({ level: 1, index: 0, width: 256 }, read);
  expect(above.subarray(32, 64)).toEqual(rootOf(append(emptyFrontier, leaves.slice(256, 512)).frontier));
  expect(await tileHashes({ level: 2, index: 0, width: 1 }, read)).toEqual(
    rootOf(append(emptyFrontier, leaves.slice(0, 65_536)).frontier),
  );
});

test('a tile wider than the tree is not made up', async () => {
  await expect(tileHashes({ level: 0, index: 273, width: 113 }, read)).rejects.toThrow(RangeError);
});
