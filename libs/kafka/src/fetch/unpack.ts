import { gunzipSync, zstdDecompressSync } from 'node:zlib';

/** The bytes of a batch, or the reason in words why it was refused. */
export type Unpacked = { readonly ok: true; readonly bytes: Buffer } | { readonly ok: false; readonly detail: string };

/** Kafka's numbers of codecs, the low three bits of a batch's attributes. */
export const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

const tooLarge = (most: number): Unpacked => ({ ok: false, detail: `it unpacks to more than ${most} bytes` });

/**
 * The bytes of a batch that a producer compressed. It never creates more than `most` bytes. Throws nothing: a batch that is larger,
 * broken or in another codec is refused in words.
 */
export function unpack(codec: number, packed: Buffer, most: number): Unpacked {
  const name = codecs[codec];
  try {
    if (name === 'gzip') return { ok: true, bytes: gunzipSync(packed, { maxOutputLength: most }) };
    if (name === 'zstd') return { ok: true, bytes: zstdDecompressSync(packed, { maxOutputLength: most }) };
    if (name === 'lz4') {
      const bytes = unpackLz4(packed, most);
      return bytes ? { ok: true, bytes } : tooLarge(most);
    }
  } catch (error) {
    const { code } = error as { code?: string };
    return code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(most) : { ok: false, detail: `it is no whole ${name}` };
  }
  return { ok: false, detail: `its codec, ${name ?? codec}, is not read here: gzip, lz4 and zstd are` };
}

/**
 * An LZ4 frame: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md. Blocks may refer to earlier ones. Its checksums are
 * not checked, because the batch has its own. Undefined if the result would be larger than `most`. Throws a RangeError if the frame
 * is not complete.
 */
function unpackLz4(frame: Buffer, most: number): Buffer | undefined {
  if (frame.readUInt32LE(0) !== 0x184d2204) throw new RangeError('no frame');
  const flags = frame.readUInt8(4);
  // After flags and block size: the content's size, a dictionary's id, and a byte of checksum.
  let at = 6 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0) + 1;
  let out = Buffer.allocUnsafe(Math.min(most, Math.max(65_536, frame.length * 4)));
  let end = 0;
  const room = (more: number): boolean => {
    if (end + more > most) return false;
    if (end + more > out.length) {
      const larger = Buffer.allocUnsafe(Math.min(most, Math.max(end + more, out.length * 2)));
      out.copy(larger, 0, 0, end);
      out = larger;
    }
    return true;
  };
  for (;;) {
    const word = frame.readUInt32LE(at);
    at += 4;
    if (word === 0) return out.subarray(0, end);
    const size = word & 0x7fffffff;
    const block = frame.subarray(at, at + size);
    if (block.length < size) throw new RangeError('cut off');
    at += size + (flags & 0x10 ? 4 : 0);
    if (word >>> 31) {
      if (!room(size)) return undefined;
      end += block.copy(out, end);
    } else if (!unpackBlock(block)) return undefined;
  }

  /** Sequences of literals and of matches in earlier bytes. False if there is no room. */
  function unpackBlock(block: Buffer): boolean {
    let from = 0;
    const lengthOf = (nibble: number): number => {
      if (nibble < 15) return nibble;
      for (let length = 15; ; ) {
        const byte = block.readUInt8(from++);
        length += byte;
        if (byte < 255) return length;
      }
    };
    while (from < block.length) {
      const token = block.readUInt8(from++);
      const literals = lengthOf(token >> 4);
      if (from + literals > block.length) throw new RangeError('cut off');
      if (!room(literals)) return false;
      block.copy(out, end, from, from + literals);
      from += literals;
      end += literals;
      // The last sequence has literals only.
      if (from === block.length) break;
      const back = block.readUInt16LE(from);
      from += 2;
      if (back === 0 || back > end) throw new RangeError('refers to before its beginning');
      const length = lengthOf(token & 15) + 4;
      if (!room(length)) return false;
      // A match may overlap its own output: the bytes that exist so far are copied repeatedly.
      for (let made = 0; made < length; ) {
        const piece = Math.min(back, length - made);
        out.copy(out, end + made, end + made - back, end + made - back + piece);
        made += piece;
      }
      end += length;
    }
    return true;
  }
}
