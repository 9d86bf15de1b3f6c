type Shelf = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

const key = 'countersign-renewal';

/**
 * Where the session of this browser began, to begin another one there when it is over. All windows share it, as they share the session:
 * a person who signs out in one of them is not signed in again by another. That it was tried is known to each window by itself.
 */
export const renewal = (browser: () => Shelf, ownWindow: () => Shelf) => {
  const known = () => read(browser);
  return {
    /** Before the console is asked who is signed in: what keeps its answer. */
    asking() {
      const before = known();
      return (address: string | null): void => {
        write(ownWindow, null);
        // Somebody signed out in another window while this answer was on its way.
        if (before !== null && known() === null) return;
        write(browser, address);
      };
    },
    /** Somebody signs out by themselves. */
    end: (): void => write(browser, null),
    /** Once only in this window: where it does not lead to a session, a person decides what comes next. */
    take(): string | null {
      const address = known();
      if (address === null || read(ownWindow) !== null) return null;
      write(ownWindow, 'tried');
      // Without a note of it there is no end to it.
      return read(ownWindow) === null ? null : address;
    },
  };
};

function read(shelf: () => Shelf): string | null {
  try {
    return shelf().getItem(key);
  } catch {
    return null;
  }
}

function write(shelf: () => Shelf, value: string | null): void {
  try {
    if (value === null) shelf().removeItem(key);
    else shelf().setItem(key, value);
  } catch {
    // A browser that keeps nothing: then a person presses the button.
  }
}
