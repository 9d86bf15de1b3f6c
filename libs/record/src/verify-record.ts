import { openCheckpoint } from './checkpoint.js';
import type { StoredAs } from './export.js';
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
  /** The stored leaf hash. If there is none, the leaf's own hash is used. */
  readonly hash?: Hash | null;
  /** The event's bytes, while they are stored. */
  readonly bytes?: Uint8Array | null;
  /** What the bytes are. A leaf that says so has to have bytes. */
  readonly kept?: StoredAs;
}

/**
 * A signed checkpoint of the log itself that stands among its leaves: behind all checkpoints of fewer leaves, and before the last
 * leaf that it signs or directly behind it.
 */
export interface StoredCheckpoint {
  readonly checkpoint: string;
}

/** A record to verify: everything that is stored, in the log's order, and what was signed about it. */
export interface StoredRecord {
  readonly entries:
    | Iterable<readonly (StoredLeaf | StoredCheckpoint)[]>
    | AsyncIterable<readonly (StoredLeaf | StoredCheckpoint)[]>;
  /** Further signed checkpoints in any order, best those that somebody else has stored. They are held in memory. */
  readonly checkpoints: readonly string[];
  /** The last checkpoint among the entries, given before them, so that a missing end is found; null if there is none. */
  readonly latest?: string | null;
  readonly origin: string;
  readonly keys: readonly VerifierKey[];
}

/**
 * One problem. Of a leaf: `event-altered` (the stored bytes are not those that it names), `event-missing` (it says what its bytes
 * are, and has none), `leaf-altered` (it is not the one that its stored hash names), `gap` (leaves are missing before it), `repeat` (its position, or its Kafka coordinates, came before).
 * Of a checkpoint: the refusals of `openCheckpoint`, `size-mismatch` (it signs more leaves than there are: the end is cut),
 * `root-mismatch` (it signs another tree: something before its size was changed, added or removed, even if all stored hashes
 * agree), `out-of-order` (it stands behind a checkpoint of as many leaves, or behind more leaves than it signs, and is not
 * compared). Of the whole: `no-checkpoint` (there are leaves, and no signature covers any of them), `checkpoint-missing` (the
 * last checkpoint among the entries is not `latest`).
 */
export interface Problem {
  readonly kind:
    | 'event-altered'
    | 'event-missing'
    | 'leaf-altered'
    | 'gap'
    | 'repeat'
    | 'size-mismatch'
    | 'root-mismatch'
    | 'out-of-order'
    | 'no-checkpoint'
    | 'checkpoint-missing'
    | Refusal['kind'];
  /**
   * The leaf's index, the checkpoint's place, or the record as a whole. Places count from 0: `latest` if it is given,
   * `checkpoints`, then those among the entries.
   */
  readonly at: { readonly leaf: number } | { readonly checkpoint: number } | 'record';
  /** In words, without any content of an event. */
  readonly detail: string;
}

/** What `verifyRecord` found. Plain JSON. */
export interface RecordReport {
  /** There is no problem. */
  readonly ok: boolean;
  /** The number of leaves, and their root in base64. */
  readonly size: number;
  readonly root: string;
  /** How many of the first leaves a signed checkpoint with their root covers. The leaves after them are not confirmed yet. */
  readonly confirmed: number;
  /** Checkpoints with a good signature, compared with the record. */
  readonly checkpointsChecked: number;
  /** Leaves whose bytes were still stored and were compared. */
  readonly eventsChecked: number;
  /** Those of them whose bytes are a commitment: it stands for an event whose content is not stored. */
  readonly commitmentsChecked: number;
  /** The number of all problems, and the first thousand of them. */
  readonly problemCount: number;
  readonly problems: readonly Problem[];
}

const PROBLEMS_LISTED = 1000;

/**
 * Verifies a whole record offline, in one pass. For each leaf: it is at its position, and no Kafka coordinates come twice; its
 * event's bytes, if stored, have the SHA-256 that it names, and they are stored if it says what they are; it has its stored hash. For each checkpoint: the signature, the
 * origin, and that the record's leaves have its root at its size. A problem does not end the pass.
 *
 * Memory: the frontier, the last offset of each partition of each topic id, `checkpoints`, and a thousand problems. Of the
 * checkpoints among the entries, the size and root until the leaves that they sign have come. Never the leaves.
 */
