import type { Query, QueryClient, QueryKey } from '@tanstack/react-query';

/** What is read again for changes that nobody here made is read again so often at most. */
const pauseMs = 1_000;

/** All whose key begins so; everything where nothing is said. */
interface What {
  readonly queryKey: QueryKey;
}

/** How what was read is read again without an end to what somebody asked for meanwhile: the next page of a list. */
export interface Freshness {
  /**
   * Something changed. What runs already goes on, and another reading follows, since the first may have been answered before the
   * change. On a busy console a reading that every change began anew would never come to its end.
   */
  readonly changed: (what?: What) => void;
  /** Somebody did something here, or the line is there again: reads at once, and after it where a next page is on its way. */
  readonly now: (what?: What) => Promise<void>;
}

export function freshness(client: QueryClient): Freshness {
  const cache = client.getQueryCache();
  const followed = new Set<Query>();
  const again = new Set<Query>();

  const idle = (query: Query): Promise<void> =>
    new Promise((resolve) => {
      const stop = cache.subscribe((event) => {
        if (event.query !== query || (event.type !== 'removed' && query.state.fetchStatus !== 'idle')) return;
        stop();
        resolve();
      });
    });

  const follow = async (query: Query): Promise<void> => {
    again.add(query);
    if (followed.has(query)) return;
    followed.add(query);
    while (again.has(query)) {
      while (query.state.fetchStatus !== 'idle' && isCached(query)) await idle(query);
      again.delete(query);
      if (!isCached(query)) break;
      query.invalidate();
      // What nobody sees is read when somebody opens it.
      if (!query.isActive()) break;
      await query.fetch(undefined, { cancelRefetch: false }).catch(() => undefined);
      // Somebody asked for the next page meanwhile, and that ended this reading.
      if (readsMore(query)) again.add(query);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    followed.delete(query);
  };
  const isCached = (query: Query): boolean => cache.get(query.queryHash) === query;

  return {
    changed(what) {
      for (const query of cache.findAll(what)) void follow(query);
    },
    async now(what) {
      for (const query of cache.findAll(what)) if (isReadingMore(query)) void follow(query);
      await client.invalidateQueries({ ...what, predicate: (query) => !isReadingMore(query) });
      // Somebody asked for the next page meanwhile, and that ended the reading.
      for (const query of cache.findAll(what)) if (query.isActive() && readsMore(query)) void follow(query);
    },
  };
}

/** Whether the last reading was, or is, of one more page. */
const readsMore = ({ state }: Query): boolean => (state.fetchMeta?.fetchMore ?? undefined) !== undefined;
const isReadingMore = (query: Query): boolean => query.state.fetchStatus !== 'idle' && readsMore(query);
