import { queryOptions, useQuery } from '@tanstack/react-query';
import { ApiProblem, answerOf, api, keepCsrfToken } from './api.js';
import { renewal } from './renewal.js';

const browserRenewal = renewal(
  () => window.localStorage,
  () => window.sessionStorage,
);
export const { end: endRenewal, take: takeRenewal } = browserRenewal;

/** Who is signed in here; null: nobody. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  staleTime: 60_000,
  queryFn: async () => {
    const keepRenewal = browserRenewal.asking();
    try {
      const session = await answerOf(api.GET('/v1/session'));
      keepCsrfToken(session.csrfToken);
      keepRenewal(session.renewal);
      return session;
    } catch (error) {
      if (!(error instanceof ApiProblem && error.status === 401)) throw error;
      keepCsrfToken(undefined);
      return null;
    }
  },
});

export const useSession = () => useQuery(sessionQuery).data ?? undefined;

type Session = Awaited<ReturnType<NonNullable<typeof sessionQuery.queryFn>>>;
type Role = NonNullable<Session>['roles'][number];

/** Whether the person who is signed in has a role; the console decides again on each request. */
export const useMay = (role: Role): boolean => useSession()?.roles.includes(role) ?? false;
