/** What a browser stores, or the part of it that is used. */
export type Shelf = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** Null too where the browser keeps nothing, or forbids it. */
export function read(shelf: () => Shelf, key: string): string | null {
  try {
    return shelf().getItem(key);
  } catch {
    return null;
  }
}

/** Does nothing where the browser keeps nothing: whoever reads it again finds nothing. */
export function write(shelf: () => Shelf, key: string, value: string | null): void {
  try {
    if (value === null) shelf().removeItem(key);
    else shelf().setItem(key, value);
  } catch {
    // Nor is there anything to do about it.
  }
}