export async function verifyRecord(record: StoredRecord): Promise<RecordReport> {
  const found = problemList();
  const heads = headCheck(record, found.add);
  const checkLeaf = leafCheck(found.add);
  let frontier: Frontier = emptyFrontier;
  let next = 0;

  heads.compare(frontier);
  for await (const batch of record.entries) {
    for (const stored of batch) {
      if ('checkpoint' in stored) {
        heads.add(stored.checkpoint, frontier);
        continue;
      }
      if (stored.index > next) {
        found.add('gap', { leaf: stored.index }, `${leavesFromTo(next, stored.index)} missing before it`);
      } else if (stored.index < next) {
        found.add('repeat', { leaf: stored.index }, `it stands where leaf ${next} was due`);
      }
      next = Math.max(next, stored.index + 1);
      frontier = append(frontier, [checkLeaf.hashOf(stored)]).frontier;
      heads.compare(frontier);
    }
  }

  heads.end(frontier);
  if (frontier.size > 0 && heads.opened() === 0) {
    found.add('no-checkpoint', 'record', `no signed checkpoint vouches for any of its ${frontier.size} leaves`);
  }
  return {
    ok: found.count() === 0,
    size: frontier.size,
    root: Buffer.from(rootOf(frontier)).toString('base64'),
    confirmed: heads.confirmed(),
    checkpointsChecked: heads.checked(),
    eventsChecked: checkLeaf.eventsChecked(),
    commitmentsChecked: checkLeaf.commitmentsChecked(),
    problemCount: found.count(),
    problems: found.problems,
  };
}

type AddProblem = (kind: Problem['kind'], at: Problem['at'], detail: string) => void;

interface SignedHead extends TreeHead {
  readonly place: number;
}

function problemList() {
  const problems: Problem[] = [];
  let count = 0;
  const add: AddProblem = (kind, at, detail) => {
    count += 1;
    if (problems.length < PROBLEMS_LISTED) problems.push({ kind, at, detail });
  };
  return { add, problems, count: () => count };
}

function headCheck({ latest, checkpoints, ...trust }: StoredRecord, add: AddProblem) {
  const notes = typeof latest === 'string' ? [latest, ...checkpoints] : checkpoints;
  /** The size that each of these notes signs. */
  const sizes = new Map<string, number>();
  const given = headQueue();
  const among = headQueue();
  let places = 0;
  let checked = 0;
  let opened = 0;
  let confirmed = 0;
  let largest = -1;
  let last: string | null = null;

  const open = (note: string): SignedHead | undefined => {
    const place = places;
    places += 1;
    const read = openCheckpoint(note, trust);
    if (!read.ok) {
      add(read.kind, { checkpoint: place }, read.detail);
      return undefined;
    }
    opened += 1;
    return { size: read.checkpoint.size, root: read.checkpoint.root, place };
  };

  const heads: SignedHead[] = [];
  for (const note of notes) {
    // The caller's own checkpoints may include the latest one.
    if (sizes.has(note)) {
      places += 1;
      continue;
    }
    const head = open(note);
    if (!head) continue;
    heads.push(head);
    sizes.set(note, head.size);
  }
  for (const head of heads.sort((a, b) => a.size - b.size)) given.push(head);
  checked = heads.length;

  const compare = (frontier: Frontier) => {
    for (const queue of [given, among]) {
      for (let head = queue.upTo(frontier.size); head !== undefined; head = queue.upTo(frontier.size)) {
        const { place, size, root } = head;
        if (sameBytes(root, rootOf(frontier))) {
          confirmed = size;
          continue;
        }
        add(
          'root-mismatch',
          { checkpoint: place },
          `the record's first ${size} leaves do not have the root it signs; the first ${confirmed} have been confirmed`,
        );
      }
    }
  };

  return {
    compare,
    /** Adds a checkpoint that stands behind these leaves. */
    add(note: string, frontier: Frontier): void {
      last = note;
      const place = places;
      const known = sizes.get(note);
      // A checkpoint that the caller also gave is compared, and counted, only there.
      const head = known === undefined ? open(note) : undefined;
      if (known !== undefined) places += 1;
      const size = known ?? head?.size;
      if (size === undefined) return;
      if (size <= largest) {
        add('out-of-order', { checkpoint: place }, `it signs ${size} leaves, a checkpoint before it ${largest}`);
        return;
      }
      largest = size;
      if (size < frontier.size) {
        add('out-of-order', { checkpoint: place }, `it signs ${size} leaves, and stands behind ${frontier.size}`);
        return;
      }
      if (!head) return;
      checked += 1;
      among.push(head);
      compare(frontier);
    },
    end(frontier: Frontier): void {
      for (const { place, size } of [...given.rest(), ...among.rest()]) {
        add('size-mismatch', { checkpoint: place }, `it signs ${size} leaves, the record has ${frontier.size}`);
      }
      if (latest === undefined || last === latest) return;
      // A checkpoint that does not open, or that signs more leaves than there are, is already among the problems.
      const size = latest === null ? 0 : sizes.get(latest);
      if (size === undefined || size > frontier.size) return;
      add('checkpoint-missing', 'record', 'the last checkpoint in it is not the one that it names as its last');
    },
    confirmed: () => confirmed,
    checked: () => checked,
    opened: () => opened,
  };
}

