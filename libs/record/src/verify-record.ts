import { openCheckpoint } from './checkpoint.js';
import { type Leaf, leafHash } from './leaf.js';
import {
  append,
  emptyFrontier,
  type Frontier,
  HASH_BYTES,
  type Hash,
  rootOf,
  sameBytes,
  sha256,
  type TreeHead,
} from './merkle.js';
import type { Refusal, VerifierKey } from './note.js';

/** A leaf as it is stored, with what is stored beside it. */
export interface StoredLeaf {
  /** Its position in the log, from 0. */
  readonly index: number;
  readonly leaf: Leaf;
  /** The leaf hash as stored. Where there is none, the leaf's own is taken. */
  readonly hash?: Hash | null;
  /** The event's bytes, as long as they are kept. */
  readonly bytes?: Uint8Array | null;
}

/** A record to verify: everything stored, in the log's order, and what has been signed about it. */
export interface StoredRecord {
  readonly leaves: Iterable<readonly StoredLeaf[]> | AsyncIterable<readonly StoredLeaf[]>;
  /** Signed checkpoints in any order: the log's own, and better, those that somebody else has kept. */
  readonly checkpoints: readonly string[];
  readonly origin: string;
  readonly keys: readonly VerifierKey[];
}

/**
 * One thing that is wrong. Of a leaf: `event-altered` (the stored bytes are not those it names), `leaf-altered` (it is not
 * the one its stored hash names), `gap` (leaves missing before it), `repeat` (its position, or its Kafka coordinates, came
 * before). Of a checkpoint: the refusals of `openCheckpoint`, `size-mismatch` (it signs more leaves than there are: the tail
 * is cut), `root-mismatch` (it signs another tree: something before its size was changed, added or removed, even if all
 * stored hashes agree). Of the whole: `no-checkpoint` (there are leaves, and no signature vouches for any of them).
 */
export interface Problem {
  readonly kind:
    | 'event-altered'
    | 'leaf-altered'
    | 'gap'
    | 'repeat'
    | 'size-mismatch'
    | 'root-mismatch'
    | 'no-checkpoint'
    | Refusal['kind'];
  /** The leaf's index, the checkpoint's place in the given list (both from 0), or the record as a whole. */
  readonly at: { readonly leaf: number } | { readonly checkpoint: number } | 'record';
  /** In words, without any content of an event. */
  readonly says: string;
}

/** What `verifyRecord` found. Plain JSON. */
export interface RecordReport {
  /** There is no problem. */
  readonly ok: boolean;
  /** How many leaves there are, and their root in base64. */
  readonly size: number;
  readonly root: string;
  /** The first so many leaves are vouched for by a signed checkpoint whose root they have. Those after them are not yet. */
  readonly confirmed: number;
  /** Checkpoints with a good signature, compared with the record. */
  readonly checkpointsChecked: number;
  /** Leaves whose event's bytes were still there and were compared. */
  readonly eventsChecked: number;
  /** All problems counted, and the first thousand of them. */
  readonly problemCount: number;
  readonly problems: readonly Problem[];
}

const PROBLEMS_KEPT = 1000;

/**
 * Verifies a whole record offline, in one pass. For each leaf: it is at its position and no Kafka coordinates come twice;
 * its event's bytes, where kept, have the SHA-256 it names; it has its stored hash. For each checkpoint: the signature, the
 * origin, and that the record's leaves have its root at its size. A problem does not end the pass.
 *
 * Memory: the frontier, the last offset of each partition of each topic id, the checkpoints, a thousand problems; never the leaves.
 */
