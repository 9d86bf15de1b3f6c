/**
 * Long texts as one parameter of a statement. As elements of an array the driver would escape each of them and the database read
 * them character by character; as bytes they travel as they are, and `cut` takes each out of its place.
 */
export interface Packed {
  readonly bytes: Buffer;
  /** Where each begins, from 1 as SQL counts. */
  readonly starts: readonly number[];
  /** In bytes of UTF-8; null where there is no text. */
  readonly lengths: readonly (number | null)[];
}

export function packed(texts: readonly (string | null)[]): Packed {
  const pieces: Buffer[] = [];
  const starts: number[] = [];
  const lengths: (number | null)[] = [];
  let next = 1;
  for (const text of texts) {
    starts.push(next);
    if (text === null) {
      lengths.push(null);
      continue;
    }
    const piece = Buffer.from(text);
    pieces.push(piece);
    lengths.push(piece.length);
    next += piece.length;
  }
  return { bytes: Buffer.concat(pieces), starts, lengths };
}

/** The SQL for a text that `packed` put into parameter `bytes`, of a row that has its place as `start` and `length`. */
export const cut = (bytes: string, start: string, length: string): string =>
  `convert_from(substring(${bytes}::bytea from ${start} for ${length}), 'UTF8')`;
