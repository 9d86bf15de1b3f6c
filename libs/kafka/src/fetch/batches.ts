import { unpack } from './unpack.js';

/** The limits of what a reader accepts from other writers. */
export interface UnpackBounds {
  /** The bytes of one batch after unpacking. */
  readonly batchBytes: number;
  /** The records of one batch. */
  readonly batchRecords: number;
  /**
   * How much of one answer of the broker is unpacked, in bytes and 256 more for each record. The rest is left to the next answer.
   * The order in which partitions use it changes with each answer.
   */
  readonly answerBytes: number;
}

/** A batch may unpack to 16 times the size that the broker accepts. An answer holds at least one such batch. */
export const unpackBounds: UnpackBounds = { batchBytes: 16_777_216, batchRecords: 50_000, answerBytes: 33_554_432 };

/** What a fetch returned, with every batch unpacked. */
export interface Bounded {
  readonly answer: Buffer;
  /**
   * Refused batches with the reason in words, by `topic/partition/offset`. One empty record replaces each of them, at the batch's
   * last offset.
   */
  readonly refused: ReadonlyMap<string, string>;
}

/* Places in a record batch, version 2: https://kafka.apache.org/documentation/#recordbatch */
const lengthAt = 8;
const magicAt = 16;
const attributesAt = 21;
const lastDeltaAt = 23;
const countAt = 57;
const recordsAt = 61;
const codecBits = 0x07;

/** The memory that a record needs in addition to its bytes, at least. */
const recordCost = 256;

/** The records of one partition in an answer. */
interface PartitionRecords {
  readonly name: string;
  /** Where their size is written, and where they end. */
  readonly sizeAt: number;
  readonly end: number;
  readonly records: Buffer;
}

/**
 * The answer to a Fetch of version 4 to 11 with its compressed batches unpacked, so that a client needs no codec. Batches that are
 * too large or cannot be read are refused. An answer without either is returned unchanged. `first` chooses which of so many
 * partitions is unpacked first. Answers always list partitions in one order, so otherwise a writer could fill the first partitions
 * with packed batches and delay all others. Throws a RangeError if this is not such an answer.
 */
export function withinBounds(
  answer: Buffer,
  version: number,
  bounds: UnpackBounds = unpackBounds,
  first: (partitions: number) => number = (partitions) => Math.floor(Math.random() * partitions),
): Bounded {
  const partitions = partitionsOf(answer, version);
  const begin = first(partitions.length);
  const refused = new Map<string, string>();
  const changed = new Map<PartitionRecords, readonly Buffer[]>();
  let left = bounds.answerBytes;
  for (const partition of [...partitions.slice(begin), ...partitions.slice(0, begin)]) {
    const found = batchesWithin(partition.records, bounds, left);
    if (!found) continue;
    left = found.left;
    for (const [offset, detail] of found.refused) refused.set(`${partition.name}/${offset}`, detail);
    changed.set(partition, found.batches);
  }
  if (changed.size === 0) return { answer, refused };
  const pieces: Buffer[] = [];
  /** The bytes before it are in `pieces`. */
  let copied = 0;
  for (const partition of partitions) {
    const batches = changed.get(partition);
    if (!batches) continue;
    const length = Buffer.alloc(4);
    length.writeInt32BE(batches.reduce((sum, { length: bytes }) => sum + bytes, 0));
    pieces.push(answer.subarray(copied, partition.sizeAt), length, ...batches);
    copied = partition.end;
  }
  return { answer: Buffer.concat([...pieces, answer.subarray(copied)]), refused };
}

/** Every partition of an answer, in its order. Throws a RangeError if this is not an answer to a Fetch. */
function partitionsOf(answer: Buffer, version: number): PartitionRecords[] {
  const found: PartitionRecords[] = [];
  let at = version >= 7 ? 10 : 4;
  const int32 = (): number => {
    at += 4;
    return answer.readInt32BE(at - 4);
  };
  const text = (): string => {
    const from = at + 2;
    at = from + answer.readInt16BE(at);
    return answer.toString('utf8', from, at);
  };
  for (let topics = int32(); topics > 0; topics--) {
    const topic = text();
    for (let partitions = int32(); partitions > 0; partitions--) {
      const partition = int32();
      // The partition's error, the ends of the log and, from version 5 on, its beginning.
      at += 2 + 8 + 8 + (version >= 5 ? 8 : 0);
      const aborted = Math.max(0, int32());
      at += 16 * aborted;
      if (version >= 11) at += 4;
      const sizeAt = at;
      const size = Math.max(0, int32());
      if (at + size > answer.length) throw new RangeError('a fetch ends in the middle of its records');
      const records = answer.subarray(at, at + size);
      at += size;
      found.push({ name: `${topic}/${partition}`, sizeAt, end: at, records });
    }
  }
  return found;
}

