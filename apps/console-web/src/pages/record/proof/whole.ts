import { type Bytes, sameBytes } from './bytes.js';
import { NotAnExport, type ReadEntry, type ReadLeaf, readHead, readLine } from './export-lines.js';
import { openCheckpoint, type VerifierKey } from './note.js';
import { GrowingTree } from './tree.js';

/* Verifies the whole record in one pass, by the same rules as `verifyRecord` of the record's library. A test compares the two. */

export const problemKinds = [
  ...(['event-altered', 'event-missing', 'leaf-altered', 'gap', 'repeat'] as const),
  ...(['size-mismatch', 'root-mismatch', 'out-of-order'] as const),
  ...(['no-checkpoint', 'checkpoint-missing', 'bad-checkpoint'] as const),
] as const;

/** One fault, without any content of an event. `leaf`: the index of the leaf, if the fault concerns one. */
export interface WholeProblem {
  readonly kind: (typeof problemKinds)[number];
  readonly leaf?: number;
  readonly detail: string;
}

export interface WholeReport {
  readonly ok: boolean;
  readonly size: number;
  /** A signed checkpoint covers the entries up to this number. It does not cover the later ones yet. */
  readonly confirmed: number;
  readonly checkpointsChecked: number;
  /** The number of entries whose bytes were compared, and how many of these have a commitment as their bytes. */
  readonly eventsChecked: number;
  readonly commitmentsChecked: number;
  /** The number of all faults, and the first hundred of them. */
  readonly problemCount: number;
  readonly problems: readonly WholeProblem[];
}

const mostProblems = 100;

interface Head {
  readonly size: number;
  readonly root: Bytes;
}

/** Heads that wait for the entries that they sign, ordered by their sizes. */
class Waiting {
  private heads: Head[] = [];
  private due = 0;

  push(head: Head): void {
    this.heads.push(head);
  }
  /** Takes the next head out, if it signs no more entries than these. */
  upTo(size: number): Head | undefined {
    const head = this.heads[this.due];
    if (head === undefined || head.size > size) return undefined;
    this.due += 1;
    if (this.due > 1_000) {
      this.heads = this.heads.slice(this.due);
      this.due = 0;
    }
    return head;
  }
  rest(): readonly Head[] {
    return this.heads.slice(this.due);
  }
}

/** Whether one decimal number without leading zeros is greater than another. They may have any length. */
const isAfter = (a: string, b: string): boolean => (a.length === b.length ? a > b : a.length > b.length);

/** Verifies the lines of an export as they arrive. `seenNotes`: checkpoints that somebody else has stored. */
export class WholeCheck {
  private readonly tree = new GrowingTree();
  private readonly problems: WholeProblem[] = [];
  private problemCount = 0;
  private readonly sizes = new Map<string, number>();
  private readonly given = new Waiting();
  private readonly among = new Waiting();
  private readonly lastOffsets = new Map<string, string>();
  private head: { readonly latest: string | null } | undefined;
  private line = 0;
  private next = 0;
  private confirmed = 0;
  private checkpointsChecked = 0;
  private opened = 0;
  private eventsChecked = 0;
  private commitmentsChecked = 0;
  private largest = -1;
  private lastNote: string | null = null;
  /** The number of entries that the export has at least, according to its last checkpoint. */
  announced: number | undefined;

  constructor(
    private readonly key: VerifierKey,
    private readonly seenNotes: readonly string[],
  ) {}

  get entries(): number {
    return this.tree.size;
  }

  /** Takes the next lines. Throws `NotAnExport` if one of them is not a line of an export. */
  async take(lines: readonly string[]): Promise<void> {
    let rest = lines;
    if (!this.head && rest.length > 0) {
      const [first = '', ...others] = rest;
      await this.begin(first);
      rest = others;
    }
    const before = this.line;
    this.line += rest.length;
    const entries = await Promise.all(
      rest.map((text, n) => (text.trim() === '' ? undefined : readLine(text, before + n + 1))),
    );
    for (const entry of entries) if (entry) await this.add(entry);
  }