export async function verifyRecord(record: StoredRecord): Promise<RecordReport> {
  const found = problemList();
  const heads = openAll(record, found.add);
  const checkHead = headCheck(found.add);
  const checkLeaf = leafCheck(found.add);
  let frontier: Frontier = emptyFrontier;
  let next = 0;
  let due = 0;

  const compareWithHeads = () => {
    for (let head = heads[due]; head !== undefined && head.size <= frontier.size; head = heads[due]) {
      checkHead.compare(head, rootOf(frontier));
      due += 1;
    }
  };

  compareWithHeads();
  for await (const batch of record.leaves) {
    for (const stored of batch) {
      if (stored.index > next) {
        found.add('gap', { leaf: stored.index }, `${leavesFromTo(next, stored.index)} missing before it`);
      } else if (stored.index < next) {
        found.add('repeat', { leaf: stored.index }, `it stands where leaf ${next} was due`);
      }
      next = Math.max(next, stored.index + 1);
      frontier = append(frontier, [checkLeaf.hashOf(stored)]).frontier;
      compareWithHeads();
    }
  }

  for (const { place, size } of heads.slice(due)) {
    found.add('size-mismatch', { checkpoint: place }, `it signs ${size} leaves, the record has ${frontier.size}`);
  }
  if (frontier.size > 0 && heads.length === 0) {
    found.add('no-checkpoint', 'record', `no signed checkpoint vouches for any of its ${frontier.size} leaves`);
  }
  return {
    ok: found.count() === 0,
    size: frontier.size,
    root: Buffer.from(rootOf(frontier)).toString('base64'),
    confirmed: checkHead.confirmed(),
    checkpointsChecked: heads.length,
    eventsChecked: checkLeaf.eventsChecked(),
    problemCount: found.count(),
    problems: found.problems,
  };
}

type AddProblem = (kind: Problem['kind'], at: Problem['at'], says: string) => void;

interface SignedHead extends TreeHead {
  readonly place: number;
}

function problemList() {
  const problems: Problem[] = [];
  let count = 0;
  const add: AddProblem = (kind, at, says) => {
    count += 1;
    if (problems.length < PROBLEMS_KEPT) problems.push({ kind, at, says });
  };
  return { add, problems, count: () => count };
}

/** The heads of all checkpoints with a good signature, smallest first. */
function openAll(record: StoredRecord, add: AddProblem): SignedHead[] {
  const heads: SignedHead[] = [];
  for (const [place, note] of record.checkpoints.entries()) {
    const opened = openCheckpoint(note, record);
    if (opened.ok) heads.push({ ...opened.checkpoint, place });
    else add(opened.kind, { checkpoint: place }, opened.says);
  }
  return heads.sort((a, b) => a.size - b.size);
}

function headCheck(add: AddProblem) {
  let confirmed = 0;
  return {
    compare({ place, size, root }: SignedHead, actual: Hash): void {
      if (sameBytes(root, actual)) {
        confirmed = size;
        return;
      }
      add(
        'root-mismatch',
        { checkpoint: place },
        `the record's first ${size} leaves do not have the root it signs; the first ${confirmed} have been confirmed`,
      );
    },
    confirmed: () => confirmed,
  };
}

function leafCheck(add: AddProblem) {
  const lastOffsets = new Map<string, string>();
  let eventsChecked = 0;

  const checkCoordinates = ({ index, leaf }: StoredLeaf) => {
    // A topic that was made again begins anew, under its own id.
    const again = leaf.topicId === undefined ? '' : ` (${leaf.topicId})`;
    const partition = `${leaf.topic}/${leaf.partition}${again}`;
    const last = lastOffsets.get(partition);
    // A partition is read in order, so whatever does not come after its predecessor has been there before.
    if (last !== undefined && !isAfter(leaf.offset, last)) {
      add('repeat', { leaf: index }, `offset ${leaf.offset} of ${partition} after offset ${last}`);
    } else {
      lastOffsets.set(partition, leaf.offset);
    }
  };

  return {
    hashOf(stored: StoredLeaf): Hash {
      const { index, leaf, hash, bytes } = stored;
      if (bytes) {
        eventsChecked += 1;
        if (!sameBytes(sha256(bytes), leaf.sha256)) {
          add('event-altered', { leaf: index }, 'the stored event does not have the SHA-256 that the leaf names');
        }
      }
      const own = leafHash(leaf);
      if (!hash || sameBytes(own, hash)) {
        checkCoordinates(stored);
        return own;
      }
      add('leaf-altered', { leaf: index }, 'the leaf does not have the hash that is stored with it');
      // The tree goes on with the hash that was appended, so one altered leaf does not hide what else may be wrong.
      return hash.length === HASH_BYTES ? hash : own;
    },
    eventsChecked: () => eventsChecked,
  };
}

/** Whether one decimal number without leading zeros is greater than another, of any length. */
const isAfter = (a: string, b: string): boolean => (a.length === b.length ? a > b : a.length > b.length);

function leavesFromTo(from: number, to: number): string {
  return to - from === 1 ? `leaf ${from} is` : `leaves ${from} to ${to - 1} are`;
}
