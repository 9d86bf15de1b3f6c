import type { Hash } from './merkle.js';
import { decodeBase64, formatVerifierKey, parseVerifierKey, type VerifierKey } from './note.js';
import type { StoredCheckpoint, StoredLeaf, StoredRecord } from './verify-record.js';

/**
 * What a leaf's `sha256` is the hash of, and what an export carries as `bytes`. `event`: the bytes of `eventBytes`. `commitment`:
 * a keyed hash that stands for an event whose content is not stored. A recorder may add words of its own.
 */
export type StoredAs = 'event' | 'commitment' | (string & {});

/** A leaf as an export carries it. */
export interface ExportedLeaf extends StoredLeaf {
  readonly kept: StoredAs;
  /** When it was appended, RFC 3339. The tree does not vouch for this time. */
  readonly at: string;
}

/** The first line of an export. */
export interface ExportHeader {
  readonly origin: string;
  readonly key: VerifierKey;
  /** The last checkpoint that follows; null if none does. */
  readonly checkpoint: string | null;
}

/**
 * A record as `readExport` found it. `keys` is the one key that the export itself names. It shows that the record agrees with its
 * own signatures. To show whose signatures they are, replace it by a key from another source.
 */
export interface OpenedExport extends StoredRecord {
  readonly entries: AsyncIterable<readonly (ExportedLeaf | StoredCheckpoint)[]>;
}

const ENTRIES_AT_ONCE = 500;

/**
 * The first line of an export (JSON Lines): `{"origin","verifierKey","checkpoint"}`. The key is written as by
 * `formatVerifierKey`. The checkpoint is a signed note: the last of the checkpoints that follow, or null. It comes first, so that
 * an export that ends before the last signed leaf does not verify. No line here ends in a newline.
 *
 * In exports of earlier versions it is `{"origin","verifierKey","checkpoints"}` with all checkpoints, and only leaves follow.
 */
export const exportHeader = ({ origin, key, checkpoint }: ExportHeader): string =>
  JSON.stringify({ origin, verifierKey: formatVerifierKey(key), checkpoint });

/**
 * The line of a checkpoint, a signed note: `{"checkpoint"}`. It comes before the last leaf that it signs, or directly behind it,
 * and after all checkpoints of fewer leaves. The nearer it is to that leaf, the fewer checkpoints a verifier has to hold.
 */
export const exportCheckpoint = (note: string): string => JSON.stringify({ checkpoint: note });

/**
 * The line of a leaf: `{"index","topic","topicId","partition","offset","source","id","sha256","hash","kept","at","bytes"}`.
 * Hashes are in lower-case hexadecimal. Bytes are in base64, and absent if there are none. `topicId` is there only for a topic
 * that was made again.
 */
export const exportLeaf = ({ index, leaf, hash, kept, at, bytes }: ExportedLeaf): string =>
  JSON.stringify({
    index,
    topic: leaf.topic,
    ...(leaf.topicId !== undefined && { topicId: leaf.topicId }),
    partition: leaf.partition,
    offset: leaf.offset,
    source: leaf.source,
    id: leaf.id,
    sha256: hex(leaf.sha256),
    ...(hash && { hash: hex(hash) }),
    kept,
    at,
    ...(bytes && { bytes: Buffer.from(bytes).toString('base64') }),
  });

/**
 * Reads an export line by line, in constant memory (except for the first line of an earlier version). Its result is the input of
 * `verifyRecord`. Blank lines are skipped. Throws a `SyntaxError` that names the line, and nothing of its content, if a line does
 * not have the form above: the first line at once, the others when they are reached. A file that was cut at the end of a line
 * reads well; `verifyRecord` finds that leaves are missing.
 */
export async function readExport(lines: Iterable<string> | AsyncIterable<string>): Promise<OpenedExport> {
  const numbered = numberLines(lines);
  const first = await numbered.next();
  if (first.done) throw new SyntaxError('line 1: an export begins with its origin, verifierKey and checkpoint');
  return { ...parseHeader(first.value), entries: readEntries(numbered) };
}

interface Line {
  readonly number: number;
  readonly members: Readonly<Record<string, unknown>>;
}

