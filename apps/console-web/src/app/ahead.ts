/** Loads one file, or waits for a good moment. */
interface Ways {
  /** Rejects if the file does not come, or after an abort. */
  readonly load: (file: string, signal: AbortSignal) => Promise<unknown>;
  /** Resolves when the page has nothing else to do. */
  readonly rest: () => Promise<void>;
}

export interface Ahead {
  /** Begins, or continues after a stop. */
  readonly go: () => void;
  /** Gives up the file that is on its way. It is loaded again after the next `go`. */
  readonly stop: () => void;
}

/**
 * Loads files one after another, so that they use one connection at most. A file that does not come is left out: whoever needs it
 * asks for it, and reports the error.
 */
export function loadAhead(files: readonly string[], { load, rest }: Ways): Ahead {
  const left = [...files];
  let running: AbortController | undefined;
  // A loop that was stopped ends before the next one begins.
  let ended = Promise.resolve();

  const loadRest = async (signal: AbortSignal): Promise<void> => {
    for (let [file] = left; file !== undefined; [file] = left) {
      await rest();
      if (signal.aborted) return;
      await load(file, signal).catch(() => undefined);
      if (signal.aborted) return;
      left.shift();
    }
  };

  return {
    go() {
      if (running) return;
      const begun = new AbortController();
      running = begun;
      ended = ended.then(() => loadRest(begun.signal));
    },
    stop() {
      running?.abort();
      running = undefined;
    },
  };
}
