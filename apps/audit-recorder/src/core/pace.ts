/** How often a name may ask: `burst` times at once, and after that `perSecond`. */
export interface Pace {
  readonly perSecond: number;
  readonly burst: number;
}

/**
 * Counts the requests of each name. It remembers at most `names` names, and forgets the one whose last request is oldest. The
 * function takes a time in milliseconds of a clock that never goes back. It returns how long to wait, in milliseconds; 0: go on.
 */
export function pacer({ perSecond, burst }: Pace, names: number): (name: string, at: number) => number {
  const interval = 1_000 / perSecond;
  /** For each name, the time at which its whole burst is free again. */
  const even = new Map<string, number>();
  return (name, at) => {
    const due = Math.max(even.get(name) ?? at, at);
    const wait = due - at - (burst - 1) * interval;
    // Deleted first, so that the map is in the order of the last requests.
    even.delete(name);
    even.set(name, wait > 0 ? due : due + interval);
    const [oldest] = even.keys();
    if (even.size > names && oldest !== undefined) even.delete(oldest);
    return Math.max(0, Math.ceil(wait));
  };
}

/** What one address may ask for, and all together: a proof reads a few hundred hashes. */
const each: Pace = { perSecond: 20, burst: 200 };
const together: Pace = { perSecond: 100, burst: 500 };

/** Counts what strangers ask for, by their addresses, and returns how long to wait, as `pacer` does. */
export function paceOfStrangers(): (ip: string, at: number) => number {
  const paceOf = pacer(each, 10_000);
  const paceOfAll = pacer(together, 1);
  return (ip, at) => paceOf(ip, at) || paceOfAll('', at);
}
