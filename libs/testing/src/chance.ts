/** All random choices of a run, from one seed. */
export interface Chance {
  readonly seed: number;
  /** An integer from 0 up to, not including, `limit`. */
  below(limit: number): number;
  pick<T>(from: readonly T[]): T;
  /** The same things in another order. */
  shuffled<T>(from: readonly T[]): T[];
}

/** The same seed gives the same choices: a 32-bit counter, mixed. */
export function chance(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  };
  const below = (limit: number): number => next() % limit;
  return {
    seed,
    below,
    pick: <T>(from: readonly T[]) => from[below(from.length)] as T,
    shuffled: <T>(from: readonly T[]) => {
      const left = [...from];
      const taken: T[] = [];
      while (left.length > 0) taken.push(...left.splice(below(left.length), 1));
      return taken;
    },
  };
}
