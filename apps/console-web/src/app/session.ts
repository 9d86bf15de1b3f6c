import { queryOptions, useQuery } from '@tanstack/react-query';
import { useRef } from 'react';
import { answerOf, api, setCsrfToken } from './api.js';
import { isSignedOut } from './api-problem.js';
import { renewal } from './renewal.js';
import { notifyTabs, unheard } from './tabs.js';

const browser = () => window.localStorage;
const browserRenewal = renewal(browser, () => window.sessionStorage);
const isUnheard = unheard(browser);
export const { end: endRenewal, take: takeRenewal } = browserRenewal;

/** Who is signed in here; null if nobody is. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  staleTime: 60_000,
  queryFn: async () => {
    const storeRenewal = browserRenewal.asking();
    try {
      const session = await answerOf(api.GET('/v1/session'));
      setCsrfToken(session.csrfToken);
      storeRenewal(session.renewal);
      if (isUnheard(session.signedInAt)) notifyTabs('signed-in');
      return session;
    } catch (error) {
      if (!isSignedOut(error)) throw error;
      setCsrfToken(undefined);
      return null;
    }
  },
});

export const useSession = () => useQuery(sessionQuery).data ?? undefined;

/** Who is signed in here, or was last. A draft still belongs to its author when only the session is over. */
export function useAuthor(): string | undefined {
  const person = useSession()?.person;
  const author = useRef(person);
  author.current = person ?? author.current;
  return author.current;
}

type Session = Awaited<ReturnType<NonNullable<typeof sessionQuery.queryFn>>>;
type Role = NonNullable<Session>['roles'][number];

/** Whether the person who is signed in has a role; the console decides again on each request. */
export const useMay = (role: Role): boolean => useSession()?.roles.includes(role) ?? false;
