import type { Query, QueryClient, QueryKey } from '@tanstack/react-query';

/** The shortest time between two readings that follow changes made elsewhere. */
const pauseMs = 1_000;

/** All queries whose key begins with this; every query if it is absent. */
interface What {
  readonly queryKey: QueryKey;
}

/** How data is read again without ending a reading that somebody asked for in the meantime: the next page of a list. */
export interface Freshness {
  /**
   * Something changed. A reading that is under way continues, and another one follows it, because the first may have been answered
   * before the change. If every change restarted the reading, it would never end on a busy console.
   */
  readonly changed: (what?: What) => void;
  /**
   * The person acted here, or the connection is back. Reads at once, or directly after the next page if that page is being read.
   */
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
      // Data that no open page shows is read when a page shows it.
      if (!query.isActive()) break;
      await query.fetch(undefined, { cancelRefetch: false }).catch(() => undefined);
      // Somebody asked for the next page in the meantime, and this ended the present reading.
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
      // Somebody asked for the next page in the meantime, and this ended the reading.
      for (const query of cache.findAll(what)) if (query.isActive() && readsMore(query)) void follow(query);
    },
  };
}

/** Whether the last reading was for one more page, or still is. */
const readsMore = ({ state }: Query): boolean => (state.fetchMeta?.fetchMore ?? undefined) !== undefined;
const isReadingMore = (query: Query): boolean => query.state.fetchStatus !== 'idle' && readsMore(query);