/** The batches of one partition as they are passed on. Undefined: unchanged. */
function batchesWithin(
  records: Buffer,
  { batchBytes, batchRecords }: UnpackBounds,
  budget: number,
): { batches: Buffer[]; refused: [string, string][]; left: number } | undefined {
  const batches: Buffer[] = [];
  const refused: [string, string][] = [];
  let left = budget;
  let changed = false;
  for (let at = 0; at + recordsAt <= records.length; ) {
    const batch = records.subarray(at, at + lengthAt + 4 + records.readInt32BE(at + lengthAt));
    const whole = batch.length === lengthAt + 4 + records.readInt32BE(at + lengthAt) && batch.length >= recordsAt;
    // A batch that the broker cut off comes again complete.
    if (!whole) break;
    // An older format, which present brokers do not send any more.
    if (batch.readInt8(magicAt) !== 2) return undefined;
    at += batch.length;
    const codec = batch.readInt16BE(attributesAt) & codecBits;
    const count = batch.readInt32BE(countAt);
    const unpacked =
      count > batchRecords
        ? tooMany(batchRecords)
        : codec === 0
          ? undefined
          : unpackedOf(batch, codec, count, batchBytes);
    if (!unpacked) {
      batches.push(batch);
      continue;
    }
    changed = true;
    if (unpacked.ok) {
      const cost = unpacked.bytes.length + recordCost * count;
      if (cost > left) break;
      left -= cost;
      batches.push(batchOf(batch, count, unpacked.bytes));
      continue;
    }
    const delta = batch.readInt32BE(lastDeltaAt);
    const first = batch.readBigInt64BE(0);
    const last = first + BigInt(delta);
    refused.push([
      String(last),
      `a batch of ${count} records, offsets ${first} to ${last}, is refused: ${unpacked.detail}`,
    ]);
    batches.push(batchOf(batch, 1, emptyRecord(delta)));
  }
  return changed ? { batches, refused, left } : undefined;
}

const tooMany = (most: number) => ({ ok: false, detail: `it holds more than ${most} records` }) as const;

function unpackedOf(batch: Buffer, codec: number, count: number, most: number): ReturnType<typeof unpack> {
  const unpacked = unpack(codec, batch.subarray(recordsAt), most);
  if (unpacked.ok && !holdsRecords(unpacked.bytes, count))
    return { ok: false, detail: `what it unpacks to is not ${count} records` };
  return unpacked;
}

/** The same batch with other records, which are not compressed. Its checksum is still that of the original batch. */
function batchOf(batch: Buffer, count: number, records: Buffer): Buffer {
  const made = Buffer.concat([batch.subarray(0, recordsAt), records]);
  made.writeInt32BE(made.length - lengthAt - 4, lengthAt);
  made.writeInt16BE(batch.readInt16BE(attributesAt) & ~codecBits, attributesAt);
  made.writeInt32BE(count, countAt);
  return made;
}

/** A record with neither key nor value nor headers. */
function emptyRecord(offsetDelta: number): Buffer {
  const body = Buffer.concat([Buffer.from([0, 0]), varint(offsetDelta), varint(-1), varint(-1), varint(0)]);
  return Buffer.concat([varint(body.length), body]);
}

function varint(n: number): Buffer {
  const bytes: number[] = [];
  for (let left = ((n << 1) ^ (n >> 31)) >>> 0; ; left >>>= 7) {
    if (left < 0x80) return Buffer.from([...bytes, left]);
    bytes.push((left & 0x7f) | 0x80);
  }
}

/** Whether these bytes are exactly this number of records. A client that reads beyond an end does not recover. */
function holdsRecords(bytes: Buffer, count: number): boolean {
  let at = 0;
  const number = (end: number): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      if (at >= end || shift > 63) throw new RangeError('no number');
      const byte = bytes[at++] as number;
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return (value >>> 1) ^ -(value & 1);
    }
  };
  const piece = (end: number, least: number): void => {
    const length = number(end);
    if (length < least || at + length > end) throw new RangeError('no piece');
    at += Math.max(0, length);
  };
  try {
    for (let left = count; left > 0; left--) {
      const size = number(bytes.length);
      const end = at + size;
      if (size <= 0 || end > bytes.length) return false;
      at++;
      number(end);
      number(end);
      piece(end, -1);
      piece(end, -1);
      const headers = number(end);
      if (headers < 0) return false;
      for (let header = 0; header < headers; header++) {
        piece(end, 0);
        piece(end, -1);
      }
      if (at !== end) return false;
    }
    return at === bytes.length;
  } catch {
    return false;
  }
}
