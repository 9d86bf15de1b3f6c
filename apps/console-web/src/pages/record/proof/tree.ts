import { type Bytes, joined, sameBytes, sha256 } from './bytes.js';

/** What a checkpoint signs. */
export interface Head {
  readonly size: number;
  readonly root: Bytes;
}

const leafPrefix = Uint8Array.of(0);
const nodePrefix = Uint8Array.of(1);

export const hashLeaf = (entry: Bytes): Promise<Bytes> => sha256(leafPrefix, entry);
export const hashNode = (left: Bytes, right: Bytes): Promise<Bytes> => sha256(nodePrefix, joined(left, right));

/** A tree that only grows: the roots of its complete subtrees, widest first. */
export class GrowingTree {
  private readonly subtrees: Bytes[] = [];
  private leaves = 0;

  get size(): number {
    return this.leaves;
  }

  async append(leafHash: Bytes): Promise<void> {
    let hash = leafHash;
    for (let index = this.leaves; index % 2 === 1; index = half(index))
      hash = await hashNode(this.subtrees.pop() as Bytes, hash);
    this.subtrees.push(hash);
    this.leaves += 1;
  }

  /** RFC 9162 §2.1.1. */
  async root(): Promise<Bytes> {
    let [root, ...wider] = this.subtrees.toReversed();
    if (root === undefined) return sha256();
    for (const left of wider) root = await hashNode(left, root);
    return root;
  }
}

/** RFC 9162 §2.1.3.2. A malformed proof gives `false`. */
export async function verifyInclusion(claim: {
  readonly leafHash: Bytes;
  readonly index: number;
  readonly head: Head;
  readonly proof: readonly Bytes[];
}): Promise<boolean> {
  const { leafHash, index, head, proof } = claim;
  if (!isSize(index) || !isSize(head.size) || index >= head.size) return false;
  if (![leafHash, head.root, ...proof].every(isHash)) return false;
  const climb = climbFrom(index, head.size - 1);
  let hash = leafHash;
  for (const sibling of proof) {
    const side = climb.next();
    if (side === 'none') return false;
    hash = side === 'left' ? await hashNode(sibling, hash) : await hashNode(hash, sibling);
  }
  return climb.done() && sameBytes(hash, head.root);
}

/** RFC 9162 §2.1.4.2. A malformed proof gives `false`. */
export async function verifyConsistency(claim: {
  readonly from: Head;
  readonly to: Head;
  readonly proof: readonly Bytes[];
}): Promise<boolean> {
  const { from, to, proof } = claim;
  if (!isSize(from.size) || !isSize(to.size) || from.size > to.size) return false;
  if (![from.root, to.root, ...proof].every(isHash)) return false;
  if (from.size === to.size) return proof.length === 0 && sameBytes(from.root, to.root);
  if (from.size === 0) return proof.length === 0 && sameBytes(from.root, await sha256());
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
      olderRoot = await hashNode(sibling, olderRoot);
      newerRoot = await hashNode(sibling, newerRoot);
    } else {
      newerRoot = await hashNode(newerRoot, sibling);
    }
  }
  return climb.done() && sameBytes(olderRoot, from.root) && sameBytes(newerRoot, to.root);
}

/** The path from a node up to the root: on which side each sibling is. */
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
const isHash = (hash: Bytes): boolean => hash.length === 32;
function isPowerOfTwo(n: number): boolean {
  let power = 1;
  while (power < n) power *= 2;
  return power === n;
}
