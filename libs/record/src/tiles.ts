import { HASH_BYTES, TILE_HEIGHT, type TreeReader } from './merkle.js';

/** Hashes in a full tile. */
export const TILE_WIDTH = 2 ** TILE_HEIGHT;

/** A run of stored hashes: those of level `8 · level` from `256 · index` on, `width` of them (1 to 256; 256 is full). */
export interface Tile {
  readonly level: number;
  readonly index: number;
  readonly width: number;
}

/** How many hashes the tile has in a tree of `size` leaves, 0 to 256. A tile with none does not exist. */
export function tileWidth(level: number, index: number, size: number): number {
  const hashes = Math.floor(size / TILE_WIDTH ** level);
  return Math.min(Math.max(hashes - index * TILE_WIDTH, 0), TILE_WIDTH);
}

/** The tile's path below a log's URL prefix, as C2SP tlog-tiles defines it: `tile/0/x001/x234/067.p/8`. */
export function tilePath({ level, index, width }: Tile): string {
  const thousands: string[] = [];
  for (let rest = index; rest > 0 || thousands.length === 0; rest = Math.floor(rest / 1000)) {
    const digits = String(rest % 1000).padStart(3, '0');
    thousands.unshift(thousands.length === 0 ? digits : `x${digits}`);
  }
  return `tile/${level}/${thousands.join('/')}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

/** The tile's content: its hashes one after the other. Throws a `RangeError` if the store does not hold all of them. */
export async function tileHashes({ level, index, width }: Tile, read: TreeReader): Promise<Uint8Array> {
  const from = index * TILE_WIDTH;
  const bytes = new Uint8Array(Buffer.concat(await read(level * TILE_HEIGHT, from, from + width)));
  if (bytes.length !== width * HASH_BYTES) throw new RangeError(`tile ${level}/${index} has no ${width} hashes yet`);
  return bytes;
}
