import { isTransient } from '../failures.js';

/**
 * Handles what waits at the same time in one go: slices of several partitions share a transaction, whose fixed cost they would
 * otherwise pay one by one, and while one goes on the next ones gather. The slice that makes a common turn fail fails alone: at
 * once, or where the world seems to be at fault when they come again. `most` bounds the items of a turn of several slices.
 */
export function together<T>(
  handle: (items: readonly T[]) => Promise<unknown>,
  most: number,
): (slice: readonly T[]) => Promise<void> {
  const waiting: { readonly slice: readonly T[]; readonly done: (result: Promise<void>) => void }[] = [];
  let running = false;
  // What looks like the world's fault may be of one slice only, again and again: so many of those that come next go alone.
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
    // What one fetch brought of several partitions is handed over in one turn of the event loop.
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
