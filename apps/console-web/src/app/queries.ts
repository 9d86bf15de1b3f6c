import { QueryClient } from '@tanstack/react-query';
import { ApiProblem } from './api.js';

/**
 * What the pages have read. The first member of a query's key is the part of the console that it shows, as the live stream names it
 * (`app/live.ts`); so a change there reads it again.
 */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // What was refused is refused again; what was not reachable may be, later.
      retry: (count, error) => !(error instanceof ApiProblem && error.status >= 400 && error.status < 500) && count < 3,
    },
    // An act is never sent again by itself: its author decides. Else one that was begun without a line is kept back and sent when the line is there again.
    mutations: { retry: false, networkMode: 'always' },
  },
});
