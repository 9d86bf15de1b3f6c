/** This process's wall clock, to be set by a test. The monotonic clock and other processes go on as they are. */
export interface SetClock {
  /** Sets it this far ahead of the true time, in milliseconds; negative: behind. */
  ahead(ms: number): void;
  /** Gives the real one back. */
  restore(): void;
}

/** Takes over `Date` for everything in this process, libraries included. */
export function setClock(): SetClock {
  const Real = globalThis.Date;
  let off = 0;
  class Shifted extends Real {
    constructor(...given: unknown[]) {
      if (given.length === 0) super(Real.now() + off);
      else super(...(given as [string]));
    }
    static override now(): number {
      return Real.now() + off;
    }
  }
  globalThis.Date = Shifted as DateConstructor;
  return {
    ahead: (ms) => {
      off = ms;
    },
    restore: () => {
      globalThis.Date = Real;
    },
  };
}
