/**
 * Long texts, or bytes, as one parameter of a statement. As elements of an array, the driver would escape each of them, and the
 * database would read them character by character. As bytes they travel unchanged, and `cut` takes each out at its place.
 */
export interface Packed {
  readonly bytes: Buffer;
  /** Where each one begins, from 1 as in SQL. */
  readonly starts: readonly number[];
  /** The length of each one in bytes (of UTF-8 for a text); null for no value. */
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

/** The SQL for the bytes that `packed` put into the parameter `bytes`, in a row that has their place as `start` and `length`. */
export const cutBytes = (bytes: string, start: string, length: string): string =>
  `substring(${bytes}::bytea from ${start} for ${length})`;

/** The same for a text. */
export const cut = (bytes: string, start: string, length: string): string =>
  `convert_from(${cutBytes(bytes, start, length)}, 'UTF8')`;
