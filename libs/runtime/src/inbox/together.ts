import { isTransient } from '../failures.js';

/**
 * Handles items that wait at the same time in one turn. Slices of several partitions share a transaction, because each
 * transaction has a fixed cost. While one turn runs, the next items gather. If one slice makes a common turn fail, only this
 * slice fails: at once, or, if the cause seems to be the world, when the slices come again. `most` limits the items of a turn
 * with several slices.
 */
export function together<T>(
  handle: (items: readonly T[]) => Promise<unknown>,
  most: number,
): (slice: readonly T[]) => Promise<void> {
  const waiting: { readonly slice: readonly T[]; readonly done: (result: Promise<void>) => void }[] = [];
  let running = false;
  // A failure that looks like the world's may come from one slice each time. So this many of the next slices run alone.
  let apart = 0;

  const turn = (): typeof waiting => {
    let count = 0;
    const until = waiting.findIndex(({ slice }, n) => {
      count += slice.length;
      return n > 0 && (apart > 0 || count > most);
    });
    if (apart > 0) apart--;
    return waiting.splice(0, until === -1 ? waiting.length : until);
  };
  const once = async (slices: typeof waiting): Promise<void> => {
    try {
      await handle(slices.flatMap(({ slice }) => slice));
      for (const { done } of slices) done(Promise.resolve());
    } catch (error) {
      if (slices.length === 1 || isTransient(error)) {
        if (slices.length > 1) apart = slices.length;
        for (const { done } of slices) done(Promise.reject(error));
        return;
      }
      for (const slice of slices) await once([slice]);
    }
  };
  const run = async (): Promise<void> => {
    running = true;
    // One fetch hands over its partitions within one turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) await once(turn());
    running = false;
  };
  return (slice) =>
    new Promise<void>((done) => {
      waiting.push({ slice, done });
      if (!running) void run();
    });
}
