/** How often something may be asked for: `burst` at once, and after that `perSecond`. */
export interface Pace {
  readonly perSecond: number;
  readonly burst: number;
}

/**
 * Keeps count for each name, of which at most `names` are remembered: the one that asked longest ago is forgotten first. The function
 * takes a time in milliseconds of a clock that never goes back, and returns how long to wait, in milliseconds; 0: go on.
 */
export function pacer({ perSecond, burst }: Pace, names: number): (name: string, at: number) => number {
  const interval = 1_000 / perSecond;
  /** When each would be even, had it asked at this pace from the beginning. */
  const even = new Map<string, number>();
  return (name, at) => {
    const due = Math.max(even.get(name) ?? at, at);
    const wait = due - at - (burst - 1) * interval;
    // Deleted first, so that the map's order is that of the last asking.
    even.delete(name);
    even.set(name, wait > 0 ? due : due + interval);
    const [oldest] = even.keys();
    if (even.size > names && oldest !== undefined) even.delete(oldest);
    return Math.max(0, Math.ceil(wait));
  };
}
