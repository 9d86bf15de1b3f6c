/**
 * Long texts, or bytes, as one parameter of a statement. As elements of an array the driver would escape each of them and the database read
 * them character by character; as bytes they travel as they are, and `cut` takes each out of its place.
 */
export interface Packed {
  readonly bytes: Buffer;
  /** Where each begins, from 1 as SQL counts. */
  readonly starts: readonly number[];
  /** In bytes, of UTF-8 for a text; null where there is nothing. */
  readonly lengths: readonly (number | null)[];
}

export function packed(values: readonly (string | Uint8Array | null)[]): Packed {
  const pieces: Uint8Array[] = [];
  const starts: number[] = [];
  const lengths: (number | null)[] = [];
  let next = 1;
  for (const value of values) {
    starts.push(next);
    if (value === null) {
      lengths.push(null);
      continue;
    }
    const piece = typeof value === 'string' ? Buffer.from(value) : value;
    pieces.push(piece);
    lengths.push(piece.length);
    next += piece.length;
  }
  return { bytes: Buffer.concat(pieces), starts, lengths };
}

/** The SQL for bytes that `packed` put into parameter `bytes`, of a row that has their place as `start` and `length`. */
export const cutBytes = (bytes: string, start: string, length: string): string =>
  `substring(${bytes}::bytea from ${start} for ${length})`;

/** The same for a text. */
export const cut = (bytes: string, start: string, length: string): string =>
  `convert_from(${cutBytes(bytes, start, length)}, 'UTF8')`;
