import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  append,
  emptyFrontier,
  type Frontier,
  frontierAt,
  type Hash,
  hashLeaf,
  hashNode,
  readerOfLeaves,
  rootOf,
  sha256,
} from './merkle.js';
import { hex, referenceLeaves, referenceRoots, storeOf, treeHash, unhex } from './testing.js';

const leaf = fc.uint8Array({ maxLength: 20 });

/** Appends in batches of the given sizes, until all leaves are in. */
function appendInBatches(leaves: readonly Hash[], sizes: readonly number[]): Frontier {
  let frontier = emptyFrontier;
  let from = 0;
  for (const size of [...sizes, leaves.length]) {
    frontier = append(frontier, leaves.slice(from, from + size)).frontier;
    from += size;
  }
  return frontier;
}

describe('the tree hash', () => {
  test('of nothing is the SHA-256 of nothing', () => {
    expect(hex(rootOf(emptyFrontier))).toBe(referenceRoots[0]);
  });

  test('is that of the reference tree of Certificate Transparency at every size', () => {
    for (const [size, root] of referenceRoots.entries()) {
      const { frontier } = append(emptyFrontier, referenceLeaves.slice(0, size).map(hashLeaf));
      expect(hex(rootOf(frontier))).toBe(root);
    }
  });

  test('is the recursive definition of the RFC, in whatever batches the leaves came', () => {
    fc.assert(
      fc.property(
        fc.array(leaf, { maxLength: 70 }),
        fc.array(fc.nat({ max: 9 }), { maxLength: 9 }),
        (entries, sizes) => {
          const hashes = entries.map(hashLeaf);
          expect(rootOf(appendInBatches(hashes, sizes))).toEqual(treeHash(hashes));
        },
      ),
    );
  });

  test('of two leaves is not that of one leaf made of their hashes', () => {
    const [a, b] = [hashLeaf(unhex('00')), hashLeaf(unhex('01'))];
    expect(hashLeaf(new Uint8Array([...a, ...b]))).not.toEqual(hashNode(a, b));
  });
});

describe('a frontier', () => {
  test('holds one hash for each 1 bit of its size', () => {
    const hashes = Array.from({ length: 1000 }, (_, n) => sha256(Uint8Array.of(n, n >> 8)));
    expect(append(emptyFrontier, hashes).frontier.hashes).toHaveLength(6);
  });

  test('is left as it was by an append', () => {
    const { frontier } = append(emptyFrontier, referenceLeaves.map(hashLeaf).slice(0, 5));
    const before = structuredClone(frontier);
    append(frontier, [hashLeaf(unhex('77'))]);
    expect(frontier).toEqual(before);
  });

  test('with a hash too few or too many is not built upon', () => {
    const { frontier } = append(emptyFrontier, referenceLeaves.map(hashLeaf).slice(0, 6));
    expect(() => append({ ...frontier, size: 5 + 2 }, [])).toThrow(RangeError);
    expect(() => rootOf({ ...frontier, hashes: frontier.hashes.slice(1) })).toThrow(RangeError);
    expect(() => append({ size: -1, hashes: [] }, [])).toThrow(RangeError);
  });

  test('takes no hash that is not 32 bytes', () => {
    expect(() => append(emptyFrontier, [unhex('00')])).toThrow(RangeError);
  });

  test('is read again from stored leaves, or from the subtrees that appends completed', async () => {
    const hashes = Array.from({ length: 700 }, (_, n) => sha256(Uint8Array.of(n, n >> 8)));
    const store = storeOf(hashes);
    for (const size of [0, 1, 5, 255, 256, 257, 512, 700]) {
      const { frontier } = append(emptyFrontier, hashes.slice(0, size));
      expect(
        await frontierAt(
          size,
          readerOfLeaves((from, to) => hashes.slice(from, to)),
        ),
      ).toEqual(frontier);
      expect(await frontierAt(size, store.read)).toEqual(frontier);
    }
  });

  test('is not read from a store that lacks leaves', async () => {
    const { read } = storeOf(referenceLeaves.map(hashLeaf));
    await expect(frontierAt(9, read)).rejects.toThrow(RangeError);
  });
});

test('an append tells the subtrees of levels 8 and 16 that it filled', () => {
  const hashes = Array.from({ length: 65_536 }, (_, n) => sha256(Uint8Array.of(n, n >> 8)));
  const { completed } = append(emptyFrontier, hashes);
  expect(completed).toHaveLength(257);
  expect(completed[0]).toEqual({ level: 8, index: 0, hash: treeHash(hashes.slice(0, 256)) });
  expect(completed[256]).toMatchObject({ level: 16, index: 0 });
});
