import {
  HASH_BYTES,
  type Hash,
  hashNode,
  rootOfRange,
  sameBytes,
  sha256,
  type TreeHead,
  type TreeReader,
} from './merkle.js';

/**
 * Proves that the leaf at `index` is in the tree of the first `size` leaves: the audit path of RFC 9162 §2.1.3.1, from the
 * leaf upwards. Throws a `RangeError` if there is no such leaf.
 */
export async function proveInclusion(index: number, size: number, read: TreeReader): Promise<Hash[]> {
  if (!isSize(size) || !isSize(index) || index >= size) throw new RangeError(`no leaf ${index} in a tree of ${size}`);
  return hashesOf(inclusionRanges(index, 0, size), read);
}

/**
 * Proves that the tree of the first `from` leaves is a prefix of that of the first `to` leaves: RFC 9162 §2.1.4.1. From size 0,
 * or between equal sizes, the proof is empty. Throws a `RangeError` if `from` exceeds `to`.
 */
export async function proveConsistency(from: number, to: number, read: TreeReader): Promise<Hash[]> {
  if (!isSize(from) || !isSize(to) || from > to) throw new RangeError(`no tree of ${from} leaves within one of ${to}`);
  return from === 0 ? [] : hashesOf(consistencyRanges(from, 0, to, true), read);
}

/** Checks an inclusion proof with the algorithm of RFC 9162 §2.1.3.2. Malformed input is `false`, never an exception. */
export function verifyInclusion(claim: {
  readonly leafHash: Hash;
  readonly index: number;
  readonly head: TreeHead;
  readonly proof: readonly Hash[];
}): boolean {
  const { leafHash, index, head, proof } = claim;
  if (!isSize(index) || !isSize(head.size) || index >= head.size) return false;
  if (![leafHash, head.root, ...proof].every(isHash)) return false;

  const climb = climbFrom(index, head.size - 1);
  let hash = leafHash;
  for (const sibling of proof) {
    const side = climb.next();
    if (side === 'none') return false;
    hash = side === 'left' ? hashNode(sibling, hash) : hashNode(hash, sibling);
  }
  return climb.done() && sameBytes(hash, head.root);
}

/**
 * Checks a consistency proof with the algorithm of RFC 9162 §2.1.4.2. Between equal sizes the roots must be equal and the
 * proof empty; from size 0 the older root must be that of the empty tree. Malformed input is `false`, never an exception.
 */
export function verifyConsistency(claim: {
  readonly from: TreeHead;
  readonly to: TreeHead;
  readonly proof: readonly Hash[];
}): boolean {
  const { from, to, proof } = claim;
  if (!isSize(from.size) || !isSize(to.size) || from.size > to.size) return false;
  if (![from.root, to.root, ...proof].every(isHash)) return false;
  if (from.size === to.size) return proof.length === 0 && sameBytes(from.root, to.root);
  if (from.size === 0) return proof.length === 0 && sameBytes(from.root, sha256());

  const [start, ...rest] = isPowerOfTwo(from.size) ? [from.root, ...proof] : proof;
  if (start === undefined) return false;
  let older = from.size - 1;
  let newer = to.size - 1;
  while (older % 2 === 1) {
    older = half(older);
    newer = half(newer);
  }
  const climb = climbFrom(older, newer);
  let olderRoot = start;
  let newerRoot = start;
  for (const sibling of rest) {
    const side = climb.next();
    if (side === 'none') return false;
    if (side === 'left') {
      olderRoot = hashNode(sibling, olderRoot);
      newerRoot = hashNode(sibling, newerRoot);
    } else {
      newerRoot = hashNode(newerRoot, sibling);
    }
  }
  return climb.done() && sameBytes(olderRoot, from.root) && sameBytes(newerRoot, to.root);
}

type Range = readonly [from: number, to: number];

/** PATH(m, D[n]) of the RFC, as the leaf ranges whose tree hashes it lists. */
function inclusionRanges(index: number, from: number, to: number): Range[] {
  if (to - from === 1) return [];
  const split = from + largestPowerOfTwoBelow(to - from);
  return index < split
    ? [...inclusionRanges(index, from, split), [split, to]]
    : [...inclusionRanges(index, split, to), [from, split]];
}

/** SUBPROOF(m, D[n], b) of the RFC as leaf ranges. `known` is its b: the verifier already has the root of this part. */
function consistencyRanges(older: number, from: number, to: number, known: boolean): Range[] {
  if (older === to) return known ? [] : [[from, to]];
  const split = from + largestPowerOfTwoBelow(to - from);
  return older <= split
    ? [...consistencyRanges(older, from, split, known), [split, to]]
    : [...consistencyRanges(older, split, to, false), [from, split]];
}

async function hashesOf(ranges: readonly Range[], read: TreeReader): Promise<Hash[]> {
  const hashes: Hash[] = [];
  for (const [from, to] of ranges) hashes.push(await rootOfRange(from, to, read));
  return hashes;
}

/** The way up from a node to the root, as both verification algorithms go it: on which side the next sibling is. */
function climbFrom(node: number, last: number) {
  let fn = node;
  let sn = last;
  const up = () => {
    fn = half(fn);
    sn = half(sn);
  };
  return {
    next(): 'left' | 'right' | 'none' {
      if (sn === 0) return 'none';
      const side = fn % 2 === 1 || fn === sn ? 'left' : 'right';
      if (side === 'left') while (fn % 2 === 0 && fn !== 0) up();
      up();
      return side;
    },
    done: () => sn === 0,
  };
}

const half = (n: number): number => Math.floor(n / 2);
const isSize = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;
const isHash = (hash: Hash): boolean => hash.length === HASH_BYTES;
const isPowerOfTwo = (n: number): boolean => n === 1 || largestPowerOfTwoBelow(n) * 2 === n;

function largestPowerOfTwoBelow(n: number): number {
  let power = 1;
  while (power * 2 < n) power *= 2;
  return power;
}