  async end(): Promise<WholeReport> {
    if (!this.head) throw new NotAnExport('line 1: an export begins with its origin, verifierKey and checkpoint');
    const { size } = this.tree;
    for (const head of [...this.given.rest(), ...this.among.rest()])
      this.found('size-mismatch', `a checkpoint signs ${head.size} entries, the record has ${size}`);
    const { latest } = this.head;
    if (this.lastNote !== latest) {
      // A checkpoint that does not open, or that signs more entries than there are, has already been reported.
      const signed = latest === null ? 0 : this.sizes.get(latest);
      if (signed !== undefined && signed <= size)
        this.found('checkpoint-missing', 'the last checkpoint in it is not the one that it names as its last');
    }
    if (size > 0 && this.opened === 0)
      this.found('no-checkpoint', `no signed checkpoint vouches for any of its ${size} entries`);
    const { confirmed, checkpointsChecked, eventsChecked, commitmentsChecked, problemCount, problems } = this;
    return {
      ok: problemCount === 0,
      ...{ size, confirmed, checkpointsChecked, eventsChecked, commitmentsChecked, problemCount, problems },
    };
  }

  private found(kind: WholeProblem['kind'], detail: string, leaf?: number): void {
    this.problemCount += 1;
    if (this.problems.length < mostProblems) this.problems.push({ kind, detail, ...(leaf !== undefined && { leaf }) });
  }

  private async begin(text: string): Promise<void> {
    this.line = 1;
    this.head = readHead(text);
    const { latest } = this.head;
    const heads: Head[] = [];
    for (const note of new Set([...(latest === null ? [] : [latest]), ...this.seenNotes])) {
      const head = await this.open(note);
      if (!head) continue;
      heads.push(head);
      this.sizes.set(note, head.size);
    }
    this.announced = latest === null ? undefined : this.sizes.get(latest);
    this.checkpointsChecked = heads.length;
    for (const head of heads.sort((a, b) => a.size - b.size)) this.given.push(head);
    await this.compare();
  }

  private async open(note: string): Promise<Head | undefined> {
    const read = await openCheckpoint(note, this.key);
    if (!read.ok) {
      this.found('bad-checkpoint', `a checkpoint does not verify: ${read.detail}`);
      return undefined;
    }
    this.opened += 1;
    return read.checkpoint;
  }

  private async compare(): Promise<void> {
    const { size } = this.tree;
    let root: Bytes | undefined;
    for (const waiting of [this.given, this.among])
      for (let head = waiting.upTo(size); head; head = waiting.upTo(size)) {
        root ??= await this.tree.root();
        if (sameBytes(head.root, root)) this.confirmed = head.size;
        else
          this.found(
            'root-mismatch',
            `the first ${head.size} entries are not those that a checkpoint signed; the first ${this.confirmed} have been confirmed`,
          );
      }
  }

  private async add(entry: ReadEntry): Promise<void> {
    if ('checkpoint' in entry) return this.addCheckpoint(entry.checkpoint);
    const { index } = entry;
    if (index > this.next) this.found('gap', `entries ${this.next} to ${index - 1} are missing before it`, index);
    else if (index < this.next) this.found('repeat', `it stands where entry ${this.next} was due`, index);
    this.next = Math.max(this.next, index + 1);
    await this.tree.append(this.hashOf(entry));
    await this.compare();
  }

  private hashOf({ index, partition, offset, own, stored, eventHolds, isCommitment }: ReadLeaf): Bytes {
    if (eventHolds !== undefined) {
      this.eventsChecked += 1;
      if (isCommitment) this.commitmentsChecked += 1;
    }
    // Every line should carry the bytes of its event. The tree covers only their digest, so all hashes are right even if the bytes
    // are missing.
    else this.found('event-missing', 'the bytes of its event are not stored any more: somebody erased them', index);
    if (eventHolds === false) this.found('event-altered', 'the event is not the one that was recorded', index);
    if (stored && !sameBytes(own, stored)) {
      this.found('leaf-altered', 'the entry does not have the hash that is stored with it', index);
      // The tree continues with the entry that was appended, so that one altered entry does not hide other faults.
      return stored;
    }
    const last = this.lastOffsets.get(partition);
    if (last !== undefined && !isAfter(offset, last))
      this.found('repeat', `offset ${offset} of ${partition} after offset ${last}`, index);
    else this.lastOffsets.set(partition, offset);
    return own;
  }

  private async addCheckpoint(note: string): Promise<void> {
    this.lastNote = note;
    const known = this.sizes.get(note);
    // A checkpoint that was also given is compared, and counted, as a given one.
    const head = known === undefined ? await this.open(note) : undefined;
    const size = known ?? head?.size;
    if (size === undefined) return;
    if (size <= this.largest)
      return this.found('out-of-order', `a checkpoint of ${size} entries comes after one of ${this.largest}`);
    this.largest = size;
    if (size < this.tree.size)
      return this.found('out-of-order', `a checkpoint of ${size} entries stands behind ${this.tree.size}`);
    if (!head) return;
    this.checkpointsChecked += 1;
    this.among.push(head);
    await this.compare();
  }
}
