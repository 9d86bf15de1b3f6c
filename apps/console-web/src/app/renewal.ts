import { read, type Shelf, write } from './shelf.js';

const key = 'countersign-renewal';
/** As long as the longest session. After that, another person may be at this computer. */
const lastsMs = 12 * 3_600_000;

/**
 * Where the session of this browser began, so that another one can begin there when it is over. All windows share this note, as
 * they share the session. If a person signs out in one window, no other window signs the person in again. The note is valid for
 * some hours after the session was last seen. Each window remembers for itself that it has tried.
 */
export const renewal = (browser: () => Shelf, ownWindow: () => Shelf, now: () => number = Date.now) => {
  const isKnown = () => read(browser, key) !== null;
  return {
    /** To be called before the console is asked who is signed in. Returns the function that stores the answer. */
    asking() {
      const before = isKnown();
      return (address: string | null): void => {
        write(ownWindow, key, null);
        // Somebody signed out in another window while this answer was on its way.
        if (before && !isKnown()) return;
        write(browser, key, address === null ? null : `${now()} ${address}`);
      };
    },
    /** The person signs out deliberately. */
    end: (): void => write(browser, key, null),
    /** Only once in this window. If it does not lead to a session, a person decides what comes next. */
    take(): string | null {
      const [, at, address] = /^(\d+) (.+)$/.exec(read(browser, key) ?? '') ?? [];
      const age = now() - Number(at);
      // A time in the future comes from a clock that was wrong, so the age of the note is unknown.
      if (address === undefined || age < 0 || age > lastsMs || read(ownWindow, key) !== null) return null;
      write(ownWindow, key, 'tried');
      // Without a note of this try the renewal would repeat without end.
      return read(ownWindow, key) === null ? null : address;
    },
  };
};
