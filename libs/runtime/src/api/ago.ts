/** The time since a moment, in milliseconds, measured at each call. It is never less than the time that really passed. */
export type Ago = () => number;

/**
 * Starts a measurement. The monotonic clock cannot be set, but it stops while the machine is suspended. The wall clock goes on
 * during that time, but it may be set back. The larger of the two counts: an age that is too high is safe, an age that is too low
 * is not.
 */
export function ago(): Ago {
  const wall = Date.now();
  const steady = performance.now();
  return () => Math.max(Date.now() - wall, performance.now() - steady);
}
