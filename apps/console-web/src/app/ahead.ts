/** Loads one piece, or waits for a good moment. */
interface Ways<Piece> {
  /** Rejects if the piece does not come, or after an abort. */
  readonly load: (piece: Piece, signal: AbortSignal) => Promise<unknown>;
  /** Resolves when the page has nothing else to do. */
  readonly rest: () => Promise<void>;
}

export interface Ahead {
  /** Begins, or continues after a stop. */
  readonly go: () => void;
  /** Gives up the piece that is on its way. It is loaded again after the next `go`. */
  readonly stop: () => void;
}

/**
 * Loads pieces one after another, so that files use one connection at most. A piece that does not come is left out: whoever needs it
 * asks for it, and reports the error.
 */
export function loadAhead<Piece>(pieces: readonly Piece[], { load, rest }: Ways<Piece>): Ahead {
  const left = [...pieces];
  let running: AbortController | undefined;
  // A loop that was stopped ends before the next one begins.
  let ended = Promise.resolve();

  const loadRest = async (signal: AbortSignal): Promise<void> => {
    for (let [piece] = left; piece !== undefined; [piece] = left) {
      await rest();
      if (signal.aborted) return;
      await load(piece, signal).catch(() => undefined);
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
