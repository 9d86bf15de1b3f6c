import { queryOptions, useQuery } from '@tanstack/react-query';
import { ApiProblem, answerOf, api, keepCsrfToken } from './api.js';

const renewalKey = 'countersign-renewal';
/** Where this window began its session, to begin another one there when it is over. Null once somebody signs out by themselves. */
export const keepRenewal = (address: string | null): void => {
  if (address === null) sessionStorage.removeItem(renewalKey);
  else sessionStorage.setItem(renewalKey, address);
};
/** Once only: where it does not lead to a session, a person decides what comes next. */
export const takeRenewal = (): string | null => {
  const address = sessionStorage.getItem(renewalKey);
  keepRenewal(null);
  return address;
};

/** Who is signed in here; null: nobody. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  staleTime: 60_000,
  queryFn: async () => {
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
