import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { ApiProblem, isAway, isSignedOut } from './api-problem.js';
import { freshness } from './freshness.js';

/**
 * What the pages have read. The first member of a query's key is the part of the console that the query shows, under the name that
 * the live stream uses (`app/live.ts`). So a change of that part makes the query read again.
 */
export const queries: QueryClient = new QueryClient({
  // A reading or an act was refused because the session is over. The frame says so and offers the way to sign in again.
  queryCache: new QueryCache({ onError: (error) => hearRefusal(error) }),
  mutationCache: new MutationCache({ onError: (error) => hearRefusal(error) }),
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // A refused request would be refused again. If the console could not be reached, a later try may succeed.
      retry: (count, error) => !(error instanceof ApiProblem && error.status >= 400 && error.status < 500) && count < 3,
      refetchInterval: ({ state: { error } }) => (isAway(error) ? 5_000 : false),
    },
    // An act is never sent again automatically: its author decides. Otherwise the library would hold an act that was begun offline,
    // and send it when the connection is back.
    mutations: { retry: false, networkMode: 'always' },
  },
});

function hearRefusal(error: unknown): void {
  // Only once: if the person is known to be signed out, refused readings do not ask for the session again.
  if (isSignedOut(error) && queries.getQueryData(['session']))
    void queries.invalidateQueries({ queryKey: ['session'] });
}

/** How the pages read again what has changed. */
export const fresh = freshness(queries);
