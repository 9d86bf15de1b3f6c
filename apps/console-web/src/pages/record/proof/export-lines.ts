import { type Bytes, encode, fromBase64, hashFromHex, sameBytes, sha256 } from './bytes.js';
import { hashLeaf } from './tree.js';

/** What an export says before its entries. */
export interface ExportHead {
  readonly origin: string;
  readonly latest: string | null;
}

/** A leaf of an export, with the hashes that were computed here. */
export interface ReadLeaf {
  readonly index: number;
  /** Topic and partition, and the id of the topic if it was deleted and made again. */
  readonly partition: string;
  readonly offset: string;
  /** The hash of the content of the line. */
  readonly own: Bytes;
  /** The hash that is stored with the line. */
  readonly stored: Bytes | null;
  /** Whether its event has the SHA-256 that the line names; undefined if the bytes are missing. */
  readonly eventHolds: boolean | undefined;
  /** Its bytes are a commitment, which represents an event whose content is not stored. */
  readonly isCommitment: boolean;
}
export type ReadEntry = { readonly checkpoint: string } | ReadLeaf;

/** A line that is not part of an export. The message names the line, and nothing of its content. */
export class NotAnExport extends Error {
  override readonly name = 'NotAnExport';
}
const malformed = (line: number, detail: string) => new NotAnExport(`line ${line}: ${detail}`);

type Members = Readonly<Record<string, unknown>>;
function membersOf(text: string, line: number): Members {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(line, 'not a JSON object');
  return value as Members;
}

/** Reads the first line. */
export function readHead(text: string): ExportHead {
  const { origin, verifierKey, checkpoint } = membersOf(text, 1);
  if (typeof origin !== 'string' || typeof verifierKey !== 'string')
    throw malformed(1, 'an export begins with its origin, verifierKey and checkpoint');
  if (checkpoint !== null && typeof checkpoint !== 'string') throw malformed(1, 'checkpoint is a text or null');
  return { origin, latest: checkpoint };
}

/** Reads any later line, and computes the hashes of its leaf and of its event. */
export async function readLine(text: string, line: number): Promise<ReadEntry> {
  const members = membersOf(text, line);
  if ('checkpoint' in members) {
    if (typeof members.checkpoint !== 'string') throw malformed(line, 'checkpoint is a text');
    return { checkpoint: members.checkpoint };
  }
  const { index, topic, topicId, partition, offset, source, id, sha256: digest, hash, kept, at, bytes } = members;
  const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);
  const isNamed = (value: unknown) => value === null || typeof value === 'string';
  const isOf =
    isWhole(index) &&
    index >= 0 &&
    typeof topic === 'string' &&
    (topicId === undefined || typeof topicId === 'string') &&
    isWhole(partition) &&
    typeof offset === 'string' &&
    /^(0|[1-9][0-9]{0,18})$/.test(offset) &&
    isNamed(source) &&
    isNamed(id) &&
    typeof kept === 'string' &&
    typeof at === 'string';
  if (!isOf) throw malformed(line, 'it is not the line of an entry');
  const named = hashFromHex(digest);
  const stored = hash === undefined ? null : hashFromHex(hash);
  const content = bytes === undefined ? null : typeof bytes === 'string' ? fromBase64(bytes) : undefined;
  if (named === undefined || stored === undefined || content === undefined)
    throw malformed(line, 'its hashes or its bytes are not of their form');
  const leaf = { id, offset, partition, sha256: digest, source, topic, ...(topicId !== undefined && { topicId }) };
  const [own, eventDigest] = await Promise.all([
    hashLeaf(encode(JSON.stringify(leaf))),
    content === null ? undefined : sha256(content),
  ]);
  return {
    index,
    partition: `${topic}/${partition}${topicId === undefined ? '' : ` (${topicId})`}`,
    offset,
    own,
    stored,
    eventHolds: eventDigest && sameBytes(eventDigest, named),
    isCommitment: kept === 'commitment',
  };
}

/** The longest line that an export may have: an event has less than a megabyte. */
const longestLine = 16 * 1024 * 1024;

/** Splits text that arrives in pieces into lines. */
export function lineCutter() {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let begun = '';
  let line = 0;
  const whole = (lines: string[]) => {
    line += lines.length;
    return lines;
  };
  const decoded = (decode: () => string): string => {
    try {
      return decode();
    } catch {
      throw malformed(line + 1, 'not UTF-8');
    }
  };
  return {
    /** The lines that are complete with this piece. */
    cut(piece: Uint8Array): string[] {
      const parts = (begun + decoded(() => decoder.decode(piece, { stream: true }))).split('\n');
      begun = parts.pop() ?? '';
      if (begun.length > longestLine) throw malformed(line + parts.length + 1, 'longer than a line may be');
      return whole(parts);
    },
    end(): string[] {
      const rest = begun + decoded(() => decoder.decode());
      return rest === '' ? [] : whole([rest]);
    },
  };
}
