/** This process's wall clock, which a test can set. The monotonic clock and other processes are not affected. */
export interface SetClock {
  /** Sets it this far ahead of the true time, in milliseconds; negative: behind. */
  ahead(ms: number): void;
  /** Restores the real clock. */
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
