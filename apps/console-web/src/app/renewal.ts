import { read, type Shelf, write } from './shelf.js';

const key = 'countersign-renewal';
/** As long as the longest session: after that whoever sits here may be somebody else. */
const lastsMs = 12 * 3_600_000;

/**
 * Where the session of this browser began, to begin another one there when it is over. All windows share it, as they share the session:
 * a person who signs out in one of them is not signed in again by another. It counts for some hours after the session was last seen.
 * That it was tried is known to each window by itself.
 */
export const renewal = (browser: () => Shelf, ownWindow: () => Shelf, now: () => number = Date.now) => {
  const isKnown = () => read(browser, key) !== null;
  return {
    /** Before the console is asked who is signed in: what keeps its answer. */
    asking() {
      const before = isKnown();
      return (address: string | null): void => {
        write(ownWindow, key, null);
        // Somebody signed out in another window while this answer was on its way.
        if (before && !isKnown()) return;
        write(browser, key, address === null ? null : `${now()} ${address}`);
      };
    },
    /** Somebody signs out by themselves. */
    end: (): void => write(browser, key, null),
    /** Once only in this window: where it does not lead to a session, a person decides what comes next. */
    take(): string | null {
      const [, at, address] = /^(\d+) (.+)$/.exec(read(browser, key) ?? '') ?? [];
      const age = now() - Number(at);
      // A time to come is one of a clock that was wrong: nobody knows how old it is.
      if (address === undefined || age < 0 || age > lastsMs || read(ownWindow, key) !== null) return null;
      write(ownWindow, key, 'tried');
      // Without a note of it there is no end to it.
      return read(ownWindow, key) === null ? null : address;
    },
  };
};
