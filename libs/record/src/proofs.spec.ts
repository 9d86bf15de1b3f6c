import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { append, emptyFrontier, type Hash, hashLeaf, hashNode, rootOf, sha256 } from './merkle.js';
import { proveConsistency, proveInclusion, verifyConsistency, verifyInclusion } from './proofs.js';
import { altered, hex, referenceLeaves, referenceRoots, storeOf, unhex } from './testing.js';

const reference = referenceLeaves.map(hashLeaf);
const leaves = Array.from({ length: 600 }, (_, n) => sha256(Uint8Array.of(n, n >> 8)));
const store = storeOf(leaves);
const head = (size: number) => ({ size, root: rootOf(append(emptyFrontier, leaves.slice(0, size)).frontier) });
const at = (n: number): Hash => leaves[n] as Hash;

const sizes = fc.integer({ min: 1, max: leaves.length });
const pair = sizes.chain((size) => fc.tuple(fc.nat({ max: size - 1 }), fc.constant(size)));

// The proofs published with the reference tree (google/trillian, merkle/log_verifier_test.go).
const publishedInclusion: [index: number, size: number, proof: string[]][] = [
  [0, 1, []],
  [
    0,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    5,
    8,
    [
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [2, 3, ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125']],
  [
    1,
    5,
    [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
];
const publishedConsistency: [from: number, to: number, proof: string[]][] = [
  [1, 1, []],
  [
    1,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    6,
    8,
    [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [
    2,
    5,
    [
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
];
const referenceHead = (size: number) => ({ size, root: unhex(referenceRoots[size] as string) });

describe('an inclusion proof', () => {
  test.each(publishedInclusion)(
    'of leaf %i in the reference tree of %i is the published one',
    async (index, size, published) => {
      const proof = await proveInclusion(index, size, storeOf(reference).read);
      expect(proof.map(hex)).toEqual(published);
      const leafHash = reference[index] as Hash;
      expect(verifyInclusion({ leafHash, index, head: referenceHead(size), proof: published.map(unhex) })).toBe(true);
    },
  );

  test('verifies for every leaf of every tree of up to 40 leaves, and for no other leaf or index', async () => {
    for (let size = 1; size <= 40; size += 1) {
      for (let index = 0; index < size; index += 1) {
        const claim = { head: head(size), proof: await proveInclusion(index, size, store.read) };
        expect(verifyInclusion({ ...claim, index, leafHash: at(index) })).toBe(true);
        expect(verifyInclusion({ ...claim, index, leafHash: at(index + 1) })).toBe(false);
        for (let other = 0; other < size; other += 1) {
          if (other !== index) expect(verifyInclusion({ ...claim, index: other, leafHash: at(index) })).toBe(false);
        }
      }
    }
  });

  test('fails with any one byte altered, in leaf, root or proof', async () => {
    await fc.assert(
      fc.asyncProperty(pair, fc.nat(), async ([index, size], place) => {
        const proof = await proveInclusion(index, size, store.read);
        const claim = { leafHash: at(index), index, head: head(size), proof };
        expect(verifyInclusion(claim)).toBe(true);
        expect(verifyInclusion({ ...claim, leafHash: altered(at(index), place) })).toBe(false);
        expect(verifyInclusion({ ...claim, head: { size, root: altered(head(size).root, place) } })).toBe(false);
        for (const n of proof.keys()) {
          expect(verifyInclusion({ ...claim, proof: proof.with(n, altered(proof[n] as Hash, place)) })).toBe(false);
        }
      }),
    );
  });

  test('fails with a hash too few, too many or of a wrong length', async () => {
    await fc.assert(
      fc.asyncProperty(pair, async ([index, size]) => {
        const proof = await proveInclusion(index, size, store.read);
        const claim = { leafHash: at(index), index, head: head(size) };
        expect(verifyInclusion({ ...claim, proof: [...proof, at(0)] })).toBe(false);
        expect(verifyInclusion({ ...claim, proof: [at(0), ...proof] })).toBe(false);
        expect(verifyInclusion({ ...claim, proof: [...proof, unhex('')] })).toBe(false);
        if (proof.length > 0) expect(verifyInclusion({ ...claim, proof: proof.slice(1) })).toBe(false);
      }),
    );
  });

  test('of a leaf outside the tree is neither made nor accepted', async () => {
    await expect(proveInclusion(5, 5, store.read)).rejects.toThrow(RangeError);
    for (const index of [1, -1, 0.5, Number.NaN]) {
      expect(verifyInclusion({ leafHash: at(0), index, head: head(1), proof: [] })).toBe(false);
    }
    expect(verifyInclusion({ leafHash: sha256(), index: 0, head: { size: 0, root: sha256() }, proof: [] })).toBe(false);
  });
});

describe('a consistency proof', () => {
  test.each(publishedConsistency)(
    'from %i to %i leaves of the reference tree is the published one',
    async (from, to, published) => {
      expect((await proveConsistency(from, to, storeOf(reference).read)).map(hex)).toEqual(published);
      const claim = { from: referenceHead(from), to: referenceHead(to), proof: published.map(unhex) };
      expect(verifyConsistency(claim)).toBe(true);
    },
  );

  test('verifies between all sizes up to 40, and only between those', async () => {
    const heads = Array.from({ length: 41 }, (_, size) => head(size));
    for (const from of heads) {
      for (const to of heads.slice(from.size)) {
        const proof = await proveConsistency(from.size, to.size, store.read);
        expect(verifyConsistency({ from, to, proof })).toBe(true);
        if (from.size < to.size) {
          expect(verifyConsistency({ from: to, to: from, proof })).toBe(false);
          expect(verifyConsistency({ from: { ...from, root: to.root }, to, proof })).toBe(false);
          // The empty tree is a prefix of whatever there is.
          expect(verifyConsistency({ from, to: { ...to, root: from.root }, proof })).toBe(from.size === 0);
        }
      }
    }
  });

  test('fails with any one byte altered, and with a hash too few or too many', async () => {
    await fc.assert(
      fc.asyncProperty(pair, fc.nat(), async ([older, newer], place) => {
        const [from, to] = [head(older), head(newer)];
        const proof = await proveConsistency(older, newer, store.read);
        expect(verifyConsistency({ from, to, proof })).toBe(true);
        expect(verifyConsistency({ from: { ...from, root: altered(from.root, place) }, to, proof })).toBe(false);
        expect(verifyConsistency({ from, to, proof: [...proof, at(0)] })).toBe(false);
        if (older === 0) return;
        expect(verifyConsistency({ from, to: { ...to, root: altered(to.root, place) }, proof })).toBe(false);
        expect(verifyConsistency({ from, to, proof: proof.slice(1) })).toBe(false);
        expect(verifyConsistency({ from, to, proof: [] })).toBe(false);
        for (const n of proof.keys()) {
          expect(verifyConsistency({ from, to, proof: proof.with(n, altered(proof[n] as Hash, place)) })).toBe(false);
        }
      }),
    );
  });

  test('[case 60] cannot show a log consistent with one whose older leaf was rewritten', async () => {
    const rewritten = storeOf(leaves.with(3, at(99)));
    const proof = await proveConsistency(10, 20, rewritten.read);
    const root = rootOf(append(emptyFrontier, leaves.with(3, at(99)).slice(0, 20)).frontier);
    expect(verifyConsistency({ from: head(10), to: { size: 20, root }, proof })).toBe(false);
  });

  test('back to a smaller tree is neither made nor accepted', async () => {
    await expect(proveConsistency(6, 5, store.read)).rejects.toThrow(RangeError);
    expect(verifyConsistency({ from: head(6), to: head(5), proof: [] })).toBe(false);
  });
});

test('a proof is as long as its tree is high, even if its hashes lead to the root', () => {
  const [a, b, c, d] = [at(1), at(2), at(3), at(4)];
  const root = rootOf({ size: 3, hashes: [a, b] });
  expect(verifyInclusion({ leafHash: b, index: 0, head: { size: 1, root }, proof: [a] })).toBe(false);
  expect(verifyInclusion({ leafHash: a, index: 0, head: { size: 4, root }, proof: [b] })).toBe(false);
  expect(verifyConsistency({ from: { size: 1, root: a }, to: { size: 4, root }, proof: [b] })).toBe(false);
  const from = { size: 3, root: hashNode(c, hashNode(b, a)) };
  const to = { size: 4, root: hashNode(c, hashNode(b, hashNode(a, d))) };
  expect(verifyConsistency({ from, to, proof: [a, d, b, c] })).toBe(false);
});

test('proofs in a tree beyond 2^32 leaves verify', () => {
  // A leaf alone at the right edge: its only sibling is the full subtree of 2^33 leaves to its left.
  const [left, leaf] = [at(1), at(2)];
  const size = 2 ** 33 + 1;
  const root = rootOf({ size, hashes: [left, leaf] });
  expect(verifyInclusion({ leafHash: leaf, index: size - 1, head: { size, root }, proof: [left] })).toBe(true);
  expect(verifyConsistency({ from: { size: size - 1, root: left }, to: { size, root }, proof: [leaf] })).toBe(true);
});