async function* numberLines(lines: Iterable<string> | AsyncIterable<string>): AsyncGenerator<Line, void, void> {
  let number = 0;
  for await (const text of lines) {
    number += 1;
    if (text.trim() === '') continue;
    const members = parseObject(text);
    if (members === undefined) throw malformed(number, 'not a JSON object');
    yield { number, members };
  }
}

async function* readEntries(
  lines: AsyncGenerator<Line, void, void>,
): AsyncGenerator<readonly (ExportedLeaf | StoredCheckpoint)[]> {
  let batch: (ExportedLeaf | StoredCheckpoint)[] = [];
  for await (const line of lines) {
    batch.push('checkpoint' in line.members ? parseCheckpointLine(line) : parseLeaf(line));
    if (batch.length === ENTRIES_AT_ONCE) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

function parseHeader({ number, members }: Line): Omit<OpenedExport, 'entries'> {
  const { origin, verifierKey } = members;
  if (typeof origin !== 'string') throw malformed(number, 'origin is a text');
  if (typeof verifierKey !== 'string') throw malformed(number, 'verifierKey is a text');
  const signed = signedIn(number, members);
  try {
    return { origin, keys: [parseVerifierKey(verifierKey)], ...signed };
  } catch {
    throw malformed(number, 'verifierKey is not a verifier key');
  }
}

function signedIn(number: number, { checkpoint, checkpoints }: Line['members']) {
  if (checkpoints === undefined) {
    if (checkpoint !== null && typeof checkpoint !== 'string') throw malformed(number, 'checkpoint is a text or null');
    return { latest: checkpoint, checkpoints: [] };
  }
  if (checkpoint !== undefined) throw malformed(number, 'checkpoint and checkpoints are of different versions');
  if (!Array.isArray(checkpoints) || !checkpoints.every((note) => typeof note === 'string')) {
    throw malformed(number, 'checkpoints are texts');
  }
  return { checkpoints: checkpoints as readonly string[] };
}

function parseCheckpointLine({ number, members: { checkpoint } }: Line): StoredCheckpoint {
  if (typeof checkpoint !== 'string') throw malformed(number, 'checkpoint is a text');
  return { checkpoint };
}

function parseLeaf({ number, members }: Line): ExportedLeaf {
  const { index, topic, topicId, partition, offset, source, id, sha256, hash, kept, at, bytes } = members;
  const ensure = (holds: boolean, detail: string): void => {
    if (!holds) throw malformed(number, detail);
  };
  ensure(Number.isSafeInteger(index) && (index as number) >= 0, 'index is a number from 0');
  ensure(typeof topic === 'string', 'topic is a text');
  ensure(topicId === undefined || typeof topicId === 'string', 'topicId is a text');
  ensure(Number.isSafeInteger(partition), 'partition is a number');
  ensure(typeof offset === 'string' && /^(0|[1-9][0-9]{0,18})$/.test(offset), 'offset is a decimal text');
  ensure(source === null || typeof source === 'string', 'source is a text or null');
  ensure(id === null || typeof id === 'string', 'id is a text or null');
  ensure(typeof kept === 'string', 'kept is a text');
  ensure(typeof at === 'string', 'at is a text');
  const digest = unhex(sha256);
  const stored = hash === undefined ? null : unhex(hash);
  const content = bytes === undefined ? null : typeof bytes === 'string' ? decodeBase64(bytes) : undefined;
  if (digest === undefined) throw malformed(number, 'sha256 is 64 hexadecimal digits');
  if (stored === undefined) throw malformed(number, 'hash is 64 hexadecimal digits');
  if (content === undefined) throw malformed(number, 'bytes are base64');
  return {
    index: index as number,
    leaf: {
      topic: topic as string,
      ...(topicId !== undefined && { topicId: topicId as string }),
      partition: partition as number,
      offset: offset as string,
      source: source as string | null,
      id: id as string | null,
      sha256: digest,
    },
    hash: stored,
    bytes: content && new Uint8Array(content),
    kept: kept as StoredAs,
    at: at as string,
  };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

const malformed = (line: number, detail: string): SyntaxError => new SyntaxError(`line ${line}: ${detail}`);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const unhex = (text: unknown): Hash | undefined =>
  typeof text === 'string' && /^[0-9a-f]{64}$/.test(text) ? new Uint8Array(Buffer.from(text, 'hex')) : undefined;
