import { createHash } from 'node:crypto';

/** A SHA-256 value: exactly 32 bytes. */
export type Hash = Uint8Array;

/** Bytes of a `Hash`. */
export const HASH_BYTES = 32;

/** Levels a tile spans (C2SP tlog-tiles): a full tile holds 2^8 hashes. Stored levels are 0, 8, 16, … */
export const TILE_HEIGHT = 8;

/** What a checkpoint signs: the number of leaves, and the Merkle tree hash over them. */
export interface TreeHead {
  readonly size: number;
  readonly root: Hash;
}

/**
 * Everything that is needed to append to a tree: its size and the roots of its complete subtrees, widest first, one for each 1
 * bit of `size`. At most 53 hashes, whatever the size.
 */
export interface Frontier {
  readonly size: number;
  readonly hashes: readonly Hash[];
}

/** A complete subtree: it spans the leaves `[index · 2^level, (index + 1) · 2^level)`. */
export interface Subtree {
  readonly level: number;
  readonly index: number;
}

/** The result of `append`. */
export interface Appended {
  readonly frontier: Frontier;
  /** The subtrees of levels 8, 16, … that these leaves filled: about one for 255 leaves. A `TreeReader` needs them stored. */
  readonly completed: readonly (Subtree & { readonly hash: Hash })[];
}

/**
 * Reads stored hashes: those of the complete subtrees of `level` with the indices `from` to `to - 1`, in order. Level 0 has the
 * leaf hashes. Only levels 0, 8, 16, … are requested, at most 256 hashes at once, and only subtrees within the tree size of the
 * call. If the reader returns fewer hashes, the caller throws a `RangeError`.
 */
export type TreeReader = (level: number, from: number, to: number) => readonly Hash[] | Promise<readonly Hash[]>;

/** SHA-256. */
export function sha256(...parts: readonly Uint8Array[]): Hash {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part);
  return new Uint8Array(digest.digest());
}

const LEAF_PREFIX = Uint8Array.of(0);
const NODE_PREFIX = Uint8Array.of(1);

/** The hash of a leaf's bytes: SHA-256(0x00 || entry), RFC 9162 §2.1.1. */
export const hashLeaf = (entry: Uint8Array): Hash => sha256(LEAF_PREFIX, entry);

/** The hash of two children: SHA-256(0x01 || left || right), RFC 9162 §2.1.1. */
export const hashNode = (left: Hash, right: Hash): Hash => sha256(NODE_PREFIX, left, right);

/** The frontier of the empty tree. */
export const emptyFrontier: Frontier = { size: 0, hashes: [] };

/**
 * Adds leaf hashes, in order, from the frontier alone. The given frontier is not changed. Throws a `RangeError` on a frontier
 * whose hashes do not fit its size and on a hash that is not 32 bytes, so that nothing is built on damaged state.
 */
export function append(frontier: Frontier, leafHashes: Iterable<Hash>): Appended {
  checkFrontier(frontier);
  const hashes = [...frontier.hashes];
  const completed: (Subtree & { hash: Hash })[] = [];
  let size = frontier.size;
  for (const leafHash of leafHashes) {
    let hash = checkHash(leafHash);
    let level = 0;
    let index = size;
    while (index % 2 === 1) {
      hash = hashNode(hashes.pop() as Hash, hash);
      index = (index - 1) / 2;
      level += 1;
      if (level % TILE_HEIGHT === 0) completed.push({ level, index, hash });
    }
    hashes.push(hash);
    size += 1;
  }
  return { frontier: { size: checkSize(size), hashes }, completed };
}

/** The Merkle tree hash of all appended leaves (RFC 9162 §2.1.1); SHA-256 of nothing for the empty tree. */
export function rootOf(frontier: Frontier): Hash {
  checkFrontier(frontier);
  return foldRight(frontier.hashes);
}

/** The frontier of the first `size` leaves, from stored hashes. */
export async function frontierAt(size: number, read: TreeReader): Promise<Frontier> {
  return { size: checkSize(size), hashes: await readSubtrees(0, size, read) };
}

/**
 * The tree hash of the leaves `from` to `to - 1`, which must be a node of some tree in the sense of RFC 9162 §2.1, as the ranges
 * of proofs are.
 */
export async function rootOfRange(from: number, to: number, read: TreeReader): Promise<Hash> {
  return foldRight(await readSubtrees(from, to, read));
}

/** A reader for a store with leaf hashes only. Simple and slow: a read above level 0 hashes all leaves below it. */
export function readerOfLeaves(
  leaves: (from: number, to: number) => readonly Hash[] | Promise<readonly Hash[]>,
): TreeReader {
  return async (level, from, to) => {
    const width = 2 ** level;
    const hashes: Hash[] = [];
    for (let index = from; index < to; index += 1) {
      const below = await leaves(index * width, (index + 1) * width);
      hashes.push(level === 0 ? only(below) : rootOf(append(emptyFrontier, expectCount(below, width)).frontier));
    }
    return hashes;
  };
}

/** Whether two byte strings are equal. */
export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

async function readSubtrees(from: number, to: number, read: TreeReader): Promise<Hash[]> {
  const hashes: Hash[] = [];
  for (const { level, index } of subtreesOf(from, to)) {
    const height = level % TILE_HEIGHT;
    const width = 2 ** height;
    const stored = expectCount(await read(level - height, index * width, (index + 1) * width), width);
    hashes.push(rootOf(append(emptyFrontier, stored).frontier));
  }
  return hashes;
}

function* subtreesOf(from: number, to: number): Generator<Subtree> {
  let start = from;
  while (start < to) {
    let level = 0;
    let width = 1;
    while (start % (2 * width) === 0 && start + 2 * width <= to) {
      width *= 2;
      level += 1;
    }
    yield { level, index: start / width };
    start += width;
  }
}

function foldRight(hashes: readonly Hash[]): Hash {
  return hashes.length === 0 ? sha256() : hashes.reduceRight((right, left) => hashNode(left, right));
}

function checkFrontier(frontier: Frontier): void {
  let expected = 0;
  for (let rest = checkSize(frontier.size); rest > 0; rest = Math.floor(rest / 2)) expected += rest % 2;
  if (expected !== frontier.hashes.length) {
    throw new RangeError(
      `a tree of ${frontier.size} leaves has ${expected} complete subtrees, not ${frontier.hashes.length}`,
    );
  }
  for (const hash of frontier.hashes) checkHash(hash);
}

function checkSize(size: number): number {
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError(`not a tree size: ${size}`);
  return size;
}

function checkHash(hash: Hash): Hash {
  if (hash.length !== HASH_BYTES) throw new RangeError(`a hash has ${HASH_BYTES} bytes, not ${hash.length}`);
  return hash;
}

function expectCount(hashes: readonly Hash[], count: number): readonly Hash[] {
  if (hashes.length !== count)
    throw new RangeError(`the store gave ${hashes.length} hashes where ${count} were asked for`);
  return hashes;
}

function only(hashes: readonly Hash[]): Hash {
  return expectCount(hashes, 1)[0] as Hash;
}
