/** A browser's storage, or the part of it that is used. */
export type Shelf = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** Also null if the browser stores nothing, or forbids storage. */
export function read(shelf: () => Shelf, key: string): string | null {
  try {
    return shelf().getItem(key);
  } catch {
    return null;
  }
}

/** Does nothing if the browser stores nothing. A later reading then finds nothing. */
export function write(shelf: () => Shelf, key: string, value: string | null): void {
  try {
    if (value === null) shelf().removeItem(key);
    else shelf().setItem(key, value);
  } catch {
    // Nothing can be done about this failure either.
  }
}
