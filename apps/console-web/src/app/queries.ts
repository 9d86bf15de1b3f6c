import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { ApiProblem, isAway, isSignedOut } from './api-problem.js';
import { freshness } from './freshness.js';

/**
 * What the pages have read. The first member of a query's key is the part of the console that it shows, as the live stream names it
 * (`app/live.ts`); so a change there reads it again.
 */
export const queries: QueryClient = new QueryClient({
  // What was refused because the session is over, read or done: the frame says so, with the way back in.
  queryCache: new QueryCache({ onError: (error) => hearRefusal(error) }),
  mutationCache: new MutationCache({ onError: (error) => hearRefusal(error) }),
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // What was refused is refused again; what was not reachable may be, later.
      retry: (count, error) => !(error instanceof ApiProblem && error.status >= 400 && error.status < 500) && count < 3,
      refetchInterval: ({ state: { error } }) => (isAway(error) ? 5_000 : false),
    },
    // An act is never sent again by itself: its author decides. Else one that was begun without a line is kept back and sent when the line is there again.
    mutations: { retry: false, networkMode: 'always' },
  },
});

function hearRefusal(error: unknown): void {
  // Once: who is known to be signed out is not asked for again with each refused reading.
  if (isSignedOut(error) && queries.getQueryData(['session']))
    void queries.invalidateQueries({ queryKey: ['session'] });
}

/** How the pages read again what has changed. */
export const fresh = freshness(queries);
