/** The functions of `node:fs` that are needed to read a file. The caller provides them, because nothing here does I/O. */
export interface Files {
  openSync(path: string, flags: 'r'): number;
  fstatSync(file: number): { readonly size: number };
  readSync(file: number, into: Uint8Array, offset: number, length: number, position: null): number;
  closeSync(file: number): void;
}

/** Far larger than any key, list of people or list of connectors that an operator writes. */
export const ownFileBytes = 1_048_576;

/** A file or folder is larger than allowed. Its code says so too, because messages about an unreadable file name the code. */
export class FileTooLarge extends Error {
  readonly code: string;

  constructor(detail: string) {
    super(detail);
    this.code = detail;
  }
}

const tooLarge = (size: string, most: number) => new FileTooLarge(`has ${size} bytes; at most ${most} are read`);

const pieceBytes = 65_536;

/**
 * The text of an operator's file, in UTF-8; 0 is standard input. Throws `FileTooLarge` if it has more than `most` bytes: before
 * reading if the size is known, otherwise while reading, because a pipe or a device may never end.
 */
export function textOfFile(path: string | 0, fs: Files, most: number = ownFileBytes): string {
  const file = path === 0 ? 0 : fs.openSync(path, 'r');
  try {
    const { size } = fs.fstatSync(file);
    if (size > most) throw tooLarge(String(size), most);
    const pieces: Uint8Array[] = [];
    for (let total = 0; ; ) {
      const piece = Buffer.alloc(pieceBytes);
      const read = fs.readSync(file, piece, 0, pieceBytes, null);
      if (read === 0) return Buffer.concat(pieces).toString('utf8');
      total += read;
      if (total > most) throw tooLarge(`more than ${most}`, most);
      pieces.push(piece.subarray(0, read));
    }
  } finally {
    if (file !== 0) fs.closeSync(file);
  }
}