/** Heads that wait for the leaves they sign, smallest first. */
function headQueue() {
  const heads: SignedHead[] = [];
  let due = 0;
  return {
    push: (head: SignedHead): void => void heads.push(head),
    /** Takes the next head out, if it signs no more leaves than `size`. */
    upTo(size: number): SignedHead | undefined {
      const head = heads[due];
      if (head === undefined || head.size > size) return undefined;
      due += 1;
      // Only now and then, because each time the remaining heads are copied.
      if (due * 2 > heads.length) {
        heads.splice(0, due);
        due = 0;
      }
      return head;
    },
    rest: (): readonly SignedHead[] => heads.slice(due),
  };
}

function leafCheck(add: AddProblem) {
  const lastOffsets = new Map<string, string>();
  let eventsChecked = 0;
  let commitmentsChecked = 0;

  const checkCoordinates = ({ index, leaf }: StoredLeaf) => {
    // The offsets of a topic that was made again begin again, under its own id.
    const again = leaf.topicId === undefined ? '' : ` (${leaf.topicId})`;
    const partition = `${leaf.topic}/${leaf.partition}${again}`;
    const last = lastOffsets.get(partition);
    // A partition is read in order, so a record that does not come after its predecessor was there before.
    if (last !== undefined && !isAfter(leaf.offset, last)) {
      add('repeat', { leaf: index }, `offset ${leaf.offset} of ${partition} after offset ${last}`);
    } else {
      lastOffsets.set(partition, leaf.offset);
    }
  };

  return {
    hashOf(stored: StoredLeaf): Hash {
      const { index, leaf, hash, bytes, kept } = stored;
      if (bytes) {
        eventsChecked += 1;
        if (kept === 'commitment') commitmentsChecked += 1;
        if (!sameBytes(sha256(bytes), leaf.sha256)) {
          add('event-altered', { leaf: index }, 'the stored event does not have the SHA-256 that the leaf names');
        }
      } else if (kept !== undefined) {
        // The tree covers the digest only, so every hash is still right where somebody has erased the bytes.
        add('event-missing', { leaf: index }, 'the bytes of its event are not stored any more: somebody erased them');
      }
      const own = leafHash(leaf);
      if (!hash || sameBytes(own, hash)) {
        checkCoordinates(stored);
        return own;
      }
      add('leaf-altered', { leaf: index }, 'the leaf does not have the hash that is stored with it');
      // The tree continues with the hash that was appended, so that one altered leaf does not hide other problems.
      return hash.length === HASH_BYTES ? hash : own;
    },
    eventsChecked: () => eventsChecked,
    commitmentsChecked: () => commitmentsChecked,
  };
}

/** Whether one decimal number without leading zeros is greater than another, of any length. */
const isAfter = (a: string, b: string): boolean => (a.length === b.length ? a > b : a.length > b.length);

function leavesFromTo(from: number, to: number): string {
  return to - from === 1 ? `leaf ${from} is` : `leaves ${from} to ${to - 1} are`;
}
