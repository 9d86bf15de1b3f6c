/** How long ago something was, in milliseconds, asked at each call. Never less than what has passed. */
export type Ago = () => number;

/**
 * Begins to measure. The monotonic clock cannot be set, but stands still where the machine is suspended; the wall clock goes on
 * there, but may be set back. Whichever says more counts: too old is safe, too young is not.
 */
export function ago(): Ago {
  const wall = Date.now();
  const steady = performance.now();
  return () => Math.max(Date.now() - wall, performance.now() - steady);
}
